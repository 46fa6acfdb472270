"""The load as a list of statements, built without a connection."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.core.load_sql import LOADS, LoadRequest, load_sql, schema_fingerprint, schema_sql
from gluebook.datasets import APP_LOGS, CONTRACTS, SUPPORT_TICKETS, Column, Contract

EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
REQUEST = LoadRequest(
    "batch-1", "s3://lake/manifests/x/batch-1.json", "arn:aws:iam::123456789012:role/copy", 42
)
# AWS: the Data API takes 40 statements in a batch, of 100 KB each.
MOST_STATEMENTS, MOST_BYTES = 40, 100 * 1024
# Redshift compares no row values, such as (a, b) > (c, d).
ROW_VALUES = re.compile(r"\([^()]*,[^()]*\)\s*(?:[<>=]|in\b)|[<>=]\s*\([^()]*,[^()]*\)", re.I)


def the(sqls: list[str], beginning: str) -> str:
    [found] = [sql for sql in sqls if sql.startswith(beginning)]
    return found


@EACH_CONTRACT
def test_the_first_statement_waits_for_its_turn_and_the_last_tells_the_counts(contract: Contract) -> None:
    sqls = load_sql(contract, REQUEST)
    assert sqls[0] == f"lock table {LOADS}"
    assert sqls[-1] == f"select rows_merged, rows_superseded from {LOADS} where batch_id = 'batch-1'"


@EACH_CONTRACT
def test_the_statements_come_in_the_order_that_makes_a_load_repeatable(contract: Contract) -> None:
    table = contract.name
    beginnings = [
        f"lock table {LOADS}",
        f"create temp table {table}_stage",
        f"copy {table}_stage",
        "select cast(case when count(*)",
        f"delete from {table}_stage where exists",
        f"create temp table {table}_newest as",
        f"delete from {table}_newest using {table}",
        f"merge into {table}",
        f"insert into {LOADS}",
        "select rows_merged",
    ]
    sqls = load_sql(contract, REQUEST)
    assert [sql[: len(start)] for sql, start in zip(sqls, beginnings, strict=True)] == beginnings


@EACH_CONTRACT
def test_a_load_keeps_the_limits_of_the_data_api(contract: Contract) -> None:
    sqls = load_sql(contract, replace(REQUEST, manifest_uri="s3://lake/" + "x" * 1024))
    assert len(sqls) <= MOST_STATEMENTS
    assert max(len(sql.encode()) for sql in sqls) < MOST_BYTES
    assert not any(";" in sql for sql in sqls)


@EACH_CONTRACT
def test_nothing_in_a_load_commits_before_its_end(contract: Contract) -> None:
    for sql in load_sql(contract, REQUEST):
        assert not re.match(r"truncate|vacuum|alter|commit|begin|end\b|create table", sql, re.I)


@EACH_CONTRACT
def test_no_row_values_are_compared(contract: Contract) -> None:
    assert ROW_VALUES.search("where (a, b) >= (c, d)") and ROW_VALUES.search("where (a, b) in (select 1)")
    for sql in load_sql(contract, REQUEST):
        assert not ROW_VALUES.search(re.sub(r"'[^']*'", "''", sql)), sql


def test_copy_goes_by_the_manifest() -> None:
    assert the(load_sql(APP_LOGS, REQUEST), "copy") == (
        "copy app_logs_stage from 's3://lake/manifests/x/batch-1.json' "
        "iam_role 'arn:aws:iam::123456789012:role/copy' format as parquet manifest"
    )


@EACH_CONTRACT
def test_the_stage_has_the_contracts_columns_in_order_as_copy_maps_by_position(contract: Contract) -> None:
    stage = the(load_sql(contract, REQUEST), "create temp table " + contract.name + "_stage")
    columns = stage.partition("(")[2].removesuffix(")")
    assert [column.split()[0] for column in columns.split(", ")] == list(contract.names)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_values_are_quoted_whatever_they_hold(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    sqls = load_sql(APP_LOGS, LoadRequest(value, value, value, 1))
    assert the(sqls, "copy") == (
        f"copy app_logs_stage from {quoted} iam_role {quoted} format as parquet manifest"
    )
    assert the(sqls, "select rows_merged").endswith(f"where batch_id = {quoted}")
    noted = the(sqls, f"insert into {LOADS}")
    assert f"select {quoted}, 'app_logs', 1," in noted and noted.endswith(f"where batch_id = {quoted})")


def test_a_wrong_count_fails_the_transaction_by_a_cast_that_tells_the_right_one() -> None:
    check = the(load_sql(APP_LOGS, REQUEST), "select cast")
    database = sqlite3.connect(":memory:")
    database.execute("create table app_logs_stage (n)")
    database.executemany("insert into app_logs_stage values (?)", [(n,) for n in range(41)])
    # SQLite's cast never fails, so what would be cast is looked at.
    inner = check.removeprefix("select cast(").replace(" as integer)", "", 1)
    ask = f"select {inner}"
    assert database.execute(ask).fetchone() == ("the stage does not hold 42 rows",)
    database.execute("insert into app_logs_stage values (41)")
    assert database.execute(ask).fetchone() == ("1",)
    database.execute("insert into app_logs_stage values (42)")
    assert database.execute(ask).fetchone() == ("the stage does not hold 42 rows",)


# -- which row is newer ------------------------------------------------------------------------------------

TIMES = st.sampled_from(["2026-01-05 10:00:00", "2026-01-05 10:00:01", "2026-02-01 00:00:00"])
RANKED = st.tuples(st.integers(0, 2), TIMES | st.none(), st.sampled_from("abc"))
# updated_at may be null here, which it is in none of the contracts so far.
NULLABLE = replace(
    SUPPORT_TICKETS,
    columns=tuple(replace(c, nullable=c.name == "updated_at") for c in SUPPORT_TICKETS.columns),
)
NEVER = "0001-01-01 00:00:00"


def in_sqlite(sql: str) -> str:
    return sql.replace("::timestamp", "")


def keyed(row: tuple[int, str | None, str]) -> tuple[int, str, str]:
    return row[0], row[1] or NEVER, row[2]


@given(mine=RANKED, theirs=RANKED)
def test_a_row_is_dropped_exactly_when_the_table_has_one_that_is_not_older(
    mine: tuple[int, str | None, str], theirs: tuple[int, str | None, str]
) -> None:
    drop = the(load_sql(NULLABLE, REQUEST), "delete from support_tickets_newest")
    condition = in_sqlite(drop.partition(" where ")[2])
    names = ("source", "ticket_id", *NULLABLE.newest_by)
    columns = ", ".join(f"? as {name}" for name in names)
    ask = (
        f"select {condition} from (select {columns}) as support_tickets_newest, "
        f"(select {columns}) as support_tickets"
    )
    values: tuple[Any, ...] = ("servicenow", "INC1", *mine, "servicenow", "INC1", *theirs)
    [found] = sqlite3.connect(":memory:").execute(ask, values).fetchone()
    assert bool(found) == (keyed(mine) <= keyed(theirs))


@given(rows=st.lists(RANKED, min_size=1, max_size=6))
def test_of_the_rows_of_a_key_the_newest_stays_and_a_null_time_counts_as_the_oldest(
    rows: list[tuple[int, str | None, str]],
) -> None:
    newest = the(load_sql(NULLABLE, REQUEST), "create temp table support_tickets_newest as ")
    database = sqlite3.connect(":memory:")
    database.execute(f"create table support_tickets_stage ({', '.join(NULLABLE.names)})")
    insert = (
        f"insert into support_tickets_stage (source, ticket_id, {', '.join(NULLABLE.newest_by)}) "
        "values ('servicenow', 'INC1', ?, ?, ?)"
    )
    database.executemany(insert, rows)
    database.execute(in_sqlite(newest))
    kept = database.execute(f"select {', '.join(NULLABLE.newest_by)} from support_tickets_newest").fetchall()
    assert kept in ([row] for row in rows)
    assert keyed(kept[0]) == max(keyed(row) for row in rows)


@EACH_CONTRACT
def test_merge_writes_every_column_and_never_the_key(contract: Contract) -> None:
    merge = the(load_sql(contract, REQUEST), "merge into")
    newest = f"{contract.name}_newest"
    updates, inserts = merge.split(" when not matched then insert ")
    updated = updates.partition(" update set ")[2].split(", ")
    rest = [name for name in contract.names if name not in contract.key]
    assert updated == [f"{name} = {newest}.{name}" for name in rest]
    assert inserts == (
        f"({', '.join(contract.names)}) values ({', '.join(f'{newest}.{name}' for name in contract.names)})"
    )


# -- the schema --------------------------------------------------------------------------------------------


@EACH_CONTRACT
def test_a_table_has_the_contracts_columns_in_order(contract: Contract) -> None:
    ddl = the(schema_sql((contract,)), f"create table if not exists {contract.name} ")
    lines = [line.strip().rstrip(",") for line in ddl.splitlines()[1:-1]]
    assert lines == [
        f"{c.name} {c.redshift_type}{'' if c.nullable else ' not null'}" for c in contract.columns
    ]
    assert "primary key" not in ddl


def test_the_schema_is_harmless_to_repeat_and_within_the_limits() -> None:
    sqls = schema_sql(tuple(CONTRACTS.values()))
    tables = [LOADS, *CONTRACTS]
    assert [sql.split()[:6] for sql in sqls[: len(tables)]] == [
        ["create", "table", "if", "not", "exists", table] for table in tables
    ]
    assert sqls[len(tables) :] == [f"grant select on {table} to public" for table in tables]
    assert len(sqls) <= MOST_STATEMENTS
    assert max(len(sql.encode()) for sql in sqls) < MOST_BYTES


@pytest.mark.parametrize(
    "changed",
    [
        replace(APP_LOGS, columns=(*APP_LOGS.columns, Column("host", "text", "", length=64))),
        replace(APP_LOGS, columns=APP_LOGS.columns[:-1]),
        replace(APP_LOGS, columns=(APP_LOGS.columns[1], APP_LOGS.columns[0], *APP_LOGS.columns[2:])),
        replace(APP_LOGS, columns=(replace(APP_LOGS.columns[0], length=33), *APP_LOGS.columns[1:])),
        replace(APP_LOGS, columns=(replace(APP_LOGS.columns[0], nullable=True), *APP_LOGS.columns[1:])),
    ],
)
def test_the_fingerprint_changes_with_any_column(changed: Contract) -> None:
    assert schema_fingerprint((changed,)) != schema_fingerprint((APP_LOGS,))


def test_the_fingerprint_does_not_change_with_what_the_warehouse_does_not_see() -> None:
    described = replace(APP_LOGS.columns[0], description="other words")
    same = replace(APP_LOGS, columns=(described, *APP_LOGS.columns[1:]))
    assert schema_fingerprint((same,)) == schema_fingerprint((APP_LOGS,))
