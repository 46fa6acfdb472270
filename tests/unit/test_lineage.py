"""Lineage: the same batch gives the same events, in OpenLineage's names, with the rows that the ledger tells."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from openlineage.client.serde import Serde

from fakes import a_batch
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts
from gluebook.core.states import BatchState
from gluebook.operations.lineage import PRODUCER, PipelineNames, lineage
from gluebook.operations.status import FileStatus
from gluebook.quality.report import GateReport, Outcome

AT = PipelineNames("raw", Lake("lake"), "gluebook", "analytics", "eu-west-1")
COUNTS = Counts(10, 7, 2, 1)
KEY = "app_logs/mongod/dt=2026-01-05/a.jsonl"
FILE = FileStatus(
    KEY, "v1", "app_logs", "mongod", "LOADED", None, "app_logs-1", "2026-01-05T09:00:00Z", COUNTS
)
REPORT = GateReport(
    dataset="app_logs",
    batch_id="app_logs-1",
    generation=1,
    checked_at="2026-01-05T10:16:00.000Z",
    rows=7,
    files=1,
    counts=COUNTS,
    newest_at=None,
    outcomes=(
        Outcome("app_logs", "expect_column_values_to_not_be_null", "level", {}, "critical", True),
        Outcome("app_logs", "expect_column_values_to_not_be_null", "message", {}, "warning", False),
    ),
)


def batch(state: BatchState, **changes: Any) -> Batch:
    return replace(
        a_batch("app_logs-1"),
        state=state,
        counts=COUNTS,
        merged=6,
        superseded=1,
        created_at="2026-01-05T10:15:00.000Z",
        changed_at="2026-01-05T10:17:00.000Z",
        **changes,
    )


def told(one: Batch, report: GateReport | None = REPORT) -> list[dict[str, Any]]:
    return [json.loads(Serde.to_json(event)) for event in lineage(one, [FILE], report, AT)]


def names(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]


def rows(dataset: dict[str, Any]) -> int:
    return int(dataset["outputFacets"]["outputStatistics"]["rowCount"])


def test_a_loaded_batch_is_a_run_of_the_job_and_one_of_the_load() -> None:
    events = told(batch(BatchState.LOADED))
    assert [(e["job"]["name"], e["eventType"], e["eventTime"]) for e in events] == [
        ("app_logs.curate", "START", "2026-01-05T10:15:00.000Z"),
        ("app_logs.curate", "COMPLETE", "2026-01-05T10:16:00.000Z"),
        ("app_logs.load", "START", "2026-01-05T10:16:00.000Z"),
        ("app_logs.load", "COMPLETE", "2026-01-05T10:17:00.000Z"),
    ]
    _, curated, _, loaded = events
    assert names(curated["inputs"]) == [("s3://raw", KEY)]
    assert curated["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 10
    assert [
        (*name, rows(out)) for name, out in zip(names(curated["outputs"]), curated["outputs"], strict=True)
    ] == [
        ("s3://lake", "curated/app_logs", 7),
        ("s3://lake", "quarantine/app_logs", 1),
    ]
    assert names(loaded["inputs"]) == [("s3://lake", "curated/app_logs")]
    assert names(loaded["outputs"]) == [("redshift://gluebook.eu-west-1:5439", "analytics.public.app_logs")]
    assert rows(loaded["outputs"][0]) == 6
    fields = loaded["outputs"][0]["facets"]["schema"]["fields"]
    assert {"name": "log_id", "type": "varchar(64)"}.items() <= fields[1].items()
    assertions = loaded["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(a["column"], a["success"], a["severity"]) for a in assertions] == [
        ("level", True, "error"),
        ("message", False, "warn"),
    ]


def test_the_same_batch_gives_the_same_events_and_another_generation_another_run() -> None:
    first, second = told(batch(BatchState.LOADED)), told(batch(BatchState.LOADED))
    assert first == second
    producers = set(re.findall(r'"_?producer": "([^"]*)"', json.dumps(first)))
    assert producers == {PRODUCER}
    runs = {e["run"]["runId"] for e in first}
    assert len(runs) == 2
    again = {e["run"]["runId"] for e in told(batch(BatchState.LOADED, generation=2))}
    assert not runs & again


@pytest.mark.parametrize("state", [BatchState.REJECTED, BatchState.FAILED])
def test_a_batch_without_output_fails_with_its_reason(state: BatchState) -> None:
    begun, ended = told(batch(state, reason="gate: critical: x"))
    assert (begun["eventType"], ended["eventType"]) == ("START", "FAIL")
    assert ended["run"]["facets"]["errorMessage"]["message"] == "gate: critical: x"
    assert names(ended["outputs"]) == [("s3://lake", "quarantine/app_logs")]


def test_a_batch_without_a_row_brings_nothing() -> None:
    one = batch(BatchState.EMPTY)
    _, ended = told(replace(one, counts=Counts(3, 0, 0, 0)), None)
    assert (ended["eventType"], ended["outputs"]) == ("COMPLETE", [])
    assert ended["eventTime"] == one.changed_at


@pytest.mark.parametrize(
    "state",
    [BatchState.CLAIMED, BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.DIVIDED],
)
def test_open_and_divided_batches_have_no_events(state: BatchState) -> None:
    assert told(batch(state)) == []
