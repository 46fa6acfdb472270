"""A notebook's parameters: one specification, the same types in every runtime."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluebook.errors import ConfigurationError, NotebookError

Value = str | int | float | bool
# Reserved by AWS Glue ("Using job parameters in AWS Glue jobs", getResolvedOptions).
_GLUES_OWN = frozenset(
    {"class", "conf", "mode", "debug", "job_bookmark_option", "job_bookmark_from", "job_bookmark_to"}
)
# Glue's other arguments are in capitals or contain dashes, so a misspelt one of ours can be detected.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPES: Mapping[str, type[Value]] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """One `name: type = default` of a parameters cell."""

    name: str
    type: type[Value]
    default: Value


def parse_parameters(source: str, where: str, first_line: int = 1) -> list[Parameter]:
    """The parameters of a parameters cell, whose `source` begins on line `first_line` of it.

    Raises NotebookError for anything but `name: type = literal`, each name once.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise NotebookError(f"{where}, line {(error.lineno or 1) + first_line - 1}: {error.msg}") from None
    parameters: dict[str, Parameter] = {}
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        here = f"{where}, line {node.lineno + first_line - 1}"
        parameter = _parameter(node, here)
        if parameter.name in parameters:
            raise NotebookError(f"{here}: a second parameter {parameter.name}")
        parameters[parameter.name] = parameter
    return list(parameters.values())


def _parameter(node: ast.stmt, where: str) -> Parameter:
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
        raise NotebookError(f"{where}: a parameters cell holds only `name: type = literal`")
    name, annotation = node.target.id, ast.unparse(node.annotation)
    if not _NAME.fullmatch(name) or name in _GLUES_OWN:
        raise NotebookError(
            f"{where}: {name} can't be an argument of a Glue job; take another name, in lower case and underscores"
        )
    if annotation not in _TYPES:
        raise NotebookError(f"{where}: {name} can't be {annotation}; types are {', '.join(_TYPES)}")
    try:
        default = ast.literal_eval(node.value)
    except (ValueError, TypeError):
        raise NotebookError(f"{where}: the default of {name} is not a literal") from None
    if type(default) is not _TYPES[annotation]:
        raise NotebookError(f"{where}: the default of {name} is not of type {annotation}")
    if isinstance(default, str) and _looks_like_an_option(default):
        raise NotebookError(
            f"{where}: AWS Glue would read {default!r} as an option; give {name} another default"
        )
    return Parameter(name, _TYPES[annotation], default)


def _looks_like_an_option(text: str) -> bool:
    return text.startswith("-") and len(text) > 1


def convert(parameter: Parameter, text: str) -> Value:
    """`text` as the parameter's type. Raises ConfigurationError if it is not of that type."""
    if parameter.type is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
    else:
        try:
            return parameter.type(text)
        except ValueError:
            pass
    raise ConfigurationError(f"parameter {parameter.name}: {text!r} is not of type {parameter.type.__name__}")


def assignments(parameters: Sequence[Parameter], texts: Sequence[str], what: str) -> dict[str, Value]:
    """Texts of the form `name=value`, converted to the parameters' types. Errors call the notebook `what`.

    Raises ConfigurationError for a text of another form, a name that is unknown or given twice, a value of
    another type.
    """
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"parameter {text!r} has no value; write {name}=VALUE")
        if name not in known:
            raise ConfigurationError(unknown(name, known, what))
        if name in found:
            raise ConfigurationError(f"parameter {name} is given twice")
        found[name] = convert(known[name], value)
    return found


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """The error for a parameter that `what` does not have."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(names) or 'none'}"
    return f"{what} has no parameter {name}; {meant}"


def job_arguments(
    argv: Sequence[str],
    get_resolved_options: Callable[[Sequence[str], list[str]], Mapping[str, Any]],
    **defaults: Value,
) -> dict[str, Value]:
    """The arguments of a job script: `defaults`, overridden by `argv`, in the types of the defaults.

    AWS Glue's getResolvedOptions requires every name that is requested, so only given names are.
    Raises ConfigurationError for a value of another type, and for a misspelt name.
    """
    given = {word[2:].partition("=")[0] for word in argv if word.startswith("--")}
    for name in given - defaults.keys() - _GLUES_OWN:
        if _NAME.fullmatch(name):
            raise ConfigurationError(unknown(name, defaults, "this job"))
    found = get_resolved_options(argv, [name for name in defaults if name in given])
    return {
        name: convert(Parameter(name, type(default), default), found[name]) if name in given else default
        for name, default in defaults.items()
    }
