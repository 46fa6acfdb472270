"""The Data API's own rules: states, results, limits, tokens, owners, events, cancelling, lost connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import psycopg
import pytest

from contract.redshift_fixtures import (
    ACCOUNT,
    ADMIN,
    DATABASE,
    LOADER,
    NOWHERE,
    OTHER,
    REGION,
    TIMEOUT_SECONDS,
    WORKGROUP,
    Someone,
    Warehouse,
    open_warehouse,
    own_warehouse,
    plain,
)
from localaws.errors import ApiError
from localaws.redshift import Postgres
from localaws.redshift.models import MAX_ACTIVE, RETENTION_SECONDS, TOKEN_RETENTION_SECONDS
from localaws.redshift.requests import MAX_STATEMENT_BYTES


@pytest.fixture
def warehouse(postgres: Postgres) -> Iterator[Warehouse]:
    with own_warehouse(postgres) as opened:
        yield opened


def call(warehouse: Warehouse, operation: str, caller: Someone = LOADER, **body: Any) -> dict[str, Any]:
    return warehouse.api(operation, body, caller)


def refusal(warehouse: Warehouse, operation: str, caller: Someone = LOADER, **body: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(warehouse, operation, caller, **body)
    return caught.value


def execute(**body: Any) -> dict[str, Any]:
    return {"WorkgroupName": WORKGROUP, "Database": DATABASE, "Sql": "select 1"} | body


def test_a_statement_is_described_with_times_rows_and_duration(warehouse: Warehouse) -> None:
    answer = call(warehouse, "ExecuteStatement", **execute(WithEvent=True))
    assert set(answer) == {"Id", "CreatedAt", "Database", "WorkgroupName"}
    described = warehouse.wait(answer["Id"])
    assert described["Status"] == "FINISHED" and "Error" not in described and "SubStatements" not in described
    assert described["QueryString"] == "select 1" and described["HasResultSet"] is True
    assert described["ResultRows"] == 1 and described["Duration"] >= 0 and described["RedshiftPid"] > 0
    assert described["CreatedAt"] == warehouse.clock.now and described["RedshiftQueryId"] > 0


def test_small_results_that_are_kept_hold_no_file_open(warehouse: Warehouse) -> None:
    warehouse.ok("select 1")
    files = psutil.Process().num_fds()
    kept = [warehouse.ok("select 7 as n")["Id"] for _ in range(20)]
    assert psutil.Process().num_fds() < files + len(kept)
    assert all(plain(call(warehouse, "GetStatementResult", Id=each)) == [[7]] for each in kept)


def test_values_come_in_the_fields_and_under_the_types_of_redshift(warehouse: Warehouse) -> None:
    warehouse.ok(
        "create table t (i2 smallint, i4 int not null, i8 bigint, f4 real, f8 float, n decimal(9,2), b bool,"
        " v varchar(9) not null, c char(3), d date, ts timestamp, tz timestamptz, s super)"
    )
    warehouse.ok(
        "insert into t values (1, 2, 3, 1.5, 2.5, 1.2, true, 'ü', 'x', '2026-01-31', '2026-01-31 01:02:03.45',"
        " '2026-01-31 01:02:03+00', json_parse('{\"a\": [1, null]}'))"
    )
    warehouse.ok("insert into t (i4, v) values (5, '')")
    described = warehouse.ok(
        "select t.*, getdate() is not null as now, count(*) over () as total from t order by i4"
    )
    page = call(warehouse, "GetStatementResult", Id=described["Id"])
    first, second = page["Records"]
    assert first[:7] == [
        {"longValue": 1},
        {"longValue": 2},
        {"longValue": 3},
        {"doubleValue": 1.5},
        {"doubleValue": 2.5},
        {"stringValue": "1.20"},
        {"booleanValue": True},
    ]
    assert plain(page)[0][7:] == [
        "ü",
        "x  ",
        "2026-01-31",
        "2026-01-31 01:02:03.45",
        "2026-01-31 01:02:03+00",
        '{"a":[1,null]}',
        True,
        2,
    ]
    assert second[0] == {"isNull": True} and second[7] == {"stringValue": ""}
    metadata = page["ColumnMetadata"]
    types = [column["typeName"] for column in metadata]
    assert types[:7] == ["int2", "int4", "int8", "float4", "float8", "numeric", "bool"]
    assert types[7:12] == ["varchar", "bpchar", "date", "timestamp", "timestamptz"]
    assert types[12:] == ["super", "bool", "int8"]
    assert [column["nullable"] for column in metadata[:3]] == [1, 0, 1]
    assert (metadata[7]["name"], metadata[7]["label"], metadata[7]["length"]) == ("v", "v", 9)
    assert (metadata[5]["precision"], metadata[5]["scale"], metadata[5]["tableName"]) == (9, 2, "t")
    assert metadata[13]["tableName"] == "" and page["TotalNumRows"] == 2


def test_a_long_result_is_given_out_in_pages(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int)")
    warehouse.ok("insert into t values " + ", ".join(f"({number})" for number in range(2500)))
    identifier = warehouse.ok("select a from t order by a")["Id"]
    found: list[int] = []
    body: dict[str, Any] = {"Id": identifier}
    sizes = []
    while True:
        page = call(warehouse, "GetStatementResult", **body)
        sizes.append(len(page["Records"]))
        found += [row[0] for row in plain(page)]
        if "NextToken" not in page:
            break
        body["NextToken"] = page["NextToken"]
    assert found == list(range(2500)) and sizes == [1000, 1000, 500]
    assert (
        refusal(warehouse, "GetStatementResult", Id=identifier, NextToken="page:9").code
        == "ValidationException"
    )


def test_an_empty_result_is_a_result(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int)")
    described = warehouse.ok("select a from t")
    page = call(warehouse, "GetStatementResult", Id=described["Id"])
    assert described["HasResultSet"] and page["Records"] == [] and page["TotalNumRows"] == 0
    assert [column["name"] for column in page["ColumnMetadata"]] == ["a"]


def test_what_has_no_result_says_so(warehouse: Warehouse) -> None:
    described = warehouse.ok("create table t (a int)")
    assert described["HasResultSet"] is False and described["ResultRows"] == -1
    answer = refusal(warehouse, "GetStatementResult", Id=described["Id"])
    assert answer.code == "ResourceNotFoundException" and "does not have result" in answer.message


def test_a_batch_is_one_transaction_with_a_state_for_each_statement(warehouse: Warehouse) -> None:
    described = warehouse.ok(
        "create table t (a int)", "insert into t values (1), (2)", "select a from t order by a"
    )
    assert [part["Id"] for part in described["SubStatements"]] == [
        f"{described['Id']}:{n}" for n in (1, 2, 3)
    ]
    assert [part["ResultRows"] for part in described["SubStatements"]] == [-1, 2, 2]
    assert [part["HasResultSet"] for part in described["SubStatements"]] == [False, False, True]
    assert plain(call(warehouse, "GetStatementResult", Id=f"{described['Id']}:3")) == [[1], [2]]
    answer = refusal(warehouse, "GetStatementResult", Id=described["Id"])
    assert (answer.code, answer.message) == (
        "ValidationException",
        "BatchExecuteStatement result can only be retrieved with sub-statement id.",
    )
    part = call(warehouse, "DescribeStatement", Id=f"{described['Id']}:2")
    assert part["ResultRows"] == 2 and part["QueryString"] == "insert into t values (1), (2)"


def test_a_failing_statement_undoes_its_batch(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int not null)")
    described = warehouse.run(
        "insert into t values (1)", "select 1", "insert into t values (null)", "select 2"
    )
    assert described["Error"] == "Query #3 failed with ERROR: Cannot insert a NULL value into column a"
    assert [part["Status"] for part in described["SubStatements"]] == [
        "FINISHED",
        "FINISHED",
        "FAILED",
        "ABORTED",
    ]
    assert described["SubStatements"][2]["Error"] == "ERROR: Cannot insert a NULL value into column a"
    assert described["HasResultSet"] is False
    assert (
        refusal(warehouse, "GetStatementResult", Id=f"{described['Id']}:2").code
        == "ResourceNotFoundException"
    )
    assert warehouse.rows("select count(*) from t") == [[0]]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select a from absent", 'ERROR: relation "absent" does not exist'),
        ("select 1/0", "ERROR: Divide by zero"),
        ("select cast('12x' as int)", "ERROR: Invalid digit, Value 'x', Pos 2, Type: Integer"),
        ("select (select 1 union select 2)", "ERROR: single-row subquery returns more than one row"),
        ("select now()", "ERROR: not supported by the laptop's Redshift: function NOW()"),
        ("select avg(1.5)", "AVG of a DECIMAL isn't supported here"),
        ("truncate absent", 'relation "absent" does not exist'),
        ("select '", "unterminated"),
    ],
)
def test_errors_are_told_in_redshifts_words(warehouse: Warehouse, sql: str, error: str) -> None:
    assert error in warehouse.error(sql)


def test_truncate_stands_alone_only(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int)")
    warehouse.ok("insert into t values (1)")
    assert "TRUNCATE within a batch" in warehouse.error("truncate t", batch=True)
    assert warehouse.rows("select count(*) from t") == [[1]]
    warehouse.ok("truncate t")
    assert warehouse.rows("select count(*) from t") == [[0]]
    warehouse.ok("vacuum full t")


def test_functions_mean_what_they_mean_on_redshift(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select datediff(month, '2026-01-31', '2026-02-01'), dateadd(month, 1, '2026-01-31'), len('äö'),"
        " octet_length('äö'), nvl(null, 2), concat('a', null), regexp_replace('aXbX', 'X', '-'), extract(epoch from"
        " timestamp '1970-01-02 00:00:00.9'), date_trunc('month', date '2026-02-03'), sha2('a', 256), 'a\\\\b',"
        " charindex('b', 'abc'), upper('ä'), 'x'::super, json_parse('[1]')"
    ) == [
        [
            1,
            "2026-02-28 00:00:00",
            2,
            4,
            2,
            None,
            "a-b-",
            86400,
            "2026-02-01 00:00:00",
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
            "a\\b",
            2,
            "Ä",
            '"x"',
            "[1]",
        ]
    ]
    warehouse.ok("create table t (a int, b bigint, c varchar(9))")
    warehouse.ok("insert into t values (1, 1, 'b'), (2, 2, 'a'), (null, 4, 'B')")
    assert warehouse.rows(
        "select avg(a), avg(b), avg(a::float), listagg(c, '|') within group (order by c) from t"
    ) == [[1, 2, 1.5, "B|a|b"]]


def test_keys_arent_enforced_but_not_null_is(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int, b int unique, primary key (a))")
    warehouse.ok("insert into t values (1, 1), (1, 1)")
    assert "Cannot insert a NULL value into column a" in warehouse.error("insert into t (b) values (2)")


def test_parameters_are_strings_and_never_sql(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int, b varchar(99))")
    value = "it's \\ '; drop table t; --"
    parameters = [{"name": "a", "value": "5"}, {"name": "b", "value": value}]
    described = warehouse.run("insert into t values (:a, :b)", Parameters=parameters)
    assert described["Status"] == "FINISHED" and described["QueryParameters"] == parameters
    assert warehouse.rows("select * from t") == [[5, value]]
    assert "unused parameters" in warehouse.run("select :a", Parameters=parameters)["Error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"WorkgroupName": "nowhere"}, "endpoint doesn't exist in this region"),
        ({"WorkgroupName": None}, "WorkgroupName is required"),
        ({"Database": ""}, "Database is required"),
        ({"Sql": "  "}, "must not be empty"),
        ({"Sql": "select '" + "x" * MAX_STATEMENT_BYTES + "'"}, "100 KB"),
        ({"ClientToken": "x" * 65}, "ClientToken"),
        ({"StatementName": "x" * 501}, "StatementName"),
        ({"Parameters": []}, "empty list"),
        ({"Parameters": [{"name": "a b", "value": "1"}]}, "regex"),
        ({"Parameters": [{"name": "a", "value": ""}]}, "at least one character"),
        ({"Parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}, "twice"),
        ({"ResultFormat": "CSV"}, "CSV"),
        ({"WaitTimeSeconds": 5}, "WaitTimeSeconds"),
        ({"SessionKeepAliveSeconds": 5}, "SessionKeepAliveSeconds"),
        ({"ClusterIdentifier": "c"}, "ClusterIdentifier"),
    ],
)
def test_a_request_is_refused_before_anything_runs(
    warehouse: Warehouse, body: dict[str, Any], message: str
) -> None:
    answer = refusal(warehouse, "ExecuteStatement", **execute(**body))
    assert answer.code == "ValidationException" and message in answer.message
    assert call(warehouse, "ListStatements")["Statements"] == []


def test_a_batch_has_one_to_forty_statements_and_no_parameters(warehouse: Warehouse) -> None:
    base: dict[str, Any] = {"WorkgroupName": WORKGROUP, "Database": DATABASE}
    for sqls in ([], ["select 1"] * 41):
        assert "1 to 40" in refusal(warehouse, "BatchExecuteStatement", **base, Sqls=sqls).message
    parameters = [{"name": "a", "value": "1"}]
    more: dict[str, Any] = {"Sqls": ["select :a"], "Parameters": parameters}
    assert "Parameters" in refusal(warehouse, "BatchExecuteStatement", **base, **more).message
    warehouse.ok(*["select 1"] * 40)


def test_an_unknown_operation_or_statement_is_named(warehouse: Warehouse) -> None:
    assert "ListTables" in refusal(warehouse, "ListTables").message
    unknown = "00000000-0000-0000-0000-000000000000"
    for operation in ("DescribeStatement", "GetStatementResult", "CancelStatement"):
        assert refusal(warehouse, operation, Id=unknown).code == "ResourceNotFoundException"
        assert refusal(warehouse, operation, Id="x").code == "ValidationException"
    identifier = warehouse.ok("select 1")["Id"]
    assert refusal(warehouse, "DescribeStatement", Id=f"{identifier}:1").code == "ResourceNotFoundException"


def test_another_database_than_the_workgroups_doesnt_exist(warehouse: Warehouse) -> None:
    assert 'database "other" does not exist' in warehouse.run("select 1", Database="other")["Error"]


def test_a_workgroup_may_be_named_by_its_arn(warehouse: Warehouse) -> None:
    arn = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{WORKGROUP}"
    assert warehouse.run("select 1", WorkgroupName=arn)["Status"] == "FINISHED"


def test_workgroups_have_databases_of_their_own(postgres: Postgres) -> None:
    both = {WORKGROUP: DATABASE, "second": DATABASE}
    with own_warehouse(postgres, workgroups=lambda: both) as warehouse:
        warehouse.ok("create table t (a int)")
        assert (
            'relation "t" does not exist' in warehouse.run("select * from t", WorkgroupName="second")["Error"]
        )
        with psycopg.connect(warehouse.api.database_uri(WORKGROUP)) as connection:
            assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_a_client_token_gives_the_same_statement_even_if_it_failed(warehouse: Warehouse) -> None:
    first = warehouse.start("select 1/0", ClientToken="batch-1")
    assert warehouse.wait(first)["Status"] == "FAILED"
    assert warehouse.start("select 1/0", ClientToken="batch-1", caller=OTHER) == first
    assert len(warehouse.events) == 1
    other = refusal(warehouse, "ExecuteStatement", **execute(ClientToken="batch-1", Sql="select 2"))
    assert other.code == "ValidationException" and "batch-1" in other.message
    warehouse.clock.now += TOKEN_RETENTION_SECONDS
    again = warehouse.start("select 1/0", ClientToken="batch-1")
    assert again != first
    warehouse.wait(again)


def test_the_same_token_from_many_threads_runs_once(warehouse: Warehouse) -> None:
    warehouse.ok("create table t (a int)")
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(warehouse.start("insert into t values (1)", ClientToken="x"))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    warehouse.wait(found[0])
    assert len(set(found)) == 1 and warehouse.rows("select count(*) from t") == [[1]]


def test_a_statement_expires_after_a_day(warehouse: Warehouse) -> None:
    identifier = warehouse.ok("select 1")["Id"]
    warehouse.clock.now += RETENTION_SECONDS - 1
    assert call(warehouse, "DescribeStatement", Id=identifier)["Status"] == "FINISHED"
    warehouse.clock.now += 1
    for operation in ("DescribeStatement", "GetStatementResult"):
        answer = refusal(warehouse, operation, Id=identifier)
        assert (answer.code, "has expired" in answer.message) == ("ValidationException", True)


def test_only_the_owner_and_the_deployer_see_a_statement(warehouse: Warehouse) -> None:
    identifier = warehouse.ok("select 1")["Id"]
    for operation in ("DescribeStatement", "GetStatementResult", "CancelStatement"):
        assert refusal(warehouse, operation, OTHER, Id=identifier).code == "AccessDeniedException"
    assert call(warehouse, "DescribeStatement", ADMIN, Id=identifier)["Id"] == identifier
    stranger = Someone(role="stranger")
    assert refusal(warehouse, "DescribeStatement", stranger, Id=identifier).code == "AccessDeniedException"


def test_statements_are_listed_by_role_name_and_state(warehouse: Warehouse) -> None:
    one = warehouse.wait(warehouse.start("select 1", StatementName="load-1"))["Id"]
    two = warehouse.wait(warehouse.start("select 1/0", StatementName="load-2", caller=OTHER))["Id"]
    three = warehouse.wait(warehouse.start("select 1", "select 2", StatementName="sweep"))["Id"]

    def listed(caller: Someone = LOADER, **body: Any) -> list[str]:
        return [item["Id"] for item in call(warehouse, "ListStatements", caller, **body)["Statements"]]

    assert listed() == [three, two, one]
    assert listed(RoleLevel=False) == [three, one]
    assert listed(StatementName="load") == [two, one]
    assert listed(Status="FAILED") == [two]
    assert listed(Someone(role="stranger")) == [] and listed(ADMIN) == [three, two, one]
    first = call(warehouse, "ListStatements", MaxResults=2)
    second = call(warehouse, "ListStatements", MaxResults=2, NextToken=first["NextToken"])
    assert [item["Id"] for item in second["Statements"]] == [one] and "NextToken" not in second
    batch = first["Statements"][0]
    assert batch["IsBatchStatement"] and batch["QueryStrings"] == ["select 1", "select 2"]


def test_the_event_says_who_what_and_how_it_ended(warehouse: Warehouse) -> None:
    identifier = warehouse.start("select 1", StatementName="load-7")
    event = warehouse.event_of(identifier)
    assert event["source"] == "aws.redshift-data"
    assert event["detail-type"] == "Redshift Data Statement Status Change"
    assert event["resources"] == [f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{WORKGROUP}"]
    assert (event["account"], event["region"], event["version"]) == (ACCOUNT, REGION, "0")
    assert event["time"].endswith("Z")
    assert event["detail"] == {
        "principal": LOADER.arn,
        "statementName": "load-7",
        "statementId": identifier,
        "redshiftQueryId": warehouse.wait(identifier)["RedshiftQueryId"],
        "state": "FINISHED",
        "rows": 1,
        "expireAt": int(warehouse.clock.now) + RETENTION_SECONDS,
    }


def test_a_batch_has_one_event_and_who_asked_for_none_gets_none(warehouse: Warehouse) -> None:
    warehouse.ok("select 1", "select 2", "select 3")
    assert len(warehouse.events) == 1
    silent = warehouse.start("select 1", WithEvent=False)
    assert warehouse.run("select 1/0", "select 2")["Status"] == "FAILED"
    assert [event["detail"]["state"] for event in warehouse.events] == ["FINISHED", "FAILED"]
    assert silent not in [event["detail"]["statementId"] for event in warehouse.events]


def test_an_event_that_nobody_can_take_changes_nothing(postgres: Postgres) -> None:
    with own_warehouse(postgres) as warehouse:
        told = threading.Event()

        def refuse(event: dict[str, Any]) -> None:
            told.set()
            raise RuntimeError("no bus")

        warehouse.on_event = refuse  # type: ignore[method-assign]
        identifier = warehouse.start("create table t (a int)")
        assert told.wait(TIMEOUT_SECONDS)
        assert call(warehouse, "DescribeStatement", Id=identifier)["Status"] == "FINISHED"


@pytest.fixture
def blocked(warehouse: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    """Holds the lock on table t, so that whoever wants it waits."""
    warehouse.ok("create table t (a int)")
    with psycopg.connect(warehouse.api.database_uri(WORKGROUP)) as connection:
        connection.execute("lock t")
        yield connection
        with suppress(psycopg.Error):
            connection.rollback()


def wait_until_waiting(connection: psycopg.Connection[Any]) -> int:
    """The server process that waits for the lock, once there is one."""
    pause = threading.Event()
    query = "select pid from pg_locks where not granted and relation = 't'::regclass"
    for _ in range(TIMEOUT_SECONDS * 50):
        row = connection.execute(query).fetchone()
        if row:
            return int(row[0])
        pause.wait(0.02)
    raise AssertionError("nobody waits for the lock")


def test_a_running_statement_can_be_cancelled(warehouse: Warehouse, blocked: psycopg.Connection[Any]) -> None:
    identifier = warehouse.start("insert into t values (1)", "select 1")
    wait_until_waiting(blocked)
    assert call(warehouse, "DescribeStatement", Id=identifier)["Status"] == "STARTED"
    assert refusal(warehouse, "GetStatementResult", Id=f"{identifier}:2").code == "ResourceNotFoundException"
    assert refusal(warehouse, "CancelStatement", Id=f"{identifier}:1").code == "ValidationException"
    assert call(warehouse, "CancelStatement", Id=identifier) == {"Status": True}
    described = warehouse.wait(identifier)
    assert described["Status"] == "ABORTED" == warehouse.events[-1]["detail"]["state"]
    assert [part["Status"] for part in described["SubStatements"]] == ["ABORTED", "ABORTED"]
    again = refusal(warehouse, "CancelStatement", Id=identifier)
    assert again.code == "ValidationException" and "ABORTED" in again.message


def test_a_lost_connection_fails_the_statement_and_tells(
    warehouse: Warehouse, blocked: psycopg.Connection[Any]
) -> None:
    identifier = warehouse.start("insert into t values (1)")
    waiting = wait_until_waiting(blocked)
    blocked.execute("select pg_terminate_backend(%s)", (waiting,))
    described = warehouse.wait(identifier)
    assert described["Status"] == "FAILED" and "connection to the database was lost" in described["Error"]


def test_a_server_that_is_gone_fails_the_statement_and_tells() -> None:
    with Postgres.start() as started:
        warehouse = open_warehouse(started.uri, NOWHERE)
        warehouse.ok("select 1")
    described = warehouse.run("select 1")
    assert described["Status"] == "FAILED" and "connection to the database was lost" in described["Error"]
    warehouse.api.close()


def test_closing_ends_what_runs(warehouse: Warehouse, blocked: psycopg.Connection[Any]) -> None:
    identifier = warehouse.start("insert into t values (1)")
    wait_until_waiting(blocked)
    warehouse.api.close()
    assert warehouse.event_of(identifier)["detail"]["state"] == "ABORTED"


def test_no_more_than_500_statements_are_active(
    warehouse: Warehouse, blocked: psycopg.Connection[Any]
) -> None:
    for number in range(MAX_ACTIVE):
        warehouse.start("lock t", StatementName=str(number))
    answer = refusal(warehouse, "ExecuteStatement", **execute())
    assert answer.code == "ActiveStatementsExceededException"


def test_a_conflict_of_two_transactions_is_error_1023(
    warehouse: Warehouse, blocked: psycopg.Connection[Any]
) -> None:
    blocked.execute("insert into t values (1)")
    blocked.commit()
    blocked.execute("update t set a = 2")
    identifier = warehouse.start("update t set a = 3")
    wait_until_row_lock(blocked)
    blocked.commit()
    error = warehouse.wait(identifier)["Error"]
    assert error.startswith("ERROR: 1023") and "Serializable isolation violation on table" in error


def wait_until_row_lock(connection: psycopg.Connection[Any]) -> None:
    pause = threading.Event()
    for _ in range(TIMEOUT_SECONDS * 50):
        row = connection.execute("select count(*) from pg_locks where not granted").fetchone()
        if row and row[0]:
            return
        pause.wait(0.02)
    raise AssertionError("nobody waits for the row")
