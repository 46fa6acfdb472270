"""The sweep: what events would have done, when they got lost; and what it tells of the pipeline's health."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes import FakeObjects, a_file
from fakes.pipeline import DATASET, RAW, Pipeline, statement_ended
from gluebook.core.events import Tick
from gluebook.core.model import FileVersion
from gluebook.core.states import BatchState, FileState
from gluebook.core.timestamps import utc_timestamp
from gluebook.functions.sweep import sweep

LOGS = "app_logs/mongod/dt=2026-01-05/"


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def swept(pipeline: Pipeline, times: int = 1) -> dict[str, Any]:
    """What the last of so many sweeps has found: what one asks the warehouse, the next one hears."""
    for _ in range(times - 1):
        sweep(pipeline.sweeping)
    found = sweep(pipeline.sweeping)
    # It is a function's answer.
    assert json.loads(json.dumps(found)) == found
    return found


# -- lost events -------------------------------------------------------------------------------------------


def test_sweep_starts_what_should_be_running(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.batch(BatchState.CLAIMED)
    found = swept(pipeline)
    assert pipeline.jobs.started == ["job-logs"]
    assert (found["app_logs"]["pending"], found["app_logs"]["open"]) == (1, {"CLAIMED": 1})
    assert (found["support_tickets"]["pending"], found["support_tickets"]["open"]) == (0, {})


def test_the_sweep_starts_a_job_for_abandoned_batches_but_not_for_leased_ones(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CLAIMED)
    sweep(pipeline.sweeping)
    assert pipeline.jobs.started == []
    pipeline.clock.forward(601)
    sweep(pipeline.sweeping)
    assert pipeline.jobs.started == ["job-logs"]


def test_the_sweep_confirms_loads_whose_event_was_lost(pipeline: Pipeline) -> None:
    there, missing = pipeline.submitted(), pipeline.submitted()
    pipeline.warehouse.loads = {there.batch_id: (4, 3, 2), "somebody-elses": (1, 1)}
    assert swept(pipeline)["app_logs"]["loads_found"] == []
    found = swept(pipeline)
    assert found["app_logs"]["loads_found"] == [there.batch_id]
    loaded = pipeline.now(there)
    assert (loaded.state, loaded.merged, loaded.superseded, loaded.retracted) == (BatchState.LOADED, 4, 3, 2)
    assert pipeline.ledger.mark("loaded:app_logs") == f"{there.batch_id}/1"
    assert pipeline.now(missing) == missing


def test_a_load_of_an_earlier_generation_says_nothing_of_the_one_under_way(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.LOADED)
    again = pipeline.curate(pipeline.again(batch), rows=7)
    pipeline.handle(Tick())
    assert pipeline.now(again).state is BatchState.LOADING
    pipeline.warehouse.loads = {(batch.batch_id, 1): (7, 0)}
    assert swept(pipeline, 2)["app_logs"]["loads_found"] == []
    pipeline.warehouse.loads[(batch.batch_id, 2)] = (7, 0)
    assert swept(pipeline, 2)["app_logs"]["loads_found"] == [batch.batch_id]
    assert pipeline.ledger.mark("loaded:app_logs") == f"{batch.batch_id}/2"


def test_sweep_asks_the_warehouse_only_if_something_is_loading(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED)
    sweep(pipeline.sweeping)
    assert pipeline.warehouse.ran == []


def test_the_statement_that_asks_for_loads_names_only_what_is_loading(pipeline: Pipeline) -> None:
    loading = pipeline.submitted()
    pipeline.batch(BatchState.CLAIMED)
    sweep(pipeline.sweeping)
    [sql] = pipeline.warehouse.ran[-1][1]
    assert re.findall(r"'([^']*)'", sql) == [loading.batch_id]


def test_sweep_asks_again_for_a_crawl_that_was_refused(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("crawl:app_logs", "wanted")
    pipeline.catalog.start_crawler("crawl-logs")
    sweep(pipeline.sweeping)
    assert pipeline.ledger.mark("crawl:app_logs")
    pipeline.catalog.crawling.clear()
    sweep(pipeline.sweeping)
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2
    assert pipeline.ledger.mark("crawl:app_logs") is None


def test_sweep_and_load_at_odds_mark_a_batch_loaded_once(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, 4, 3)
    pipeline.warehouse.loads = {batch.batch_id: (4, 3)}
    steps: list[Callable[[], object]] = [
        lambda: pipeline.handle(statement_ended(batch)),
        lambda: swept(pipeline, 2),
        lambda: pipeline.handle(Tick()),
    ]
    for one, other in itertools.permutations(steps, 2):
        one()
        other()
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.merged, loaded.superseded) == (BatchState.LOADED, 4, 3)
    assert len(pipeline.warehouse.statements) == 1


def test_sweep_has_superseded_versions_taken_out_and_a_run_started_for_that(pipeline: Pipeline) -> None:
    first, second = a_file("a.log", version="v1"), a_file("a.log", version="v2", sequencer="0B")
    old = pipeline.batch(BatchState.LOADED, files=[first])
    pipeline.batch(BatchState.LOADED, files=[second])
    pipeline.ledger.note_correction(DATASET, first.bucket, first.key, "token")
    assert swept(pipeline)["app_logs"]["withdrawn"] == [old.batch_id]
    assert pipeline.state_of(first) is FileState.SUPERSEDED
    assert pipeline.jobs.started == ["job-logs"]


# -- lost objects ------------------------------------------------------------------------------------------


def with_objects(count: int, page: int = 2) -> Pipeline:
    """A raw bucket with pages of `page` versions, without any event."""
    pipeline = Pipeline(objects=FakeObjects(page=page))
    for number in range(count):
        pipeline.objects.put(RAW, f"{LOGS}{number:03d}", b"x")
    return pipeline


def known(pipeline: Pipeline) -> list[int]:
    return sorted(int(file.key[-3:]) for file in pipeline.ledger.files())


def test_an_object_whose_event_was_lost_is_registered_and_its_job_started(pipeline: Pipeline) -> None:
    pipeline.objects.put(RAW, f"{LOGS}000", b"x")
    pipeline.objects.put(RAW, "outside.csv", b"x")
    found = swept(pipeline)
    assert found["registered"] == 1
    assert known_of(pipeline, DATASET) == [f"{LOGS}000"]
    assert pipeline.jobs.started == ["job-logs"]
    assert found["outside_convention"] == 1
    assert swept(pipeline)["registered"] == 0


def known_of(pipeline: Pipeline, dataset: str) -> list[str]:
    return [file.key for file in pipeline.ledger.files() if file.dataset == dataset]


def test_the_bucket_is_walked_page_by_page_sweep_by_sweep() -> None:
    pipeline = with_objects(25)
    assert [swept(pipeline)["registered"] for _ in range(4)] == [10, 10, 5, 0]
    assert known(pipeline) == list(range(25))


def test_after_the_last_page_the_listing_starts_over() -> None:
    pipeline = with_objects(25)
    for _ in range(3):
        sweep(pipeline.sweeping)
    newer = pipeline.objects.put(RAW, f"{LOGS}000", b"newer")
    assert [swept(pipeline)["registered"] for _ in range(3)] == [0, 1, 0]
    assert [file.version_id for file in pipeline.ledger.versions(RAW, f"{LOGS}000")][1:] == [newer]


def test_every_object_is_found_within_one_round_wherever_the_walk_is() -> None:
    for start in range(5):
        pipeline = with_objects(25)
        for _ in range(start):
            sweep(pipeline.sweeping)
        pipeline.objects.put(RAW, f"{LOGS}007", b"newer")
        rounds = 0
        while len(pipeline.ledger.versions(RAW, f"{LOGS}007")) < 2:
            sweep(pipeline.sweeping)
            rounds += 1
            # Three sweeps for all pages, and one to see that it was the end.
            assert rounds <= 2 * 4


def test_a_sweep_that_dies_between_two_pages_goes_on_after_the_last_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = with_objects(10)
    register, left = pipeline.ledger.register, [5]

    def until_it_dies(file: FileVersion, cause: str, *, correctable: bool) -> bool:
        if left[0] == 0:
            raise ConnectionError("died")
        left[0] -= 1
        return register(file, cause, correctable=correctable)

    monkeypatch.setattr(pipeline.ledger, "register", until_it_dies)
    with contextlib.suppress(ConnectionError):
        sweep(pipeline.sweeping)
    assert pipeline.ledger.mark("sweep-cursor") == f"{LOGS}003"
    left[0] = -1
    sweep(pipeline.sweeping)
    assert known(pipeline) == list(range(10))


def test_an_empty_bucket_leaves_no_cursor(pipeline: Pipeline) -> None:
    assert swept(pipeline)["registered"] == 0
    assert pipeline.ledger.mark("sweep-cursor") is None


# -- each part goes on when another fails ------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["", "ERROR: permission denied for relation etl_loads"])
def test_a_warehouse_that_does_not_answer_stops_nothing_else(pipeline: Pipeline, refusal: str) -> None:
    pipeline.submitted()
    pipeline.ledger.register(a_file(dataset="support_tickets"), "test")
    pipeline.ledger.set_mark("crawl:app_logs", "wanted")
    pipeline.ledger.set_mark("loaded:support_tickets", "b/1")
    pipeline.warehouse.busy, pipeline.warehouse.refusal = not refusal, refusal
    found = swept(pipeline, 2)
    assert found["app_logs"]["loads_found"] == []
    assert pipeline.jobs.started == ["job-tickets"]
    assert pipeline.catalog.crawls == ["crawl-logs"]


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Anything")


def refuse(*_: object, **__: object) -> Any:
    raise REFUSED


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda p, m: m.setattr(p.objects, "versions", refuse), id="the raw bucket"),
        pytest.param(lambda p, m: m.setattr(p.ledger, "corrections", refuse), id="corrections"),
        pytest.param(lambda p, m: m.setattr(p.warehouse, "submit_query", refuse), id="the warehouse"),
    ],
)
def test_a_part_that_fails_keeps_no_other_from_being_done(
    pipeline: Pipeline, break_it: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.submitted()
    for dataset in ("app_logs", "support_tickets"):
        pipeline.ledger.register(a_file(dataset=dataset), "test")
        pipeline.ledger.set_mark(f"crawl:{dataset}", "wanted")
    break_it(pipeline, monkeypatch)
    try:
        sweep(pipeline.sweeping)
    except Exception as error:  # noqa: BLE001  it may well say in the end that it was not whole
        assert "AccessDenied" in repr(error) + repr(getattr(error, "exceptions", ""))
    assert pipeline.jobs.started == ["job-logs", "job-tickets"]
    assert pipeline.catalog.crawls == ["crawl-logs", "crawl-tickets"]


# -- drift -------------------------------------------------------------------------------------------------


def drift_questions(pipeline: Pipeline) -> int:
    return pipeline.warehouse.questions("gluebook-drift-app_logs")


def test_the_warehouse_is_compared_once_after_each_time_that_something_was_loaded(pipeline: Pipeline) -> None:
    pipeline.warehouse.drifts[DATASET] = (7, 7, 1, 0, 0)
    assert swept(pipeline)["app_logs"]["drift"] is None
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    assert swept(pipeline)["app_logs"]["drift"] is None, "it is only asked"
    found = swept(pipeline)["app_logs"]["drift"]
    assert (found["table_rows"], found["noted_rows"], found["loads"]) == (7, 7, 1)
    assert swept(pipeline)["app_logs"]["drift"] is None
    assert drift_questions(pipeline) == 1
    pipeline.ledger.set_mark("loaded:app_logs", "b1/2")
    assert swept(pipeline, 2)["app_logs"]["drift"] is not None
    assert drift_questions(pipeline) == 2


def test_a_load_between_question_and_answer_has_the_warehouse_compared_again(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    sweep(pipeline.sweeping)
    pipeline.ledger.set_mark("loaded:app_logs", "b1/2")
    assert swept(pipeline)["app_logs"]["drift"] is not None
    assert swept(pipeline, 2)["app_logs"]["drift"] is not None
    assert swept(pipeline, 2)["app_logs"]["drift"] is None
    assert drift_questions(pipeline) == 2


def test_the_warehouse_is_not_compared_while_a_load_may_be_changing_it(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    batch = pipeline.batch(BatchState.CURATED)
    sweep(pipeline.sweeping)
    assert drift_questions(pipeline) == 0
    pipeline.handle(Tick())
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(batch))
    sweep(pipeline.sweeping)
    assert drift_questions(pipeline) == 1


def test_a_failing_load_does_not_prevent_the_comparison(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    batch = pipeline.submitted()
    for attempt in (1, 2):
        pipeline.warehouse.fail(pipeline.warehouse.latest, "ERROR: Disk Full")
        pipeline.handle(statement_ended(batch, attempt, "FAILED"))
    assert swept(pipeline, 2)["app_logs"]["drift"] is not None


@pytest.mark.parametrize("lost", ["busy", "refused", "expired"])
def test_a_question_that_got_no_answer_is_asked_again(pipeline: Pipeline, lost: str) -> None:
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    pipeline.warehouse.busy = lost == "busy"
    pipeline.warehouse.refusal = "ERROR: no" if lost == "refused" else ""
    sweep(pipeline.sweeping)
    if lost == "expired":
        pipeline.warehouse.forget_questions()
    assert swept(pipeline)["app_logs"]["drift"] is None
    pipeline.warehouse.busy, pipeline.warehouse.refusal = False, ""
    assert any(swept(pipeline)["app_logs"]["drift"] for _ in range(2))


def a_week_of_sweeps(pipeline: Pipeline) -> None:
    for _ in range(7 * 24 * 12):
        sweep(pipeline.sweeping)
        pipeline.clock.forward(300)


def test_a_failing_comparison_is_retried_with_growing_pauses_and_raises_an_alarm(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.ledger.set_mark("loaded:app_logs", "b1/1")
    pipeline.warehouse.refusal = "ERROR: permission denied for relation app_logs"
    for _ in range(4):
        sweep(pipeline.sweeping)
        pipeline.clock.forward(1_200)
    assert metrics(capsys.readouterr().out)["app_logs"]["DriftUnanswered"] == 4
    # Another load makes it no better, and is no reason to ask more often.
    pipeline.ledger.set_mark("loaded:app_logs", "b1/2")
    a_week_of_sweeps(pipeline)
    assert drift_questions(pipeline) <= 16
    pipeline.warehouse.refusal = ""
    pipeline.clock.forward(86_400)
    assert swept(pipeline, 2)["app_logs"]["drift"] is not None
    assert pipeline.ledger.mark("compared:app_logs") == "b1/2"
    sweep(pipeline.sweeping)
    assert metrics(capsys.readouterr().out)["app_logs"]["DriftUnanswered"] == 0


def test_an_endless_load_is_queried_with_growing_pauses_and_a_new_one_at_once(
    pipeline: Pipeline,
) -> None:
    pipeline.submitted()
    a_week_of_sweeps(pipeline)
    asked = pipeline.warehouse.questions("gluebook-loads-app_logs")
    assert 5 < asked <= 16
    further = pipeline.submitted()
    pipeline.warehouse.loads = {further.batch_id: (4, 3)}
    assert [further.batch_id] in [swept(pipeline)["app_logs"]["loads_found"] for _ in range(3)]


# -- what it tells -----------------------------------------------------------------------------------------


def metrics(out: str) -> dict[str, dict[str, Any]]:
    """The lines of metrics by dataset."""
    return {line["Dataset"]: line for line in map(json.loads, out.splitlines()) if "_aws" in line}


def test_each_dataset_has_a_line_of_metrics(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.ledger.register(a_file(at=utc_timestamp(pipeline.clock())), "test")
    pipeline.batch(BatchState.CLAIMED, dataset="support_tickets")
    pipeline.ledger.set_mark("loaded:app_logs", "b/1")
    pipeline.warehouse.drifts[DATASET] = (9, 7, 1, 0, 1)
    pipeline.clock.forward(90)
    sweep(pipeline.sweeping)
    capsys.readouterr()
    found = swept(pipeline)
    lines = metrics(capsys.readouterr().out)
    logs, tickets = lines["app_logs"], lines["support_tickets"]
    assert (logs["FilesPending"], logs["OldestUnloadedAge"], logs["Failures"]) == (1, 90, 0)
    assert logs["WarehouseDrift"] == 3.0
    assert (tickets["FilesPending"], tickets["BatchesClaimed"]) == (0, 1)
    assert "WarehouseDrift" not in tickets, "nobody asked"
    [about] = logs["_aws"]["CloudWatchMetrics"]
    assert (about["Namespace"], about["Dimensions"]) == ("Gluebook", [["Dataset"]])
    assert {metric["Name"] for metric in about["Metrics"]} == {
        "FilesPending",
        "OldestUnloadedAge",
        "Failures",
        "LoadsFailing",
        "VerdictsFailing",
        "DriftUnanswered",
        "WarehouseDrift",
    }
    assert found["app_logs"]["oldest_seconds"] == 90


def test_failures_count_for_a_day_those_outside_the_convention_apart(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = pipeline.carried(a_file())
    file = pipeline.ledger.batch_files(batch.batch_id)[0]
    pipeline.ledger.settle_file(
        batch, file, FileState.FAILED, "corrupt_gzip", utc_timestamp(pipeline.clock())
    )
    pipeline.objects.put(RAW, "outside.csv", b"x")
    found = swept(pipeline)
    assert (found["app_logs"]["failures"], found["support_tickets"]["failures"]) == (1, 0)
    assert found["outside_convention"] == 1
    lines = metrics(capsys.readouterr().out)
    assert (lines["app_logs"]["Failures"], lines["none"]["Failures"]) == (1, 1)
    pipeline.clock.forward(24 * 3_600 + 1)
    found = swept(pipeline)
    assert (found["app_logs"]["failures"], found["outside_convention"]) == (0, 0)


# -- one object's failure ----------------------------------------------------------------------------------


def test_an_object_that_cannot_be_registered_keeps_the_sweep_from_nothing_behind_it() -> None:
    pipeline = Pipeline(objects=FakeObjects(page=1))
    bad, late = f"{LOGS}bad.txt", f"{LOGS}zzz/late.txt"
    for key in (bad, late):
        pipeline.objects.put(RAW, key, b"{}")
    pipeline.ledger.refuse(bad)
    with pytest.raises(ExceptionGroup) as caught:
        sweep(pipeline.sweeping)
    assert [file.key for file in pipeline.ledger.pending("app_logs", 10)] == [late]
    assert bad in "".join(traceback.format_exception(caught.value))
    assert pipeline.jobs.started == ["job-logs"]
    pipeline.ledger.refuse()
    swept(pipeline)
    swept(pipeline)
    assert {file.key for file in pipeline.ledger.pending("app_logs", 10)} == {late, bad}


def test_the_sweep_counts_the_objects_that_it_could_not_register(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.objects.put(RAW, f"{LOGS}bad.txt", b"{}")
    pipeline.ledger.refuse(f"{LOGS}bad.txt")
    with contextlib.suppress(ExceptionGroup):
        sweep(pipeline.sweeping)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["ObjectsNotRegistered"] for one in told if one.get("Dataset") == "none"] == [1]
