"""What the report of a day says, gathered from ledger, lake and warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from fakes.objects import FakeObjects
from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts
from gluebook.core.statements import Rows
from gluebook.core.states import BatchState
from gluebook.errors import TerminalError, WarehouseBusy
from gluebook.operations.rejects import Reject
from gluebook.operations.status import FileStatus, Overview
from gluebook.report.gather import EXAMPLE_CHARACTERS, Sources, checks_of, gather
from gluebook.report.model import Answers, ReportData, ServiceErrors, TicketsOpened, Trend
from gluebook.report.warehouse import SERVICES_SQL, TICKETS_SQL, TRENDS_SQL, answers_of, unanswered
from report_kit import DAY, MADE_AT
from report_quality import logs_quality, outcome

LAKE = Lake("lake")
QUALITY = logs_quality("app_logs-1")


def status(name: str, state: str, *, dt: str = str(DAY), **more: Any) -> FileStatus:
    key = f"app_logs/mongod/dt={dt}/{name}"
    batch = {
        "batch_id": "app_logs-1",
        "counts": Counts(10, 7, 1, 2),
        "reject_reasons": {"malformed_record": 2},
    }
    return FileStatus(
        key=key,
        version_id="v1",
        dataset="app_logs",
        source="mongod",
        state=state,
        registered_at=MADE_AT,
        **{"reason": None, **batch, **more},
    )


def batch(state: BatchState = BatchState.LOADED) -> Batch:
    return Batch("app_logs-1", "app_logs", state, "run", 1, 0, 1, MADE_AT)


def rejects(dataset: str, batch_id: str) -> Iterable[Reject]:
    for number in range(1, 9):
        yield Reject(
            key=f"app_logs/mongod/dt={DAY}/{'other' if number == 1 else 'a'}",
            version_id="v1",
            record=number,
            dataset=dataset,
            source="mongod",
            reason="malformed_record",
            batch_id=batch_id,
            raw=f"{batch_id}-{number}-" + "x" * 500,
        )


def gathered(
    *files: FileStatus, store: FakeObjects | None = None, answers: Answers | None = None
) -> ReportData:
    sources = Sources(
        LAKE,
        store or FakeObjects(),
        lambda: Overview(files, (batch(),)),
        rejects,
        lambda: answers or Answers(),
    )
    return gather(DAY, MADE_AT, sources)


def test_a_day_is_the_files_that_arrived_on_it_and_what_is_broken_elsewhere() -> None:
    data = gathered(
        status("a", "LOADED", loaded=7),
        status("b", "LOADED", dt="2026-01-04"),
        status("c", "FAILED", dt="2026-01-04", reason="not_gzip"),
    )
    assert [file.key.rsplit("/", 1)[1] for file in data.files] == ["a"]
    assert [(file.state, file.reason) for file in data.elsewhere] == [("FAILED", "not_gzip")]
    assert [dataset.dataset for dataset in data.datasets] == list(CONTRACTS)
    assert (data.counts.read, data.datasets[0].loaded) == (10, 7)


def test_the_gates_reports_of_the_days_batches_are_read_and_a_missing_one_is_told() -> None:
    assert gathered(status("a", "LOADED")).datasets[0].unchecked == ("app_logs-1",)
    store = FakeObjects()
    store.put_json(LAKE.bucket, LAKE.quality("app_logs", "app_logs-1", 0), QUALITY)
    logs = gathered(status("a", "LOADED"), store=store).datasets[0]
    assert (logs.unchecked, len(logs.checks), len(logs.failed)) == ((), 13, 1)
    assert logs.newest_at == "2026-01-05T09:59:59Z"
    assert logs.gated[0].page == "expectations/app_logs/app_logs-1.html"


def test_a_report_of_an_older_release_is_as_good_as_none() -> None:
    store = FakeObjects()
    store.put_json(LAKE.bucket, LAKE.quality("app_logs", "app_logs-1", 0), {"passed": True, "results": []})
    assert gathered(status("a", "LOADED"), store=store).datasets[0].unchecked == ("app_logs-1",)


@pytest.mark.parametrize(("state", "counts"), [("PENDING", Counts()), ("EMPTY", Counts(2, 0, 0, 2))])
def test_a_batch_without_rows_or_not_yet_published_needs_no_report(state: str, counts: Counts) -> None:
    assert gathered(status("a", state, counts=counts)).datasets[0].unchecked == ()


def test_examples_of_rejects_are_few_short_and_of_the_days_own_files() -> None:
    (reason,) = gathered(status("a", "LOADED")).datasets[0].rejects
    assert (reason.reason, reason.records) == ("malformed_record", 2)
    assert [example.record for example in reason.examples] == ["2", "3", "4"]
    assert {len(example.text) for example in reason.examples} == {EXAMPLE_CHARACTERS}


def test_lineage_names_the_parquet_of_the_files_own_day_once_it_is_published() -> None:
    store = FakeObjects()
    here, there = (LAKE.curated_file("app_logs", dt, "app_logs-1", 0) for dt in (str(DAY), "2026-01-04"))
    store.put_json(
        LAKE.bucket,
        LAKE.manifest("app_logs", "app_logs-1"),
        {"entries": [{"url": LAKE.uri(key), "meta": {"content_length": 1}} for key in (here, there)]},
    )
    data = gathered(status("a", "LOADED", loaded=7), status("b", "REJECTED"), store=store)
    assert [(line.parquet, line.loaded, line.state) for line in data.lineage] == [
        ((here,), 7, "LOADED"),
        ((), 0, "REJECTED"),
    ]
    assert data.lineage[0].manifest == LAKE.manifest("app_logs", "app_logs-1")


def test_an_expectation_of_many_batches_is_told_once_with_what_was_seen_where_it_failed() -> None:
    kwargs = {"column": "level"}
    kind = "expect_column_values_to_not_be_null"
    fine = outcome(kind, kwargs)
    bad = outcome(
        kind,
        kwargs,
        passed=False,
        unexpected_rows=3,
        unexpected_percent=1.5,
        observed="seen",
        examples=[{"a": 1}] * 8,
    )
    (check,) = checks_of(
        [logs_quality(str(number), outcomes=[one]) for number, one in enumerate((fine, bad, bad))]
    )
    assert (check.batches, check.failed_in, check.unexpected_rows, check.percent) == (3, 2, 6, 1.5)
    assert (check.observed, len(check.examples), check.examples[0]) == ("seen", 10, {"a": "1"})


class Answering:
    """A warehouse with these answers; an exception is raised."""

    def __init__(self, **answers: list[tuple[Any, ...]] | Exception) -> None:
        self._answers = answers

    def query(self, sql: str, *, timeout_seconds: float) -> Rows:
        table = {TRENDS_SQL: "trends", TICKETS_SQL: "tickets", SERVICES_SQL: "services"}[sql]
        answer = self._answers[table]
        if isinstance(answer, Exception):
            raise answer
        return Rows((), answer)


def test_the_warehouses_answers_become_values() -> None:
    answers = answers_of(
        Answering(
            trends=[("b", "app_logs", "2026-01-05 10:15:42.5", 10, 7, 1, 2, 1, None)],
            tickets=[("2026-01-05", "high", 3)],
            services=[("2026-01-05", "checkout", 9, None)],
        )
    )
    assert answers.trends == (Trend("b", "app_logs", "2026-01-05T10:15:42Z", Counts(10, 7, 1, 2), 1, 0),)
    assert answers.tickets == (TicketsOpened("2026-01-05", "high", 3),)
    assert answers.services == (ServiceErrors("2026-01-05", "checkout", 9, 0),)
    assert answers.problems == {}


def test_one_question_without_an_answer_costs_no_other() -> None:
    lacking = TerminalError('gluebook-query: ERROR: relation "dq_results" does not exist')
    answers = answers_of(
        Answering(
            trends=lacking, tickets=[("2026-01-05", "high", 3)], services=WarehouseBusy("it has not ended")
        )
    )
    assert len(answers.tickets) == 1
    assert (
        "made by the first load" in answers.problems["trends"] and "dq_results" in answers.problems["trends"]
    )
    assert answers.problems["services"] == "it has not ended"
    odd = answers_of(
        Answering(trends=[("b", "d", "now", "many", 1, 1, 1, 1, 1)], tickets=[], services=[(None,)])
    )
    assert "is not what the report expects" in odd.problems["trends"] and odd.trends == ()
    assert set(unanswered("none is named").problems) == {"trends", "tickets", "services"}
