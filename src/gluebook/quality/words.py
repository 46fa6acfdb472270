"""Expectations as sentences, for readers who have never seen a suite."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from gluebook.quality.numbers import NUMBERS

_SHOWN = 8
_SIGNS = {
    "==": "is",
    "!=": "is not",
    ">": "is above",
    ">=": "is at least",
    "<": "is below",
    "<=": "is at most",
}


def sentence(expectation: str, kwargs: Mapping[str, Any]) -> str:
    """An expectation of this type with these arguments as a sentence, including `mostly` and `row_condition`.

    An unknown type is described by its name and arguments.
    """
    phrase = _PHRASES.get(expectation)
    try:
        text = phrase(kwargs) if phrase else _by_name(expectation, kwargs)
    except (KeyError, TypeError, ValueError):  # arguments that our suites do not have
        text = _by_name(expectation, kwargs)
    condition = kwargs.get("row_condition")
    return f"Where {condition_in_words(condition)}, {_lowered(text)}." if condition else f"{text}."


def condition_in_words(condition: Any) -> str:
    """A comparison of GX in words, such as "source is servicenow"; any other condition as it is."""
    try:
        sign = _SIGNS[condition["operator"]]
        return f"{_name(condition['column']['name'])} {sign} {_value(condition['parameter'])}"
    except (KeyError, TypeError):
        return str(condition)


# -- one function for each type ----------------------------------------------------------------------------


def _row_count(kwargs: Mapping[str, Any]) -> str:
    return f"The number of rows is {_range(kwargs)}"


def _columns(kwargs: Mapping[str, Any]) -> str:
    names = kwargs["column_list"]
    return f"The table has exactly {len(names)} columns, in this order: {_listed(names)}"


def _types(kwargs: Mapping[str, Any]) -> str:
    types = kwargs["type_list"]
    return f"{kwargs['column']} is stored as {_listed(types, 'or')}"


def _filled(kwargs: Mapping[str, Any]) -> str:
    share = _share(kwargs)
    return f"{kwargs['column']} has a value in at least {share} of the rows" if share else _always(kwargs)


def _always(kwargs: Mapping[str, Any]) -> str:
    return f"{kwargs['column']} is never empty"


def _in_set(kwargs: Mapping[str, Any]) -> str:
    return f"{_values(kwargs)} one of {_listed(kwargs['value_set'], 'or')}"


def _between(kwargs: Mapping[str, Any]) -> str:
    return f"{_values(kwargs)} {_range(kwargs)}"


def _length(kwargs: Mapping[str, Any]) -> str:
    return f"{_values(kwargs)} exactly {_count(kwargs['value'], 'character')} long"


def _regex(kwargs: Mapping[str, Any]) -> str:
    return f"{_values(kwargs)} of the form {kwargs['regex']}"


def _bytes(kwargs: Mapping[str, Any]) -> str:
    return f"{_values(kwargs)} at most {_count(kwargs['max_value'], 'byte')} long"


def _unique(kwargs: Mapping[str, Any]) -> str:
    names, share = _listed(kwargs["column_list"]), _share(kwargs)
    if share:
        return f"At least {share} of the rows are the only ones with their {names}"
    return f"No two rows have the same {names}"


def _statistic(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda kwargs: f"The {name} of {kwargs['column']} is {_range(kwargs)}"


def _pair(kwargs: Mapping[str, Any]) -> str:
    share = _share(kwargs)
    text = (
        f"{kwargs['column_A']} is {'not before' if kwargs.get('or_equal') else 'after'} {kwargs['column_B']}"
    )
    if kwargs.get("ignore_row_if") in ("either_value_is_missing", "both_values_are_missing"):
        which = "both" if kwargs["ignore_row_if"].startswith("either") else "one of the two"
        text += f" where {which} {'are' if which == 'both' else 'is'} given"
    return f"In at least {share} of the rows {text}" if share else text


_PHRASES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_columns_to_match_ordered_list": _columns,
    "expect_column_values_to_be_in_type_list": _types,
    "expect_column_values_to_not_be_null": _filled,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_equal": _length,
    "expect_column_values_to_match_regex": _regex,
    "expect_compound_columns_to_be_unique": _unique,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_column_value_byte_lengths_to_be_between": _bytes,
    "expect_column_min_to_be_between": _statistic("least value"),
    "expect_column_max_to_be_between": _statistic("greatest value"),
    "expect_column_mean_to_be_between": _statistic("mean"),
}


def _by_name(expectation: str, kwargs: Mapping[str, Any]) -> str:
    """An unknown type: `expect_column_max_to_be_between` as "Column max to be between (column: x)"."""
    name = expectation.removeprefix("expect_").replace("_", " ").strip() or "something without a name"
    shown = {key: value for key, value in kwargs.items() if key not in ("row_condition", "condition_parser")}
    arguments = "; ".join(f"{key.replace('_', ' ')}: {_argument(value)}" for key, value in shown.items())
    return f"{name[:1].upper()}{name[1:]}" + (f" ({arguments})" if arguments else "")


# -- phrases -----------------------------------------------------------------------------------------------


def _values(kwargs: Mapping[str, Any]) -> str:
    share = _share(kwargs)
    if kwargs["column"] in NUMBERS:
        return f"{_name(kwargs['column']).capitalize()} is"
    subject = f"At least {share} of the values of" if share else "Every value of"
    return f"{subject} {kwargs['column']} {'are' if share else 'is'}"


def _name(column: str) -> str:
    """The name of a column; a batch's numbers by their meaning."""
    return f"the {NUMBERS[column]}" if column in NUMBERS else column


def _share(kwargs: Mapping[str, Any]) -> str:
    """`mostly` as a percentage; "" if it is 1."""
    mostly = kwargs.get("mostly")
    if mostly is None or float(mostly) >= 1:
        return ""
    # Decimal: 0.999 is 99.9 %, not 99.90000000000001 %.
    return f"{(Decimal(str(mostly)) * 100).normalize():f} %"


def _range(kwargs: Mapping[str, Any]) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    times = isinstance(low if low is not None else high, str)
    if low is not None and low == high:
        return f"exactly {_value(low)}"
    from_here = "after" if times else "above"
    at_least = "not before" if times else "at least"
    until = "before" if times else "below"
    at_most = "not after" if times else "at most"
    parts = []
    if low is not None:
        parts.append(f"{from_here if kwargs.get('strict_min') else at_least} {_value(low)}")
    if high is not None:
        parts.append(f"{until if kwargs.get('strict_max') else at_most} {_value(high)}")
    return " and ".join(parts) or "anything"


def _count(number: Any, what: str) -> str:
    return f"{_value(number)} {what}{'' if number == 1 else 's'}"


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "empty"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    # A time: without the T, and without midnight.
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", r"\1 \2", text).removesuffix(" 00:00:00")


def _listed(values: Sequence[Any], last: str = "and") -> str:
    words = [_value(value) for value in values]
    if len(words) > _SHOWN:
        return f"{', '.join(words[:_SHOWN])} and {len(words) - _SHOWN:,} more"
    if len(words) < 2:
        return words[0] if words else "nothing"
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _argument(value: Any) -> str:
    return _listed(value) if isinstance(value, list | tuple) else _value(value)


def _lowered(text: str) -> str:
    """Without its capital, unless it begins with a column."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first in ("At", "Every", "The", "No", "In") else text
