"""A notebook's parameters: one specification, the same types in every runtime."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluebook.errors import ConfigurationError, NotebookError

Value = str | int | float | bool
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
    if annotation not in _TYPES:
        raise NotebookError(f"{where}: {name} can't be {annotation}; types are {', '.join(_TYPES)}")
    try:
        default = ast.literal_eval(node.value)
    except (ValueError, TypeError):
        raise NotebookError(f"{where}: the default of {name} is no literal") from None
    if type(default) is not _TYPES[annotation]:
        raise NotebookError(f"{where}: the default of {name} is no {annotation}")
    return Parameter(name, _TYPES[annotation], default)


def convert(parameter: Parameter, text: str) -> Value:
    """`text` as the parameter's type. Raises ConfigurationError if it isn't one."""
    if parameter.type is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
    else:
        try:
            return parameter.type(text)
        except ValueError:
            pass
    raise ConfigurationError(f"parameter {parameter.name}: {text!r} is no {parameter.type.__name__}")


def job_arguments(
    argv: Sequence[str],
    get_resolved_options: Callable[[Sequence[str], list[str]], Mapping[str, Any]],
    **defaults: Value,
) -> dict[str, Value]:
    """What a job script was started with: `defaults`, overridden by what `argv` sets, in the defaults' types.

    AWS Glue's getResolvedOptions insists on every name it is asked for, so it is asked only for those given.
    """
    given = {word[2:].partition("=")[0] for word in argv if word.startswith("--")}
    found = get_resolved_options(argv, [name for name in defaults if name in given])
    return {
        name: convert(Parameter(name, type(default), default), found[name]) if name in given else default
        for name, default in defaults.items()
    }
