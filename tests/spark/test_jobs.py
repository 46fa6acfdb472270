"""The two jobs' transformations, as their notebooks order them, on messy files with a known truth."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from chain.kit import log_line, real, ticket_file, ticket_record
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.sample import Request, SampleFile, generate
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.transforms.verbs import conform, rejects_table
from spark.conftest import Frame
from spark.pipelines import FakeRun, run_notebook

LINE = log_line(1).rstrip()
SOURCES = {source.contract.name: source for source in (SERVICENOW, MONGOD)}


def run(spark: SparkSession, frame: Frame, dataset: str, **files: bytes) -> FakeRun:
    return run_notebook(spark, SOURCES[dataset], frame(SOURCES[dataset], **files))


def counted(df: DataFrame, *columns: str) -> dict[Any, int]:
    return {
        tuple(row[:-1]) if len(columns) > 1 else row[0]: row[-1]
        for row in df.groupBy(*columns).count().collect()
    }


def rows(run: FakeRun) -> list[dict[str, object]]:
    assert run.kept is not None
    return [row.asDict() for row in conform(run.kept.where("_copy = 1"), run.contract).collect()]


def sample(dataset: str) -> list[SampleFile]:
    files = generate(Request(tickets=150, log_lines=900, days=2, files_per_day=3)).files
    return [file for file in files if file.dataset == dataset]


@pytest.mark.parametrize("dataset", SOURCES)
def test_every_file_of_a_messy_sample_comes_out_to_the_row(
    spark: SparkSession, frame: Frame, dataset: str
) -> None:
    files = sample(dataset)
    done = run(spark, frame, dataset, **{file.key: file.body for file in files})
    assert done.kept is not None and done.rejects is not None
    # Redshift ignores them when it compares, the laptop doesn't: so keys have none.
    keys = [str(row[name]) for row in rows(done) for name in done.contract.key]
    assert keys and not [key for key in keys if key.endswith(" ")]
    curated = counted(done.kept.where("_copy = 1"), "_source_file")
    copies = counted(done.kept.where("_copy > 1"), "_source_file")
    reasons = counted(done.rejects, "_source_file", "_problem")
    for file in files:
        mine = {pair[1]: n for pair, n in reasons.items() if pair[0] == file.key}
        assert curated.get(file.key, 0) == file.truth.curated, file.key
        assert copies.get(file.key, 0) == file.truth.duplicates, file.key
        assert mine == dict(file.reject_reasons), file.key


def test_every_column_of_the_files_is_optional_even_a_constant(spark: SparkSession, tmp_path: Path) -> None:
    given = {"event_code": F.lit(1), "_source_record": F.expr("nullif(id, -1)")}
    columns = (given.get(c.name, F.lit(None).cast(c.spark_type)).alias(c.name) for c in APP_LOGS.columns)
    rows = spark.range(3, numPartitions=1).select(*columns, F.lit("2026-01-05").alias("dt"))
    conform(rows, APP_LOGS).write.parquet(str(tmp_path / "rows"))
    [file] = (tmp_path / "rows").glob("*.parquet")
    assert [field.name for field in pq.read_schema(file) if not field.nullable] == []
    assert pq.read_table(file)["event_code"].to_pylist() == [1, 1, 1]


def rewritten(export: bytes) -> bytes:
    """The same revisions as another tool would write them: of each kind of value another spelling."""
    text = io.StringIO()
    reader = csv.DictReader(io.StringIO(export.decode()))
    writer = csv.DictWriter(text, list(reversed(reader.fieldnames or ())), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for record in reader:
        for name, value in record.items():
            if name.endswith("_at") and value != "?":
                at = datetime.strptime(value, "%d/%m/%Y %H:%M")
                value = f"{at:%d-%m-%Y %H:%M}" if at.day % 2 else at.isoformat()
            elif name.endswith("_count"):
                value += ".0"
            record[name] = f"{value.upper() if value in ('true', 'false') else value}\u00a0"
        writer.writerow(record)
    return text.getvalue().encode()


def test_the_real_incident_log_rewritten_has_no_rejects_and_each_revision_once(
    spark: SparkSession, frame: Frame
) -> None:
    with gzip.open(real("tickets/servicenow_incidents.csv.gz")) as stream:
        head = b"".join(next(stream) for _ in range(10_001))
    done = run(spark, frame, "support_tickets", real=head, rewritten=rewritten(head))
    assert done.kept is not None
    assert counted(done.kept, "_source_file", "_copy") == {("real", 1): 10_000, ("rewritten", 2): 10_000}
    found = rows(done)
    independent = list(csv.DictReader(io.StringIO(head.decode())))
    assert len(found) == len(independent) == 10_000
    by_id = {(row["ticket_id"], row["_source_record"]): row for row in found}
    for number, record in enumerate(independent, 1):
        row = by_id[record["number"], number]
        opened = datetime.strptime(record["opened_at"], "%d/%m/%Y %H:%M")
        assert row["opened_at"] == opened
        assert row["revision"] == int(record["sys_mod_count"])
        assert row["is_active"] is (record["active"] == "true")
        assert (row["assignment_group"] is None) == (record["assignment_group"] == "?")


def test_the_same_revision_in_two_layouts_is_one_row(spark: SparkSession, frame: Frame) -> None:
    plain = ticket_file(ticket_record("T", 1, "New", "5/1/2026 10:00", location="Bonn"))
    names = list(reversed(SERVICENOW.columns))
    values = {"number": "T", "sys_mod_count": "1", "incident_state": "New", "location": "Bonn"}
    values["sys_updated_at"] = "5/1/2026 10:00"
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names, "u_new"], restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow({**values, "u_new": "unknown to us"})
    done = run(spark, frame, "support_tickets", a=plain, b=text.getvalue().encode())
    assert done.kept is not None
    assert sorted(row["_copy"] for row in done.kept.collect()) == [1, 2]
    assert len(rows(done)) == 1


def test_a_log_row_is_the_hash_of_its_line(spark: SparkSession, frame: Frame) -> None:
    line = log_line(1).rstrip(b"\n")
    done = run(spark, frame, "app_logs", a=line + b"\n" + line + b"\n" + line.replace(b"{", b"{ ", 1))
    assert done.kept is not None
    assert {row["log_id"] for row in rows(done)} == {
        hashlib.sha256(line).hexdigest(),
        hashlib.sha256(line.replace(b"{", b"{ ", 1)).hexdigest(),
    }
    assert Counter(row["_copy"] for row in done.kept.collect()) == {1: 2, 2: 1}


def test_nul_goes_from_decoded_values_and_stays_escaped_in_json_text(
    spark: SparkSession, frame: Frame
) -> None:
    lines = [
        log_line(1, "a\0b"),
        LINE[:-1] + rb', "attr": {"x": "c\u0000d"}}' + b"\n",
        LINE[:-1] + rb', "attr": "e\u0000f"}' + b"\n",
        b"\0\0\0" + log_line(4),
    ]
    done = run(spark, frame, "app_logs", a=b"".join(lines))
    assert done.rejects is not None
    found = [(row["message"], row["attributes"]) for row in rows(done)]
    assert sorted(found, key=str) == [
        ("ab", None),
        ("line 1", r'"e\u0000f"'),
        ("line 1", r'{"x": "c\u0000d"}'),
    ]
    assert counted(done.rejects, "_source_record", "_problem") == {(4, "malformed_record"): 1}


@pytest.mark.parametrize(
    "line",
    [b"{broken", b"[1]", b'"text"', b"null", LINE + log_line(2).rstrip(), LINE + b" x", LINE + b"," + LINE],
)
def test_what_is_not_one_json_object_is_a_reject_and_not_half_a_row(
    spark: SparkSession, frame: Frame, line: bytes
) -> None:
    done = run(spark, frame, "app_logs", a=line)
    assert done.rejects is not None
    assert counted(done.rejects, "_problem") == {"malformed_record": 1}
    assert rows(done) == []


def test_text_longer_in_bytes_than_its_column_is_a_reject_though_its_characters_fit(
    spark: SparkSession, frame: Frame
) -> None:
    limit = SUPPORT_TICKETS.column("location").length
    fits = ticket_record("T1", 1, "New", "5/1/2026 10:00", location="x" * limit)
    over = ticket_record("T2", 1, "New", "5/1/2026 10:00", location="ü" * (limit - 1))
    done = run(spark, frame, "support_tickets", a=ticket_file(fits, over))
    assert done.rejects is not None
    assert [row["ticket_id"] for row in rows(done)] == ["T1"]
    assert counted(done.rejects, "_problem") == {"too_long:location": 1}


def test_persons_are_hashed_with_the_key_and_masked_in_what_is_set_aside(
    spark: SparkSession, frame: Frame
) -> None:
    people = {"caller_id": "Ada Example", "sys_created_by": "Bob Sample", "location": "ask ada@example.com"}
    good = ticket_record("T1", 1, "New", "5/1/2026 10:00", **people)
    bad = ticket_record("T2", 1, "Banana", "5/1/2026 10:00", **people)
    short = "T3,Ada Example,Bob Sample"
    done = run(spark, frame, "support_tickets", a=ticket_file(good, bad, short))
    assert done.rejects is not None
    (row,) = rows(done)
    assert row["requester"] != "Ada Example" and len(str(row["requester"])) == 32
    assert row["location"] == "ask <masked>"
    kept = [r["raw"] for r in rejects_table(done.rejects, "support_tickets").collect()]
    assert len(kept) == 2
    for text in kept:
        assert "Ada" not in text and "Bob" not in text and "ada@example.com" not in text
    other = run_notebook(spark, SERVICENOW, frame(SERVICENOW, a=ticket_file(good)))
    assert rows(other)[0]["requester"] == row["requester"], "the same person under the same key"


def test_an_empty_batch_goes_through_every_step(spark: SparkSession, frame: Frame) -> None:
    for dataset, contract in (("support_tickets", SUPPORT_TICKETS), ("app_logs", APP_LOGS)):
        done = run(spark, frame, dataset)
        assert done.kept is not None
        empty = conform(done.kept, contract)
        assert empty.count() == 0
        assert empty.columns == [*contract.names, "dt"]
