"""Texts to the contract's types, and what is wrong with those that are no such value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from gluebook.contracts import TYPES
from gluebook.contracts import Column as Target
from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.sources.model import Source
from gluebook.transforms.rows import PROBLEM, Rows
from gluebook.transforms.times import days, instants

# 3.0 is how spreadsheets write 3.
_WHOLE = r"^[+]?(-?)0*([0-9]{1,19})(?:[.]0+)?$"
_LONGEST_NUMBER = 19


def normalise_types(rows: Rows, source: Source) -> Rows:
    """Turn the source's texts into the contract's types.

    Integers, booleans, dates and UTC timestamps are parsed, enumerations are mapped. Whatever can't be is null and
    leaves a problem: `missing:<column>` where the contract wants a value and there was none,
    `unreadable:<column>`, `unknown:<column>` or `too_long:<column>`. The first problem of a record stays.
    """
    targets = [source.contract.column(name) for name in source.renames.values()]
    typed = {target.name: _typed(rows[target.name], target, source) for target in targets}
    problem = rows[PROBLEM]
    for target in targets:
        for reason, has_it in _problems(rows[target.name], typed[target.name], target):
            if pc.any(has_it, min_count=0).as_py():
                found = pc.if_else(has_it, pa.scalar(str(reason), pa.string()), pa.scalar(None, pa.string()))
                problem = pc.coalesce(problem, found)
    return rows.with_columns({**typed, PROBLEM: problem})


def _problems(text: pa.Array, value: pa.Array, target: Target) -> Iterator[tuple[ReasonText, pa.Array]]:
    """What can be wrong with a column, and which of its values have that."""
    if not target.nullable:
        yield Reason.MISSING.of_column(target.name), pc.is_null(text)
    if target.type != "text" or target.allowed:
        verdict = Reason.UNKNOWN if target.allowed else Reason.UNREADABLE
        yield verdict.of_column(target.name), pc.and_(pc.is_valid(text), pc.is_null(value))
    elif not target.personal:
        too_long = pc.fill_null(pc.greater(pc.binary_length(text), target.length), False)
        yield Reason.TOO_LONG.of_column(target.name), too_long


def _typed(texts: pa.Array, target: Target, source: Source) -> pa.Array:
    if target.allowed:
        return _chosen(texts, source.choices[target.name])
    if target.type in ("integer", "bigint"):
        return _whole_numbers(texts, pa.type_for_alias(TYPES[target.type].arrow))
    if target.type == "boolean":
        lowered = pc.utf8_lower(texts)
        known = pc.or_(pc.equal(lowered, "true"), pc.equal(lowered, "false"))
        return pc.if_else(known, pc.equal(lowered, "true"), pa.scalar(None, pa.bool_()))
    if target.type == "timestamp":
        return instants(texts, source.time_patterns)
    if target.type == "date":
        return days(texts, source.time_patterns)
    return texts


def _chosen(texts: pa.Array, meanings: Mapping[str, str]) -> pa.Array:
    place = pc.index_in(pc.utf8_lower(texts), pa.array(list(meanings), pa.string()))
    return pa.array(list(meanings.values()), pa.string()).take(place)


def _whole_numbers(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    """As signed integers; null for what is none, or has more bits than the type."""
    digits = pc.replace_substring_regex(texts, _WHOLE, r"\1\2")
    end = 1 << (type_.bit_width - 1)
    negative = pc.starts_with(digits, "-")
    largest = pc.if_else(negative, str(end), str(end - 1))
    padded = pc.utf8_lpad(pc.utf8_ltrim(digits, "-"), _LONGEST_NUMBER, "0")
    fits = pc.and_(
        pc.match_substring_regex(texts, _WHOLE),
        pc.less_equal(padded, pc.utf8_lpad(largest, _LONGEST_NUMBER, "0")),
    )
    return pc.if_else(fits, digits, pa.scalar(None, pa.string())).cast(type_)
