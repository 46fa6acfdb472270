"""What a load costs: beside bare COPY and MERGE of the same Parquet, and into a table of fifty times the size.

    python -m bench.load [rows] [--parquet FOLDER]

Runs on this machine: the real load SQL through the laptop's Data API on PostgreSQL, COPY from S3 included; bare is
`bench.loading`. The sides of a comparison take turns, each in a PostgreSQL of its own; figures are medians. With
--parquet the first comparison takes curated log rows of a batch from there; the second has generated ones. Prints two
Markdown tables.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

from bench.loading import load
from bench.retraction import TABLES, Bench, Case, curated
from bench.task import Task
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.sql.load import LoadRequest, load_sql
from localaws.endpoint import Endpoint
from localaws.redshift import Postgres

ROUNDS = 5
TIMES_AS_LARGE = 50
# Of a table's first size, which is a batch's: the large table has a million rows by default.
GROWTH_SHARE = 10

Side = Callable[[], float]


def beside_bare(rows: int, parquet: Path | None, s3: Endpoint, stack: ExitStack) -> tuple[str, Side, Side]:
    """Bare COPY and MERGE into a new table, and the load into an empty one."""
    bench, postgres = _warehouse(s3, stack), stack.enter_context(Postgres.start())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gluebook-bench-load-")))
    made = pq.read_table(parquet) if parquet else curated(_case(0, rows).keys)
    task = Task("app_logs", "mongod", (), folder, postgres.uri, ())
    task.parquet.mkdir()
    pq.write_table(made, task.parquet / "rows.parquet")
    request = _request(bench, made)

    def bare() -> float:
        with psycopg.connect(postgres.uri, autocommit=True) as connection:
            connection.execute("drop table if exists app_logs")
            connection.execute("checkpoint")
        return _timed(lambda: load(task))

    def ours() -> float:
        for name in TABLES:
            bench.execute(f"truncate {name}")
        bench.execute("checkpoint")
        return _timed(lambda: _load(bench, request))

    return f"{made.num_rows:,} rows: bare COPY and MERGE, and the load", bare, ours


def growth(rows: int, s3: Endpoint, stack: ExitStack) -> tuple[str, Side, Side]:
    """Loads of equal batches into a small table and a large one."""
    small, large = (_filled(size, rows, s3, stack) for size in (rows, TIMES_AS_LARGE * rows))
    return f"{rows:,} rows into {rows:,}, and into {TIMES_AS_LARGE * rows:,}", small, large


def _filled(size: int, rows: int, s3: Endpoint, stack: ExitStack) -> Side:
    bench = _warehouse(s3, stack)
    bench.fill(size)
    request = _request(bench, curated(_case(size, rows).keys))

    def loaded() -> float:
        for name in TABLES:
            bench.execute(f"vacuum analyze {name}")
        bench.execute("checkpoint")
        seconds = _timed(lambda: _load(bench, request))
        bench.execute("delete from app_logs where _batch_id = 'timed'")
        bench.execute("delete from etl_loads")
        return seconds

    return loaded


def _warehouse(s3: Endpoint, stack: ExitStack) -> Bench:
    bench = Bench(stack.enter_context(Postgres.start()).uri, s3)
    stack.callback(bench.close)
    return bench


def _case(first: int, rows: int) -> Case:
    return Case("timed", APP_LOGS, [(first + number, "n0", "1") for number in range(rows)], [])


def _request(bench: Bench, made: pa.Table) -> LoadRequest:
    """Upload the rows, with a reference for each of their file versions."""
    versions = made.group_by(["_source_file", "_source_version"]).aggregate([]).to_pylist()
    files = [(one["_source_file"], one["_source_version"], "1") for one in versions]
    return bench.upload_rows(made, Case("timed", APP_LOGS, [], files), made["_batch_id"][0].as_py())


def _load(bench: Bench, request: LoadRequest) -> None:
    _, (merged, superseded, retracted) = bench.submit(load_sql(APP_LOGS, request))
    if (merged, superseded, retracted) != (request.rows, 0, 0):
        raise SystemExit(
            f"the load of {request.rows} rows merged {merged}, superseded {superseded}, {retracted}"
        )


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compared(title: str, one: Side, other: Side) -> str:
    """Both in turn; the Markdown table with the medians and the ratio of the second to the first."""
    pairs = [(one(), other()) for _ in range(ROUNDS)]
    first, second = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = sorted(second / first for first, second in pairs)
    lines = [
        f"{title}; medians of {ROUNDS} rounds:",
        "",
        "| first, s | second, s | ratio of the medians | ratios of the rounds |",
        "|---|---|---|---|",
        f"| {first:.2f} | {second:.2f} | {second / first:.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |",
        "",
    ]
    return "\n".join(lines)


@contextmanager
def _s3() -> Iterator[Endpoint]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Endpoint(f"http://{host}:{port}")
    finally:
        server.stop()


def main(rows: int, parquet: Path | None) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with _s3() as s3:
        with ExitStack() as stack:
            print(compared(*beside_bare(rows, parquet, s3, stack)), flush=True)
        with ExitStack() as stack:
            print(compared(*growth(rows // GROWTH_SHARE, s3, stack)), flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("rows", type=int, nargs="?", default=200_000, help="200,000 by default")
    arguments.add_argument("--parquet", type=Path, help="a folder with a batch's curated log rows")
    given = arguments.parse_args()
    main(given.rows, given.parquet)
