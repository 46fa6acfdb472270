"""Patterns with `*`, `?` and policy variables, as IAM writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

# Keys in lower case; a tuple holds the values of a multi-valued key.
Context = Mapping[str, str | tuple[str, ...]]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# AWS docs, "IAM policy elements: variables": these three stand for the character itself.
_LITERALS = ("*", "?", "$")


def matches(pattern: str, text: str, context: Context | None = None, *, ignore_case: bool = False) -> bool:
    """Whether `text` fits `pattern`; `${key}` is filled in from `context` unless that is None.

    A pattern whose variable has no value fits nothing. The value of a variable is literal: a `*` in a
    session's name is no wildcard (AWS docs: "IAM policy elements: variables and tags").
    """
    if context is None or "${" not in pattern:
        return bool(_compiled(pattern, ignore_case).fullmatch(text))
    source = _filled(pattern, context, _wildcards, re.escape)
    return source is not None and bool(_compiled_source(source, ignore_case).fullmatch(text))


def expand(text: str, context: Context) -> str | None:
    """`text` with its variables filled in, for operators without wildcards; None if one has no value."""
    return _filled(text, context, str, str)


def _filled(
    text: str, context: Context, plain: Callable[[str], str], literal: Callable[[str], str]
) -> str | None:
    """`text` with its `plain` parts and the `literal` values of its variables; None if a variable has no value."""
    parts: list[str] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        value = _value(found[1], context)
        if value is None:
            return None
        parts += [plain(text[position : found.start()]), literal(value)]
        position = found.end()
    return "".join([*parts, plain(text[position:])])


def _value(variable: str, context: Context) -> str | None:
    if variable in _LITERALS:
        return variable
    name, comma, default = variable.partition(",")
    value = context.get(name.strip().lower())
    if isinstance(value, str):
        return value
    # A multi-valued key can't be a variable: AWS treats it as missing.
    return default.strip().strip("'") if comma else None


def _wildcards(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return _compiled_source(_wildcards(pattern), ignore_case)


@lru_cache(maxsize=4096)
def _compiled_source(source: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
