"""What retraction costs: the load of log rows into a table of five times as many, with and without it.

    python bench/retraction.py [rows]

Runs on this machine: the real load SQL through the laptop's Data API on PostgreSQL, COPY from S3 included. All
cases run in turn in one process, several rounds; a case's figure is the median. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import io
import json
import logging
import queue
import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

from gluebook.contracts import Column, Contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.sql.load import LoadRequest, load_sql, reference_columns
from gluebook.core.sql.schema import schema_sql
from localaws.endpoint import DEPLOYER, Endpoint
from localaws.redshift import DataApi, Postgres

ROUNDS = 3
PATIENCE_SECONDS = 1_800
TIMES_AS_MANY = 5
RETRACTED = 1_000
FILES_OF_THE_TABLE = 50
BUCKET, WORKGROUP, DATABASE, ROLE = "lake", "bench", "dev", "arn:aws:iam::123456789012:role/copy"
PLAIN = replace(APP_LOGS, append=False)
TABLES = ("app_logs", "app_logs_echoes", "etl_files", "etl_loads")
ARROW = {"text": pa.string(), "integer": pa.int32(), "bigint": pa.int64(), "boolean": pa.bool_()} | {
    "timestamp": pa.timestamp("us")
}
NOON = dt.datetime(2026, 1, 5, 12)


@dataclass(frozen=True)
class Case:
    """A load to be timed. `keys`: (number of the record, file, version) of each curated row."""

    name: str
    contract: Contract
    keys: list[tuple[int, str, str]]
    files: list[tuple[str, str, str]]
    extra_references: list[tuple[int, str, str]] = field(default_factory=list)


# Columns of container logs, which are null here, and the others.
OF_CONTAINERS = ("trace_id", "span_id", "pod", "node")
FILLED = [name for name in APP_LOGS.names if name not in OF_CONTAINERS]


def identity(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def curated(keys: Iterable[tuple[int, str, str]]) -> pa.Table:
    numbers, files, versions = zip(*keys, strict=True)
    count = len(numbers)
    values: dict[str, Any] = {
        "source": ["mongod"] * count,
        "log_id": [identity(number) for number in numbers],
        "occurred_at": [NOON + dt.timedelta(milliseconds=number) for number in numbers],
        "level": ["info"] * count,
        "is_error": [False] * count,
        "service": ["mongod"] * count,
        "component": ["NETWORK"] * count,
        "context": [f"conn{number % 997}" for number in numbers],
        "event_code": [22943] * count,
        "duration_ms": [number % 1000 for number in numbers],
        "message": [f"Connection accepted from client number {number}" for number in numbers],
        "attributes": [
            json.dumps({"remote": f"10.0.{n % 256}.1:{n % 60000}", "connectionCount": n}) for n in numbers
        ],
        "_source_file": files,
        "_source_version": versions,
        "_source_record": numbers,
        "_batch_id": ["timed"] * count,
        **dict.fromkeys(OF_CONTAINERS, [None] * count),
    }
    return table(APP_LOGS.columns, values)


def row_references(case: Case) -> pa.Table:
    files, extra_references = case.files, case.extra_references
    none: list[Any] = [None] * len(files)
    values = {
        "source": [*none, *["mongod"] * len(extra_references)],
        "log_id": [*none, *(identity(number) for number, _, _ in extra_references)],
        "_source_file": [file for file, _, _ in files] + [file for _, file, _ in extra_references],
        "_source_version": [version for _, version, _ in files]
        + [version for _, _, version in extra_references],
        "_source_record": [*none, *(number for number, _, _ in extra_references)],
        "version_order": [order for _, _, order in files] + [None] * len(extra_references),
    }
    return table(reference_columns(APP_LOGS), values)


def table(columns: Iterable[Column], values: dict[str, Any]) -> pa.Table:
    return pa.table({column.name: pa.array(values[column.name], ARROW[column.type]) for column in columns})


def cases(rows: int) -> list[Case]:
    """The table holds the records 0 .. 5 * rows - 1, evenly in files t0 .. t49; the batches bring later ones."""
    first = TIMES_AS_MANY * rows
    names = [f"n{number}" for number in range(20)]
    files = [(name, "1", "1") for name in names]
    new = [(first + number, names[number % 20], "1") for number in range(rows)]
    hundredth = rows // 100
    # Half of the extra references are copies within the batch, half are rows that the table has from another file.
    copies = [(number, "n0" if file != "n0" else "n1", "1") for number, file, _ in new[:hundredth]]
    known = [(number, file, "1") for number, (_, file, _) in enumerate(new[-hundredth:])]
    held = range(0, first, FILES_OF_THE_TABLE)
    corrected = [(number, "t0", "2") for number in held[RETRACTED:]][:rows]
    correction = [*corrected, *new[: rows - len(corrected)]]
    return [
        Case("plain, rows are never retracted", PLAIN, new, []),
        Case("append, no record twice", APP_LOGS, new, files),
        Case(
            "append, 2 % of the records are in two files",
            APP_LOGS,
            [*new[:-hundredth], *known],
            files,
            copies,
        ),
        Case(
            f"append, a corrected file takes back {RETRACTED:,} rows",
            APP_LOGS,
            correction,
            [*files, ("t0", "2", "2")],
        ),
    ]


class Deployer:
    """The caller: the account's administrator."""

    role = None
    user_id = "deployer"
    arn = "arn:aws:iam::123456789012:root"


