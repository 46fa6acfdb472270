"""Loading as a pipeline does it: lock, stage, COPY from a manifest, assert, dedupe, MERGE, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from contract.redshift_fixtures import (
    ADMIN,
    BUCKET,
    FORBIDDEN_ROLE,
    ROLE,
    WORKGROUP,
    Warehouse,
    own_warehouse,
)
from localaws.endpoint import Endpoint
from localaws.redshift import Postgres


@pytest.fixture
def warehouse(postgres: Postgres, s3_endpoint: Endpoint) -> Iterator[Warehouse]:
    with own_warehouse(postgres, s3_endpoint) as opened:
        yield opened


def copy(table: str, source: str, options: str = "manifest", role: str = ROLE) -> str:
    return f"copy {table} from '{source}' iam_role '{role}' format as parquet {options}"


TARGET = """create table target (key varchar(64) not null encode zstd, revision integer, updated_at timestamp,
    message varchar(65535), n bigint, primary key (key)) distkey (key) compound sortkey (updated_at)"""
LOADS = """create table etl_loads (batch_id varchar(64) not null, rows_copied bigint, rows_merged bigint,
    loaded_at timestamp default sysdate) diststyle all"""


def load(batch: str, manifest: str, rows: int) -> list[str]:
    columns = ("revision", "updated_at", "message", "n")
    return [
        "lock etl_loads",
        "create temp table stage (key varchar(64) not null, revision integer, updated_at timestamp,"
        " message varchar(65535), n bigint)",
        copy("stage", manifest),
        f"select cast(case when count(*) = {rows} then '1' else 'stage does not hold {rows} rows' end as integer)"
        " from stage",
        f"delete from stage where exists (select 1 from etl_loads where batch_id = '{batch}')",
        "create temp table newest as select key, revision, updated_at, message, n from (select stage.*, row_number()"
        " over (partition by key order by revision desc, coalesce(updated_at, '0001-01-01'::timestamp) desc)"
        " as position"
        " from stage) ranked where position = 1",
        "delete from newest using target where newest.key = target.key and (target.revision > newest.revision"
        " or (target.revision = newest.revision and target.updated_at >= newest.updated_at))",
        "merge into target using newest on target.key = newest.key when matched then update set "
        + ", ".join(f"{c} = newest.{c}" for c in columns)
        + f" when not matched then insert (key, {', '.join(columns)}) values (newest.key, "
        + ", ".join(f"newest.{c}" for c in columns)
        + ")",
        "insert into etl_loads (batch_id, rows_copied, rows_merged, loaded_at)"
        f" select '{batch}', {rows}, (select count(*) from newest), getdate()"
        f" where not exists (select 1 from etl_loads where batch_id = '{batch}')",
        f"select rows_merged from etl_loads where batch_id = '{batch}'",
    ]


def tickets(*rows: tuple[str, int, str]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array([key for key, _, _ in rows]),
            "revision": pa.array([revision for _, revision, _ in rows], pa.int32()),
            "updated_at": pa.array([dt.datetime(2026, 1, r) for _, r, _ in rows], pa.timestamp("us")),
            "message": pa.array([message for _, _, message in rows]),
            "n": pa.array([None for _ in rows], pa.int64()),
        }
    )


@pytest.fixture
def loaded(warehouse: Warehouse) -> Warehouse:
    warehouse.ok(TARGET)
    warehouse.ok(LOADS)
    return warehouse


def contents(warehouse: Warehouse) -> list[list[Any]]:
    return warehouse.rows("select key, revision, message from target order by key")


def test_a_load_merges_the_newest_row_of_each_key_once(loaded: Warehouse) -> None:
    first = loaded.put_parquet("a.parquet", tickets(("a", 1, "old"), ("a", 3, "ä newest"), ("b", 2, "b2")))
    second = loaded.put_parquet("b.parquet", tickets(("a", 2, "middle"), ("c", 1, "c1")))
    described = loaded.ok(*load("x", loaded.put_manifest("m/x.json", [first, second]), 5))
    assert contents(loaded) == [["a", 3, "ä newest"], ["b", 2, "b2"], ["c", 1, "c1"]]
    assert [part["ResultRows"] for part in described["SubStatements"]] == [-1, -1, 5, 1, 0, -1, 0, 3, 1, 1]
    last = loaded.api("GetStatementResult", {"Id": f"{described['Id']}:10"}, ADMIN)
    assert last["Records"] == [[{"longValue": 3}]]
    assert loaded.assumed == [ROLE]


def test_a_load_that_is_repeated_changes_nothing(loaded: Warehouse) -> None:
    entry = loaded.put_parquet("a.parquet", tickets(("a", 1, "one"), ("b", 1, "two")))
    manifest = loaded.put_manifest("m/x.json", [entry])
    loaded.ok(*load("x", manifest, 2))
    before = contents(loaded), loaded.rows("select * from etl_loads")
    loaded.ok(*load("x", manifest, 2))
    assert (contents(loaded), loaded.rows("select * from etl_loads")) == before


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_an_older_row_never_overwrites_a_newer_one(loaded: Warehouse, order: tuple[str, str]) -> None:
    revisions = {"old": 1, "new": 2}
    for name in order:
        entry = loaded.put_parquet(f"{name}.parquet", tickets(("a", revisions[name], name)))
        loaded.ok(*load(name, loaded.put_manifest(f"m/{name}.json", [entry]), 1))
    assert contents(loaded) == [["a", 2, "new"]]


def test_a_failed_assertion_undoes_the_whole_load_and_shows_the_reason(loaded: Warehouse) -> None:
    entry = loaded.put_parquet("a.parquet", tickets(("a", 1, "one")))
    described = loaded.run(*load("x", loaded.put_manifest("m/x.json", [entry]), 2))
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith(
        "Query #4 failed with ERROR: Invalid digit, Value 's', Pos 0, Type: Integer"
    )
    assert "context:   stage does not hold 2 rows" in described["Error"]
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED"] * 3 + ["FAILED"] + [
        "ABORTED"
    ] * 6
    assert contents(loaded) == [] and loaded.rows("select count(*) from etl_loads") == [[0]]


def test_loads_of_the_same_batch_at_the_same_time_count_once(loaded: Warehouse) -> None:
    entry = loaded.put_parquet("a.parquet", tickets(("a", 1, "one")))
    manifest = loaded.put_manifest("m/x.json", [entry])
    started = [loaded.start(*load("x", manifest, 1)) for _ in range(6)]
    assert {loaded.wait(identifier)["Status"] for identifier in started} == {"FINISHED"}
    assert loaded.rows("select count(*) from etl_loads") == [[1]]
    assert contents(loaded) == [["a", 1, "one"]]


def test_two_source_rows_for_one_target_row_fail_in_redshifts_words(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (k int, v int)")
    warehouse.ok("insert into t values (1, 0)")
    merge = (
        "merge into t using s on t.k = s.k when matched then update set v = s.v"
        " when not matched then insert values (s.k, s.v)"
    )
    twice = ["create temp table s as select 1 as k, 1 as v union all select 1, 2", merge]
    assert "Found multiple matches to update the same tuple" in warehouse.error(*twice)
    unmatched = ["create temp table s as select 9 as k, 1 as v union all select 9, 2", merge]
    warehouse.ok(*unmatched)
    assert warehouse.rows("select count(*) from t where k = 9") == [[2]]


def test_merge_takes_tables_only(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (k int)")
    warehouse.ok("create view v as select 1 as k")
    merge = (
        "merge into t using v on t.k = v.k when matched then delete when not matched then insert values (v.k)"
    )
    assert '"v" is not a table' in warehouse.error(merge)


@pytest.fixture
def numbers(warehouse: Warehouse) -> Warehouse:
    warehouse.ok("create table t (a int not null, b varchar(5), c decimal(9,2), d timestamp)")
    return warehouse


def table(*values: int, b: str | None = "x") -> pa.Table:
    return pa.table(
        {
            "q": pa.array(values, pa.int32()),
            "r": pa.array([b for _ in values], pa.string()),
            "s": pa.array([Decimal("-1.50") for _ in values], pa.decimal128(9, 2)),
            "z": pa.array([dt.datetime(2026, 1, 31, 1, 2, 3, 450000) for _ in values], pa.timestamp("us")),
        }
    )


def test_columns_go_by_position_and_a_url_listed_twice_loads_twice(numbers: Warehouse) -> None:
    entry = numbers.put_parquet("n.parquet", table(1))
    described = numbers.ok(copy("t", numbers.put_manifest("m.json", [entry, entry])))
    assert described["ResultRows"] == 2
    assert numbers.rows("select * from t") == [[1, "x", "-1.50", "2026-01-31 01:02:03.45"]] * 2


def test_a_copy_may_follow_a_query_and_a_query_tells_nullability_behind_it(numbers: Warehouse) -> None:
    manifest = numbers.put_manifest("m.json", [numbers.put_parquet("n.parquet", table(1))])
    described = numbers.ok("select count(*) from t", copy("t", manifest), "select a, b from t")
    last = numbers.api("GetStatementResult", {"Id": f"{described['Id']}:3"}, ADMIN)
    assert last["Records"] == [[{"longValue": 1}, {"stringValue": "x"}]]
    assert [column["nullable"] for column in last["ColumnMetadata"]] == [0, 1]


def test_a_prefix_loads_every_file_below_it(numbers: Warehouse) -> None:
    for number in range(3):
        numbers.put_parquet(f"many/{number}.parquet", table(number))
    numbers.put_parquet("manyother.parquet", table(9))
    numbers.ok(copy("t", f"s3://{BUCKET}/many/", ""))
    assert numbers.rows("select a from t order by a") == [[0], [1], [2]]


def test_many_batches_of_rows_arrive_whole(numbers: Warehouse) -> None:
    count = 150_000
    entry = numbers.put_parquet("big.parquet", table(*range(count)), row_group_size=40_000)
    assert numbers.ok(copy("t", numbers.put_manifest("m.json", [entry])))["ResultRows"] == count
    assert numbers.rows("select count(*), sum(a), count(distinct a) from t") == [
        [count, sum(range(count)), count]
    ]


def test_a_file_without_rows_is_no_error(numbers: Warehouse) -> None:
    entry = numbers.put_parquet("none.parquet", table())
    assert numbers.ok(copy("t", numbers.put_manifest("m.json", [entry])))["ResultRows"] == 0


def test_spark_timestamps_as_int96_load(numbers: Warehouse) -> None:
    entry = numbers.put_parquet("i.parquet", table(1), use_deprecated_int96_timestamps=True)
    numbers.ok(copy("t", numbers.put_manifest("m.json", [entry])))
    assert numbers.rows("select d from t") == [["2026-01-31 01:02:03.45"]]


def test_a_column_list_leaves_the_others_to_their_defaults(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int, b int default 7, c varchar(9))")
    entry = warehouse.put_parquet("c.parquet", pa.table({"x": ["v"], "y": pa.array([1], pa.int32())}))
    warehouse.ok(copy("t (c, A)", warehouse.put_manifest("m.json", [entry])))
    assert warehouse.rows("select a, b, c from t") == [[1, 7, "v"]]
    assert 'column "nope" of relation' in warehouse.error(
        copy("t (nope)", warehouse.put_manifest("m.json", [entry]))
    )


def test_identity_columns_are_filled_unless_explicit_ids(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (id bigint identity(10, 5), a int)")
    one = warehouse.put_parquet("one.parquet", pa.table({"a": pa.array([1, 2], pa.int32())}))
    warehouse.ok(copy("t", warehouse.put_manifest("m.json", [one])))
    two = warehouse.put_parquet("two.parquet", pa.table({"id": [99], "a": pa.array([3], pa.int32())}))
    manifest = warehouse.put_manifest("m.json", [two])
    warehouse.ok(copy("t", manifest, "manifest explicit_ids"))
    assert warehouse.rows("select id, a from t order by a") == [[10, 1], [15, 2], [99, 3]]
    assert "EXPLICIT_IDS" in warehouse.error(copy("t (id, a)", manifest))
    assert "cannot set an identity column to a value" in warehouse.error(
        "insert into t (id, a) values (1, 1)"
    )


def test_nested_data_becomes_super_with_serializetojson(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int, s super)")
    nested = pa.table({"a": pa.array([1, 2], pa.int32()), "s": [{"k": [1, None], "t": "ü"}, None]})
    manifest = warehouse.put_manifest("m.json", [warehouse.put_parquet("s.parquet", nested)])
    warehouse.ok(copy("t", manifest, "manifest serializetojson"))
    assert warehouse.rows("select s from t order by a") == [['{"k":[1,null],"t":"ü"}'], [None]]


@pytest.mark.parametrize("text", ["\0", "a\0", "\0a", "a\0b"])
def test_a_nul_in_a_value_is_refused(numbers: Warehouse, text: str) -> None:
    manifest = numbers.put_manifest("m.json", [numbers.put_parquet("nul.parquet", table(1, b=text))])
    error = numbers.error(copy("t", manifest))
    assert error.startswith("ERROR: Invalid null byte - field longer than 1 byte")
    assert f"Column: b, File name: s3://{BUCKET}/nul.parquet" in error


def test_a_failing_file_undoes_the_files_before_it(numbers: Warehouse) -> None:
    good = numbers.put_parquet("good.parquet", table(1))
    wide = numbers.put_parquet("wide.parquet", table(2, b="ääää"))
    error = numbers.error(copy("t", numbers.put_manifest("m.json", [good, wide])))
    assert (
        "The length of the data column b is longer than the length defined in the table. Table: 5, Data: 8"
        in error
    )
    assert f"File name: s3://{BUCKET}/wide.parquet" in error
    assert numbers.rows("select count(*) from t") == [[0]]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"url": "s3://lake/n.parquet"}], "File entry does not have 'meta' key."),
        ([{"url": "s3://lake/n.parquet", "meta": {}}], "does not have 'content_length' key"),
        ([{"url": "s3://lake/n.parquet", "meta": {"content_length": 3}}], "content_length 3 in the manifest"),
        ([{"url": "s3://lake/no", "mandatory": True, "meta": {"content_length": 3}}], "NoSuchKey"),
        ([{"url": "s3://lake/no", "meta": {"content_length": 3}}], "No files were found"),
        ([{"url": "http://lake/no", "meta": {"content_length": 3}}], "must be s3://bucket/key"),
        ([], "No files were found"),
        ([{"meta": {"content_length": 3}}], "isn't a manifest"),
    ],
)
def test_a_manifest_is_taken_at_its_word(
    numbers: Warehouse, entries: list[dict[str, Any]], message: str
) -> None:
    numbers.put_parquet("n.parquet", table(1))
    assert message in numbers.error(copy("t", numbers.put_manifest("m.json", entries)))


def test_a_missing_file_that_isnt_mandatory_is_skipped(numbers: Warehouse) -> None:
    entries = [
        {"url": f"s3://{BUCKET}/no", "meta": {"content_length": 1}},
        numbers.put_parquet("n.parquet", table(1)),
    ]
    assert numbers.ok(copy("t", numbers.put_manifest("m.json", entries)))["ResultRows"] == 1


def test_what_isnt_there_is_named(numbers: Warehouse) -> None:
    assert "Problem reading manifest file" in numbers.error(copy("t", f"s3://{BUCKET}/nowhere.json"))
    assert "S3 prefix 'nowhere/' does not exist" in numbers.error(copy("t", f"s3://{BUCKET}/nowhere/", ""))
    assert 'relation "absent" does not exist' in numbers.error(copy("absent", f"s3://{BUCKET}/n", ""))
    assert "NoSuchBucket" in numbers.error(copy("t", "s3://no-such-bucket/n", ""))


def test_the_roles_trust_decides_over_the_copy(numbers: Warehouse) -> None:
    manifest = numbers.put_manifest("m.json", [numbers.put_parquet("n.parquet", table(1))])
    error = numbers.error(copy("t", manifest, role=FORBIDDEN_ROLE))
    assert f"User is not authorized to assume IAM Role {FORBIDDEN_ROLE}" in error


def test_varchar_counts_bytes_in_every_statement(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a varchar(4))")
    warehouse.ok("create table u (like t)")
    warehouse.ok("create table v as select a from t")
    warehouse.ok("alter table v add column b varchar(2)")
    for statement in (
        "insert into t values ('äää')",
        "insert into u values ('äää')",
        "insert into v (a) values ('äää')",
        "insert into v (b) values ('äb')",
        "insert into t values ('abcde')",
    ):
        assert "Value too long for character type" in warehouse.error(statement)
    warehouse.ok("insert into t values ('ää')")
    assert "Value too long" in warehouse.error("update t set a = a || 'x'")
    assert warehouse.rows("select 'äää'::varchar(5), cast(a || a as varchar(3)) from t") == [["ää", "ä"]]


# -- what PostgreSQL needs to know of large tables ---------------------------------------------------------


def looked_up(warehouse: Warehouse, sql: str) -> list[Any]:
    with psycopg.connect(warehouse.api.database_uri(WORKGROUP)) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_a_table_is_analyzed_when_it_is_made_of_a_query_and_when_rows_are_copied_into_it(
    warehouse: Warehouse,
) -> None:
    warehouse.put_parquet("rows/1.parquet", pa.table({"n": pa.array(range(500), pa.int64())}))
    warehouse.ok(
        "create table copied (n bigint)",
        copy("copied", f"s3://{BUCKET}/rows/", ""),
        "create table queried as select n from copied where n < 100",
    )
    known = "select relname, reltuples::int from pg_class where relname in ('copied', 'queried') order by 1"
    assert looked_up(warehouse, known) == [("copied", 500), ("queried", 100)]


def test_a_table_has_one_index_by_its_distkey_and_a_temporary_one_none(warehouse: Warehouse) -> None:
    target = TARGET.replace("create table", "create table if not exists")
    temporary = "create temp table staged (n bigint) distkey (n)"
    index = "select tablename, indexdef from pg_indexes where tablename in ('target', 'staged')"
    for _ in range(2):
        warehouse.ok(target, temporary)
        [(table, definition)] = looked_up(warehouse, index)
        assert table == "target" and definition.endswith("USING hash (key)")
