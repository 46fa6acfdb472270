"""The gate in the deployed chain: what it rejects is nowhere, what it says is everywhere the same."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import awswrangler as wr
import pytest
from typer.testing import CliRunner

from chain.kit import Chain, log_line
from chain.story import TABLES, Story, all_rows
from gluebook.cli.app import app
from gluebook.core.model import Batch, Counts
from gluebook.operations.rejects import COLUMNS
from gluebook.quality.report import GateReport

# A day of its own, which nothing else brings.
DAY = "2026-02-01"
ROWS, NEGATIVE = 20, 12


def timed_line(number: int, milliseconds: int) -> bytes:
    line = json.loads(log_line(number, f"took its time {number}"))
    line["attr"] = {"durationMillis": milliseconds}
    return json.dumps(line).encode() + b"\n"


def batch_of(chain: Chain, key: str) -> Batch:
    carrier = chain.only(key).batch_id
    [batch] = [b for b in chain.laptop.deployment.overview().batches if b.batch_id == carrier]
    return batch


def report_on(chain: Chain, batch: Batch) -> GateReport:
    return GateReport.from_json(
        chain.json(chain.laptop.deployment.lake.quality(batch.dataset, batch.batch_id, batch.reported_epoch))
    )


def catalogued(chain: Chain) -> set[str]:
    glue, database = (
        chain.laptop.aws.endpoint.client("glue"),
        chain.laptop.deployment.output("CatalogDatabase"),
    )
    return {
        partition["Values"][0]
        for partition in glue.get_partitions(DatabaseName=database, TableName="app_logs")["Partitions"]
    }


def test_a_batch_that_breaks_a_critical_expectation_is_nowhere_and_the_report_says_why(
    chain: Chain, story: Story
) -> None:
    tables = {table: all_rows(chain, table) for table in TABLES}
    visible = [key for place in ("curated/", "manifests/", "vouchers/") for key in chain.lake_keys(place)]
    partitions = catalogued(chain)
    lines = [timed_line(900 + n, -5 if n < NEGATIVE else 5) for n in range(ROWS)]
    key = chain.send(f"app_logs/mongod/dt={DAY}/negative.jsonl", b"".join(lines))
    chain.settle()

    file = chain.only(key)
    assert (file.state, file.loaded) == ("REJECTED", 0)
    assert "expect_column_values_to_be_between of duration_ms (12 rows, 60 %)" in (file.reason or "")
    assert {table: all_rows(chain, table) for table in TABLES} == tables
    assert [
        key for place in ("curated/", "manifests/", "vouchers/") for key in chain.lake_keys(place)
    ] == visible
    assert catalogued(chain) == partitions
    assert DAY not in partitions

    report = report_on(chain, batch_of(chain, key))
    [broken] = [outcome for outcome in report.failed if outcome.severity == "critical"]
    assert (broken.expectation, broken.column) == ("expect_column_values_to_be_between", "duration_ms")
    assert (broken.unexpected_rows, broken.unexpected_percent) == (NEGATIVE, 60.0)
    assert [example["duration_ms"] for example in broken.examples] == ["-5"] * 10
    assert [example["_source_record"] for example in broken.examples] == [str(n) for n in range(1, 11)]
    assert chain.rows(
        "select expectation, column_name, unexpected_rows from dq_results "
        f"where batch_id = '{report.batch_id}' and not passed and severity = 'critical'"
    ) == [("expect_column_values_to_be_between", "duration_ms", NEGATIVE)]
    # The alarm on failures watches what the sweep finds here.
    ledger = chain.laptop.deployment.ledger
    assert ledger.count_failures("app_logs", "2000") > 0
    # Nothing of it waits for anybody.
    assert [noted for dataset in TABLES for noted in ledger.verdicts(dataset)] == []


def test_what_was_set_aside_is_found_by_the_command_and_through_the_catalog(
    chain: Chain, story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    seen = chain.laptop.deployment.overview()
    expected: Counter[tuple[str, str, str]] = Counter()
    for file in seen.files:
        for reason, count in file.reject_reasons.items():
            expected[file.dataset, file.source, reason] += count
    assert expected.total() == seen.totals.rejected > 0
    done = CliRunner().invoke(app, ["rejects", "--limit", "3", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {(t["dataset"], t["source"], t["reason"]): t["records"] for t in told["reasons"]} == expected
    assert (told["records"], len(told["rejects"])) == (expected.total(), 3)

    database = chain.laptop.deployment.output("CatalogDatabase")
    table = wr.s3.read_parquet_table(database=database, table="rejects")
    assert tuple(table.columns) == COLUMNS
    assert Counter(zip(table["dataset"], table["source"], table["reason"], strict=True)) == expected


def test_dq_results_the_reports_and_the_status_of_files_agree_to_the_row(chain: Chain, story: Story) -> None:
    seen = chain.laptop.deployment.overview()
    told: dict[str, Counts] = defaultdict(Counts)
    for file in seen.files:
        told[file.batch_id or ""] += file.counts
    expected = {batch: counts for batch, counts in told.items() if counts.read}
    recorded = chain.rows(
        "select batch_id, generation, rows_read, rows_curated, rows_duplicates, rows_rejected, batch_passed, "
        "count(*) from dq_results group by 1, 2, 3, 4, 5, 6, 7"
    )
    assert {row[0]: Counts(*row[2:6]) for row in recorded} == expected
    assert len(recorded) == len(expected), "a batch's rows differ in what stands in each of them"
    batches = {batch.batch_id: batch for batch in seen.batches}
    for batch_id, generation, *_, passed, outcomes in recorded:
        batch = batches[batch_id]
        report = report_on(chain, batch)
        assert (report.generation, report.passed) == (batch.generation, passed) == (generation, passed)
        assert (report.counts, len(report.outcomes)) == (expected[batch_id], outcomes)
        assert report.counts.reconciles
        assert passed == (batch.state != "REJECTED")