class Bench:
    """The laptop's warehouse, its tables as they were before each load."""

    def __init__(self, uri: str, endpoint: Endpoint) -> None:
        self.s3 = endpoint.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.api = DataApi(
            *(uri, endpoint, lambda: {WORKGROUP: DATABASE}, self._events.put),
            *(lambda _: DEPLOYER, lambda *_: "admin"),
        )
        self.submit(schema_sql((APP_LOGS,)))
        self._connection = psycopg.connect(self.api.database_uri(WORKGROUP), autocommit=True)

    def close(self) -> None:
        self._connection.close()
        self.api.close()

    def fill(self, rows: int) -> None:
        """Makes the tables that loads find: `rows` log lines in files of their own."""
        execute = self._connection.execute
        execute(
            f"insert into app_logs ({', '.join(FILLED)}) "
            f"select 'mongod', encode(sha256(n::text::bytea), 'hex'), timestamp '{NOON}'"
            " + n * interval '1 ms', 'info', false, 'mongod', 'NETWORK', 'conn' || n % 997, 22943, n % 1000,"
            " 'Connection accepted from client number ' || n, json_build_object('remote', '10.0.1.1:' || n % 60000,"
            f" 'connectionCount', n)::text, 't' || n % {FILES_OF_THE_TABLE}, '1', n, 'before'"
            f" from generate_series(0, {rows - 1}) n"
        )
        execute(
            "insert into etl_files select 'app_logs', 't' || n, '1', '1', 'before'"
            f" from generate_series(0, {FILES_OF_THE_TABLE - 1}) n"
        )

    def keep(self) -> None:
        """Keep the tables aside for `restore`."""
        for name in TABLES:
            self._connection.execute(f"create table kept_{name} as table {name}")

    def execute(self, sql: str) -> None:
        """Run a statement of PostgreSQL that isn't timed."""
        self._connection.execute(sql.encode())

    def restore(self) -> None:
        for name in TABLES:
            self._connection.execute(f"truncate {name}")
            self._connection.execute(f"insert into {name} table kept_{name}")
            self._connection.execute(f"vacuum analyze {name}")
        # Or it would fall into somebody's time.
        self._connection.execute("checkpoint")

    def upload(self, case: Case, number: int) -> LoadRequest:
        """Rows and row references as Parquet with a manifest each."""
        return self.upload_rows(curated(case.keys), case, "timed", number)

    def upload_rows(self, rows: pa.Table, case: Case, batch: str, number: int = 0) -> LoadRequest:
        """As `upload`, with rows that were made already."""
        said = row_references(case)
        uris = [self._manifest(f"{number}-rows", rows), self._manifest(f"{number}-vouchers", said)]
        return LoadRequest(batch, uris[0], ROLE, rows.num_rows, 1, uris[1], said.num_rows)

    def _manifest(self, name: str, made: pa.Table) -> str:
        buffer = io.BytesIO()
        pq.write_table(made, buffer)
        body = buffer.getvalue()
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}.parquet", Body=body)
        meta = {"content_length": len(body)}
        entry = {"url": f"s3://{BUCKET}/{name}.parquet", "mandatory": True, "meta": meta}
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps({"entries": [entry]}).encode())
        return f"s3://{BUCKET}/{name}.json"

    def submit(self, sqls: list[str]) -> tuple[list[dict[str, Any]], list[int]]:
        """Runs one transaction; its statements with their durations, and the numbers of the last one's row."""
        body = {"WorkgroupName": WORKGROUP, "Database": DATABASE, "Sqls": sqls, "WithEvent": True}
        body["SecretArn"] = "the administrator's: one user for all statements"
        identifier = str(self.api("BatchExecuteStatement", body, Deployer())["Id"])
        self._events.get(timeout=PATIENCE_SECONDS)
        described = self.api("DescribeStatement", {"Id": identifier}, Deployer())
        if described["Status"] != "FINISHED":
            raise SystemExit(f"the load failed: {described.get('Error')}")
        parts = described["SubStatements"]
        if not parts[-1]["HasResultSet"]:
            return parts, []
        answer = self.api("GetStatementResult", {"Id": parts[-1]["Id"]}, Deployer())
        return parts, [value["longValue"] for value in answer["Records"][0]]


