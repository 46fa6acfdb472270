"""The load as a list of statements, built without a connection."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.contracts import CONTRACTS, PROVENANCE, Column, Contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.core.sql.load import (
    FILES,
    LOADS,
    LoadRequest,
    confirm_sql,
    drift_sql,
    load_sql,
    reference_columns,
)
from gluebook.core.sql.quality import quality_ddl
from gluebook.core.sql.schema import WarehouseUsers, schema_fingerprint, schema_sql
from gluebook.errors import ConfigurationError
from localaws.redshift.sql.rewrite import rewrite

EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
REQUEST = LoadRequest(
    "batch-1", "s3://lake/manifests/x/batch-1.json", "arn:aws:iam::123456789012:role/copy", 42
)
# With row references for append datasets; the statements of the first and a later generation differ.
REQUESTS = {
    contract.name: [
        replace(
            REQUEST,
            generation=generation,
            row_references_uri="s3://lake/vouchers/x.json" if contract.append else "",
            row_references=7 if contract.append else 0,
        )
        for generation in (1, 2)
    ]
    for contract in CONTRACTS.values()
}
EACH_REQUEST = pytest.mark.parametrize(
    ("contract", "request_"),
    [(CONTRACTS[name], request) for name, requests in REQUESTS.items() for request in requests],
    ids=lambda one: one.name if isinstance(one, Contract) else f"generation-{one.generation}",
)
# AWS: the Data API takes 40 statements in a batch, of 100 KB each.
MOST_STATEMENTS, MOST_BYTES = 40, 100 * 1024
# Redshift compares no row values, such as (a, b) > (c, d).
ROW_VALUES = re.compile(r"\([^()]*,[^()]*\)\s*(?:[<>=]|in\b)|[<>=]\s*\([^()]*,[^()]*\)", re.I)


def the(sqls: list[str], beginning: str) -> str:
    [found] = [sql for sql in sqls if sql.startswith(beginning)]
    return found


@EACH_REQUEST
def test_the_first_statement_waits_for_its_turn_and_the_last_tells_the_counts(
    contract: Contract, request_: LoadRequest
) -> None:
    sqls = load_sql(contract, request_)
    assert sqls[0] == f"lock table {LOADS}"
    assert sqls[-1].startswith(
        f"select rows_merged, rows_superseded, rows_retracted from {LOADS} where batch_id = 'batch-1' order by"
    )
    assert sqls[-1].endswith(" limit 1")


@pytest.mark.parametrize("request_", REQUESTS["support_tickets"])
def test_the_statements_of_an_upsert_come_in_the_order_that_makes_a_load_repeatable(
    request_: LoadRequest,
) -> None:
    beginnings = [
        f"lock table {LOADS}",
        "create temp table support_tickets_stage",
        "copy support_tickets_stage",
        "select cast(case when count(*) <> 42",
        "delete from support_tickets_stage where exists",
        "create temp table support_tickets_newest as",
        "create temp table support_tickets_known as",
        "delete from support_tickets_newest using support_tickets_known",
        "merge into support_tickets",
        f"insert into {LOADS}",
        "select rows_merged",
    ]
    sqls = load_sql(SUPPORT_TICKETS, request_)
    assert [sql[: len(start)] for sql, start in zip(sqls, beginnings, strict=True)] == beginnings


@pytest.mark.parametrize("request_", REQUESTS["app_logs"])
def test_an_append_load_checks_before_it_changes_and_notes_when_all_is_changed(request_: LoadRequest) -> None:
    sqls = load_sql(APP_LOGS, request_)
    # Temporary tables begin with the dataset's name too.
    kept = re.compile(
        rf"(?:insert into|delete from|update) (?:{LOADS}|{FILES}|app_logs|app_logs_echoes)\b", re.I
    )
    changes = [number for number, sql in enumerate(sqls) if kept.match(sql)]
    checks = [number for number, sql in enumerate(sqls) if sql.startswith("select cast(")]
    emptied = [
        number
        for number, sql in enumerate(sqls)
        if re.match(r"delete from app_logs_(stage|row_references) where exists", sql)
    ]
    assert len(checks) == 5 and len(emptied) == 2
    assert max(checks) < min(emptied) and max(emptied) < min(changes)
    assert sqls[changes[-1]].startswith(f"insert into {LOADS}") and changes[-1] == len(sqls) - 2


@EACH_REQUEST
def test_a_temporary_table_is_named_after_its_dataset_and_made_once(
    contract: Contract, request_: LoadRequest
) -> None:
    sqls = load_sql(contract, request_)
    made = [match[1] for sql in sqls if (match := re.match(r"create temp table (\w+)", sql))]
    assert len(set(made)) == len(made)
    assert all(name.startswith(f"{contract.name}_") for name in made)
    permanent = {match[1] for sql in schema_sql((contract,)) if (match := re.search(r"exists (\w+)", sql))}
    assert not permanent & set(made)


@EACH_REQUEST
def test_without_rows_nothing_is_copied_as_there_may_be_no_manifest(
    contract: Contract, request_: LoadRequest
) -> None:
    some, none = load_sql(contract, request_), load_sql(contract, replace(request_, rows=0, row_references=0))
    assert sum(sql.startswith("copy") for sql in some) == 1 + contract.append
    assert not any(sql.startswith("copy") for sql in none)
    assert [sql.split()[:3] for sql in none] == [
        sql.split()[:3] for sql in some if not sql.startswith("copy")
    ]


def test_row_references_of_an_upsert_dataset_are_refused() -> None:
    with pytest.raises(
        ConfigurationError,
        match="batch batch-1 has 7 row references, but support_tickets is not an append dataset",
    ):
        load_sql(SUPPORT_TICKETS, replace(REQUEST, row_references=7))


WIDEST = replace(
    APP_LOGS,
    # Far wider than any contract there is.
    columns=(
        *APP_LOGS.columns[: -len(PROVENANCE)],
        *(Column(f"a_column_with_quite_a_long_name_number_{n}", "text", "", length=255) for n in range(200)),
        *PROVENANCE,
    ),
)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("contract", [*CONTRACTS.values(), WIDEST, replace(WIDEST, append=False)])
def test_a_load_keeps_the_limits_of_the_data_api(contract: Contract, generation: int) -> None:
    long = replace(REQUEST, manifest_uri="s3://lake/" + "x" * 1024, generation=generation)
    sqls = load_sql(
        contract, replace(long, row_references=int(contract.append), row_references_uri=long.manifest_uri)
    )
    assert len(sqls) <= MOST_STATEMENTS
    assert max(len(sql.encode()) for sql in sqls) < MOST_BYTES
    assert not any(";" in sql for sql in sqls)


@EACH_REQUEST
def test_nothing_in_a_load_commits_before_its_end(contract: Contract, request_: LoadRequest) -> None:
    for sql in load_sql(contract, request_):
        assert not re.match(r"truncate|vacuum|alter|commit|begin|end\b|create table", sql, re.I)


@EACH_REQUEST
def test_no_row_values_are_compared(contract: Contract, request_: LoadRequest) -> None:
    assert ROW_VALUES.search("where (a, b) >= (c, d)") and ROW_VALUES.search("where (a, b) in (select 1)")
    for sql in load_sql(contract, request_):
        assert not ROW_VALUES.search(re.sub(r"'[^']*'", "''", sql)), sql


@EACH_REQUEST
def test_every_statement_is_one_that_redshift_takes(contract: Contract, request_: LoadRequest) -> None:
    for sql in load_sql(contract, request_):
        assert rewrite(sql, in_batch=True).verb == sql.split()[0].upper()


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
    # Redshift reads backslash escapes in every string.
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    sqls = load_sql(APP_LOGS, LoadRequest(value, value, value, 1, 2, value, 1))
    for table in ("app_logs_stage", "app_logs_row_references"):
        assert the(sqls, f"copy {table}") == (
            f"copy {table} from {quoted} iam_role {quoted} format as parquet manifest"
        )
    assert f"where batch_id = {quoted} " in the(sqls, "select rows_merged")
    assert f"select {quoted}, 2, 'app_logs', 1," in the(sqls, f"insert into {LOADS}")
    assert confirm_sql([value]).count(quoted) == 1


def test_a_wrong_count_fails_the_transaction_by_a_cast_that_tells_the_right_one() -> None:
    check = the(load_sql(SUPPORT_TICKETS, REQUEST), "select cast(case when count(*) <> 42")
    database = sqlite3.connect(":memory:")
    database.execute("create table support_tickets_stage (_batch_id)")
    insert = "insert into support_tickets_stage values (?)"
    database.executemany(insert, [("batch-1",)] * 41)
    # SQLite's cast never fails, so what would be cast is looked at.
    inner = check.removeprefix("select cast(").replace(" as integer)", "", 1)
    ask = f"select {inner}"
    assert database.execute(ask).fetchone() == ("support_tickets_stage does not hold 42 rows",)
    database.execute(insert, ("batch-1",))
    assert database.execute(ask).fetchone() == ("1",)
    database.execute("update support_tickets_stage set _batch_id = 'batch-2' where rowid = 7")
    assert database.execute(ask).fetchone() == ("rows belong to another batch",)
    database.execute(insert, ("batch-1",))
    assert database.execute(ask).fetchone() == ("support_tickets_stage does not hold 42 rows",)


@EACH_REQUEST
def test_no_statement_counts_the_whole_table(contract: Contract, request_: LoadRequest) -> None:
    counted = [sql for sql in load_sql(contract, request_) if "count(" in sql]
    assert counted and not any(re.search(rf"from {contract.name}\b", sql) for sql in counted)


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
    known = the(load_sql(NULLABLE, REQUEST), "create temp table support_tickets_known")
    condition = in_sqlite(known.partition(", case when ")[2].partition(" then 1 else 0 end as stays")[0])
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


def test_merge_writes_every_column_and_never_the_key() -> None:
    contract = SUPPORT_TICKETS
    merge = the(load_sql(contract, REQUEST), "merge into")
    newest = f"{contract.name}_newest"
    updates, inserts = merge.split(" when not matched then insert ")
    updated = updates.partition(" update set ")[2].split(", ")
    rest = [name for name in contract.names if name not in contract.key]
    assert updated == [f"{name} = {newest}.{name}" for name in rest]
    assert inserts == (
        f"({', '.join(contract.names)}) values ({', '.join(f'{newest}.{name}' for name in contract.names)})"
    )


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_processed_again_a_row_is_compared_in_every_column_but_key_and_provenance(contract: Contract) -> None:
    request = REQUESTS[contract.name][1]
    compared = the(load_sql(contract, request), f"create temp table {contract.name}_known")
    equal = compared.partition("_batch_id <> 'batch-1' or (")[2].partition(" then 1 else 0 end")[0]
    inner = {*contract.names} - {*contract.key} - {column.name for column in PROVENANCE}
    newest = f"{contract.name}_{'stage' if contract.append else 'newest'}"
    assert set(re.findall(rf"{newest}\.(\w+) = {contract.name}\.\w+", equal)) == inner
    nullable = {name for name in inner if contract.column(name).nullable}
    assert set(re.findall(rf"{newest}\.(\w+) is null", equal)) == nullable


def test_row_references_have_the_key_and_the_provenance_of_a_row_and_the_order_of_a_file_version() -> None:
    columns = reference_columns(APP_LOGS)
    assert [(c.name, c.type, c.length, c.nullable) for c in columns] == [
        ("source", "text", 32, True),
        ("log_id", "text", 64, True),
        ("_source_file", "text", 1024, False),
        ("_source_version", "text", 1024, False),
        ("_source_record", "bigint", 0, True),
        ("version_order", "text", 64, True),
    ]
    made = the(load_sql(APP_LOGS, REQUESTS["app_logs"][0]), "create temp table app_logs_row_references")
    assert [one.split()[0] for one in made.partition("(")[2].split(", ")] == [c.name for c in columns]


# -- questions ---------------------------------------------------------------------------------------------


def test_questions_are_single_statements_that_redshift_takes() -> None:
    questions = [confirm_sql([]), confirm_sql(["a", "b"]), *(drift_sql(one) for one in CONTRACTS.values())]
    for sql in questions:
        assert rewrite(sql, in_batch=False).returns_rows
        assert not ROW_VALUES.search(re.sub(r"'[^']*'", "''", sql.replace("batch_id in (", ""))), sql
    assert "batch_id in ('a', 'b')" in questions[1]


# -- the schema --------------------------------------------------------------------------------------------


@EACH_CONTRACT
def test_a_table_has_the_contracts_columns_in_order(contract: Contract) -> None:
    ddl = the(schema_sql((contract,)), f"create table if not exists {contract.name} ")
    lines = [line.strip().rstrip(",") for line in ddl.splitlines()[1:-1]]
    assert lines == [
        f"{c.name} {c.redshift_type}{'' if c.nullable else ' not null'}" for c in contract.columns
    ]
    assert "primary key" not in ddl


def test_only_append_datasets_have_a_table_of_extra_references() -> None:
    assert not any("support_tickets_echoes" in sql for sql in schema_sql((SUPPORT_TICKETS,)))
    ddl = the(schema_sql((APP_LOGS,)), "create table if not exists app_logs_echoes ")
    assert [line.split()[0] for line in ddl.splitlines()[1:-1]] == [
        "source",
        "log_id",
        *(column.name for column in PROVENANCE),
    ]


USERS = WarehouseUsers(loaders=("IAMR:load",), readers=("IAMR:sweep", 'IAM:q"t'))


def test_the_schema_is_harmless_to_repeat_and_within_the_limits() -> None:
    known = frozenset({"gluebook_loader", "gluebook_reader", "IAMR:load", "iamr:sweep", 'IAM:q"t'})
    sqls = schema_sql(tuple(CONTRACTS.values()), USERS, known)
    named = ([each.name, *([f"{each.name}_echoes"] if each.append else [])] for each in CONTRACTS.values())
    tables = [LOADS, FILES, *quality_ddl(), *chain.from_iterable(named)]
    assert [sql.split()[:6] for sql in sqls[: len(tables)]] == [
        ["create", "table", "if", "not", "exists", table] for table in tables
    ]
    those = ", ".join(tables)
    assert sqls[len(tables) :] == [
        f"revoke select on {those} from public",
        f"grant select on {those} to role gluebook_reader",
        f"grant select, insert, update, delete on {those} to role gluebook_loader",
        'grant role gluebook_loader to "IAMR:load"',
        'grant role gluebook_reader to "IAMR:sweep"',
        'grant role gluebook_reader to "IAM:q""t"',
    ]
    assert len(sqls) <= MOST_STATEMENTS
    assert max(len(sql.encode()) for sql in sqls) < MOST_BYTES


def test_roles_and_users_that_are_not_there_are_made_first() -> None:
    sqls = schema_sql((APP_LOGS,), USERS)
    assert sqls[:5] == [
        "create role gluebook_loader",
        "create role gluebook_reader",
        'create user "IAMR:load" password disable',
        'create user "IAMR:sweep" password disable',
        'create user "IAM:q""t" password disable',
    ]


@pytest.mark.parametrize("users", [WarehouseUsers(), replace(USERS, loaders=("IAMR:load-2",))])
def test_the_fingerprint_changes_with_who_may_do_what(users: WarehouseUsers) -> None:
    assert schema_fingerprint((APP_LOGS,), users) != schema_fingerprint((APP_LOGS,), USERS)


@pytest.mark.parametrize(
    "changed",
    [
        replace(APP_LOGS, columns=(*APP_LOGS.columns, Column("host", "text", "", length=64))),
        replace(APP_LOGS, columns=APP_LOGS.columns[:-1]),
        replace(APP_LOGS, columns=(APP_LOGS.columns[1], APP_LOGS.columns[0], *APP_LOGS.columns[2:])),
        replace(APP_LOGS, columns=(replace(APP_LOGS.columns[0], length=33), *APP_LOGS.columns[1:])),
        replace(APP_LOGS, columns=(replace(APP_LOGS.columns[0], nullable=True), *APP_LOGS.columns[1:])),
        replace(APP_LOGS, append=False),
    ],
)
def test_the_fingerprint_changes_with_any_column(changed: Contract) -> None:
    assert schema_fingerprint((changed,)) != schema_fingerprint((APP_LOGS,))


def test_the_fingerprint_does_not_change_with_what_the_warehouse_does_not_see() -> None:
    described = replace(APP_LOGS.columns[0], description="other words")
    same = replace(APP_LOGS, columns=(described, *APP_LOGS.columns[1:]))
    assert schema_fingerprint((same,)) == schema_fingerprint((APP_LOGS,))
