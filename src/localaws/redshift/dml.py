"""INSERT, UPDATE, DELETE and MERGE.

AWS docs: "INSERT", "UPDATE", "DELETE", "MERGE" in the Amazon Redshift Database Developer Guide. MERGE there takes
a table as its source, no alias of the target, no condition beside MATCHED, and both WHEN clauses.
"""

from __future__ import annotations

from collections.abc import Iterator

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.expressions import fold_name, scan
from localaws.redshift.names import parse_name
from localaws.redshift.tokens import Sql


def insert(sql: Sql) -> None:
    _, index = parse_name(sql, sql.expect(1, "INTO"))
    if sql.raw(index) == "(" and sql.word(index + 1) not in ("SELECT", "WITH"):
        index = _column_list(sql, index)
    if sql.phrase(index, "DEFAULT", "VALUES"):
        sql.expect_end(index + 2)
    elif sql.word(index) == "VALUES":
        scan(sql, index + 1, len(sql))
    elif sql.word(index) in ("SELECT", "WITH") or sql.raw(index) == "(":
        scan(sql, index, len(sql))
    elif sql.word(index) == "OVERRIDING":
        raise UnsupportedSql("INSERT .. OVERRIDING isn't supported by Redshift")
    else:
        raise sql.syntax_error(index)


def update(sql: Sql) -> None:
    _, index = parse_name(sql, 1)
    if sql.word(index) != "SET":
        index += 1 + (sql.word(index) == "AS")
    scan(sql, sql.expect(index, "SET"), len(sql))


def delete(sql: Sql) -> None:
    """DELETE [FROM] table [USING ..] [WHERE ..]; PostgreSQL needs the FROM."""
    if sql.word(1) != "FROM":
        sql.wrap_before(1, "FROM ")
    _, index = parse_name(sql, 1 + (sql.word(1) == "FROM"))
    if index < len(sql) and sql.word(index) not in ("USING", "WHERE"):
        raise UnsupportedSql(
            f'"{sql.raw(index)}" isn\'t supported by Redshift: DELETE takes no alias of its table'
        )
    if sql.phrase(len(sql) - 4, "WHERE", "CURRENT", "OF"):
        raise UnsupportedSql("WHERE CURRENT OF isn't supported by Redshift")
    scan(sql, index, len(sql))


def merge(sql: Sql) -> tuple[str, str]:
    """Checks MERGE, which PostgreSQL takes as it stands; returns (target, source), which must be tables."""
    target, index = parse_name(sql, sql.expect(1, "INTO"))
    if sql.word(index) != "USING":
        raise UnsupportedSql("MERGE INTO takes no alias of the target on Redshift")
    if sql.raw(index + 1) == "(":
        raise UnsupportedSql("MERGE's source must be a table on Redshift, not a subquery")
    source, index = parse_name(sql, index + 1)
    if source == target:
        raise RedshiftError("Source table/view and target table can't be the same in MERGE")
    if sql.word(index) != "ON":
        index += sql.word(index) == "AS"
        fold_name(sql, index)
        index += 1
    index = sql.expect(index, "ON")
    if any(sql.phrase(i, "REMOVE", "DUPLICATES") for i in sql.top_level(index, len(sql))):
        raise UnsupportedSql("MERGE .. REMOVE DUPLICATES is Redshift SQL that isn't supported here")
    clauses = list(_when_clauses(sql, index))
    scan(sql, index, clauses[0] if clauses else len(sql))
    if len(clauses) != 2:
        raise RedshiftError(
            "MERGE takes WHEN MATCHED THEN .. and WHEN NOT MATCHED THEN .., once each, in this order"
        )
    _matched(sql, clauses[0], clauses[1])
    _not_matched(sql, clauses[1], len(sql))
    return target, source


def _when_clauses(sql: Sql, start: int) -> Iterator[int]:
    """Where MERGE's own WHENs stand, not those of a CASE."""
    cases = 0
    for index in sql.top_level(start, len(sql)):
        word = sql.word(index)
        cases += (word == "CASE") - (word == "END")
        if word == "WHEN" and cases == 0:
            yield index


def _matched(sql: Sql, start: int, stop: int) -> None:
    if not sql.phrase(start, "WHEN", "MATCHED"):
        raise RedshiftError("MERGE's first clause must be WHEN MATCHED THEN ..")
    _refuse_condition(sql, start + 2)
    index = sql.expect(start + 2, "THEN")
    if sql.word(index) == "DELETE" and index + 1 == stop:
        return
    if not sql.phrase(index, "UPDATE", "SET"):
        raise UnsupportedSql(
            f"MERGE .. WHEN MATCHED THEN {sql.raw(index).upper()} isn't supported by Redshift"
        )
    scan(sql, index + 2, stop)


def _not_matched(sql: Sql, start: int, stop: int) -> None:
    if not sql.phrase(start, "WHEN", "NOT", "MATCHED"):
        raise RedshiftError("MERGE's second clause must be WHEN NOT MATCHED THEN INSERT ..")
    _refuse_condition(sql, start + 3)
    index = sql.expect(start + 3, "THEN")
    if sql.word(index) != "INSERT":
        raise UnsupportedSql(
            f"MERGE .. WHEN NOT MATCHED THEN {sql.raw(index).upper()} isn't supported by Redshift"
        )
    index += 1
    if sql.raw(index) == "(":
        index = _column_list(sql, index)
    index = sql.expect(index, "VALUES")
    if sql.raw(index) != "(":
        raise sql.syntax_error(index)
    scan(sql, index, stop)


def _refuse_condition(sql: Sql, index: int) -> None:
    if sql.word(index) in ("AND", "BY"):
        raise UnsupportedSql(f"MERGE .. MATCHED {sql.word(index)} .. isn't supported by Redshift")


def _column_list(sql: Sql, opening: int) -> int:
    """Folds the names of (a, b, ..); returns the index after it."""
    close = sql.match(opening)
    for first, last in sql.split(opening + 1, close):
        if last != first + 1 or not sql.is_name(first):
            raise sql.syntax_error(first)
        fold_name(sql, first)
    return close + 1
