"""The real help desk export through the whole chain: nobody of it is found in anything that is left behind."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from chain.kit import Chain, real
from gluebook.contracts import CONTRACTS
from gluebook.core.sql.schema import schema_sql
from people_kit import People

FOLDER = "support_tickets/helpdesk/dt=2026-01-06/"
WHOLE, BROKEN = f"{FOLDER}customer_support_tickets.csv.gz", f"{FOLDER}broken.csv"
# Every so many tickets one that is to be found in quarantine.
EACH = 4


@pytest.fixture(scope="module")
def logs() -> Iterator[list[str]]:
    """What jobs and functions write while this module's tests run."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, kept = logging.getLogger("localaws"), Kept()
    before = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    yield lines
    logger.setLevel(before)
    logger.removeHandler(kept)


@pytest.fixture(scope="module")
def tickets(chain: Chain, logs: list[str]) -> list[dict[str, str]]:
    """The export's records; it is in the warehouse, and a part of it, with an unknown status, in quarantine."""
    path = real("tickets/customer_support_tickets.csv.gz")
    with gzip.open(path, "rt", newline="") as stream:
        found = list(csv.DictReader(stream))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(found[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({**ticket, "Ticket Status": "Banana"} for ticket in found[::EACH])
    chain.send(WHOLE, Path(path).read_bytes())
    chain.send(BROKEN, text.getvalue().encode())
    chain.settle()
    return found


def test_every_ticket_of_the_real_export_is_accounted_for(
    chain: Chain, tickets: list[dict[str, str]]
) -> None:
    counts = chain.only(WHOLE).counts
    assert (counts.read, counts.curated, counts.duplicates, counts.rejected) == (8_469, 8_469, 0, 0)
    assert chain.only(BROKEN).reject_reasons == {"unknown:status": len(tickets[::EACH])}
    by_status = chain.rows(
        "select status, count(*) from support_tickets where source = 'helpdesk' group by 1"
    )
    assert dict(by_status) == {"pending": 2_881, "active": 2_819, "closed": 2_769}
    early = chain.rows("select count(*) from support_tickets where resolved_before_response")
    assert early == [(1_365,)]
    lines = chain.rows("select count(*) from support_tickets where description like '%' || chr(10) || '%'")
    assert lines == [(6_150,)]


def test_nobody_of_the_real_export_is_found_in_lake_warehouse_ledger_or_logs(
    chain: Chain, tickets: list[dict[str, str]], logs: list[str]
) -> None:
    people = People(person for t in tickets for person in (t["Customer Name"], t["Customer Email"]))
    places = {
        "lake": list(lake(chain)),
        "warehouse": list(warehouse(chain)),
        "ledger": list(ledger(chain)),
        "job runs": list(job_runs(chain)),
        "logs": logs,
    }
    assert all(places.values()), "a place that isn't looked at proves nothing"
    assert {place: who for place, texts in places.items() if (who := people.found_in(texts))} == {}


def lake(chain: Chain) -> Iterator[str]:
    """Every text of every object: Parquet decoded; manifests, results and reports as they are."""
    s3, bucket = chain.laptop.aws.endpoint.client("s3"), chain.laptop.deployment.lake.bucket
    for key in chain.lake_keys(""):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        yield from (
            texts(pq.read_table(io.BytesIO(body)).to_pylist())
            if key.endswith(".parquet")
            else [body.decode()]
        )


def warehouse(chain: Chain) -> Iterator[str]:
    ddl = " ".join(schema_sql(tuple(CONTRACTS.values())))
    tables = re.findall(r"create table if not exists (\w+)", ddl)
    assert {"support_tickets", "etl_loads"} <= set(tables)
    for table in tables:
        yield from texts([dict(enumerate(row)) for row in chain.rows(f"select * from {table}")])


def ledger(chain: Chain) -> Iterator[str]:
    dynamo = chain.laptop.aws.endpoint.client("dynamodb")
    for page in dynamo.get_paginator("scan").paginate(
        TableName=chain.laptop.deployment.outputs["LedgerTable"]
    ):
        yield from (json.dumps(item, default=str, ensure_ascii=False) for item in page["Items"])


def job_runs(chain: Chain) -> Iterator[str]:
    glue = chain.laptop.aws.endpoint.client("glue")
    job = chain.laptop.deployment.outputs["SupportTicketsJob"]
    for run in glue.get_job_runs(JobName=job)["JobRuns"]:
        yield json.dumps(run, default=str) + chain.laptop.aws.jobs.output(run["Id"])


def texts(rows: list[dict[Any, Any]]) -> Iterator[str]:
    return (value for row in rows for value in row.values() if isinstance(value, str))