@dataclass
class Measured:
    """Seconds of each round, and what the load said it did."""

    copies: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)

    def add(self, parts: list[dict[str, Any]], answer: list[int]) -> None:
        seconds = [(part["QueryString"], part["Duration"] / 1e9) for part in parts]
        self.copies.append(sum(time for sql, time in seconds if sql.startswith("copy")))
        self.others.append(sum(time for sql, time in seconds if not sql.startswith("copy")))
        self.answer = answer

    @property
    def total(self) -> float:
        return statistics.median(copy + other for copy, other in zip(self.copies, self.others, strict=True))


def report(rows: int, measured: dict[str, Measured]) -> str:
    """The Markdown table; the ratio is to the first case."""
    lines = [
        f"Load of {rows:,} rows into {TIMES_AS_MANY * rows:,}, medians of {ROUNDS} rounds, seconds:",
        "",
        "| load | merged / superseded / retracted | COPY | all else | total | ratio | ratio without COPY |",
        "|---|---|---|---|---|---|---|",
    ]
    plain = next(iter(measured.values()))
    for name, one in measured.items():
        copy, other = statistics.median(one.copies), statistics.median(one.others)
        counts = " / ".join(f"{number:,}" for number in one.answer)
        lines.append(
            f"| {name} | {counts} | {copy:.2f} | {other:.2f} | {one.total:.2f} | {one.total / plain.total:.2f} "
            f"| {other / statistics.median(plain.others):.2f} |"
        )
    return "\n".join(lines)


def main(rows: int) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with ExitStack() as stack:
        stack.callback(server.stop)
        bench = Bench(stack.enter_context(Postgres.start()).uri, Endpoint(f"http://{host}:{port}"))
        stack.callback(bench.close)
        bench.fill(TIMES_AS_MANY * rows)
        bench.keep()
        loads = [(case, bench.upload(case, number)) for number, case in enumerate(cases(rows))]
        measured = {case.name: Measured() for case, _ in loads}
        for _ in range(ROUNDS):
            for case, request in loads:
                bench.restore()
                own = request if case.contract.append else replace(request, row_references=0)
                measured[case.name].add(*bench.submit(load_sql(case.contract, own)))
        print(report(rows, measured))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("rows", type=int, nargs="?", default=200_000, help="at least 20,000")
    given = arguments.parse_args()
    if given.rows < 20_000:
        arguments.error(
            f"{given.rows} rows are too few: a file of the table would hold fewer than are taken back"
        )
    main(given.rows)
