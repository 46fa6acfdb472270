"""Backfill: objects that are older than the pipeline are registered page by page, and interruptions are resumed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import Calls, Died, Dying, FakeObjects, calls_of
from fakes.pipeline import RAW, Pipeline
from gluebook.core.states import FileState
from gluebook.errors import TerminalError
from gluebook.operations.backfill import Backfilled, backfill
from gluebook.operations.context import OperationsContext
from gluebook.operations.register import Registrations
from operator_kit import operations

PREFIX = "app_logs/mongod/"


def filled(*, per_page: int = 2, count: int = 5) -> Pipeline:
    """A pipeline whose bucket has `count` log files and one ticket file that are not registered."""
    pipeline = Pipeline(objects=FakeObjects(page=per_page))
    for number in range(count):
        pipeline.objects.put(RAW, f"{PREFIX}dt=2026-01-05/{number}.json", b"{}")
    pipeline.objects.put(RAW, "support_tickets/servicenow/dt=2026-01-05/a.csv", b"x")
    return pipeline


def run(context: OperationsContext, prefix: str = PREFIX, *, restart: bool = False) -> Backfilled:
    return backfill(prefix, context, restart=restart, on_page=lambda registrations, last: None)


def test_everything_below_the_prefix_is_registered_and_nothing_else() -> None:
    pipeline = filled()
    done = run(operations(pipeline))
    assert (done.registrations.registered, done.registrations.known, done.registrations.refused) == (5, 0, 0)
    assert len(pipeline.ledger.pending("app_logs", 100)) == 5
    assert pipeline.ledger.pending("support_tickets", 100) == []


def test_an_empty_prefix_is_the_whole_bucket() -> None:
    pipeline = filled()
    assert run(operations(pipeline), "").registrations.registered == 6
    assert sorted(pipeline.jobs.started) == ["job-logs", "job-tickets"]


def test_to_do_it_again_changes_nothing() -> None:
    pipeline = filled()
    run(operations(pipeline))
    before = list(pipeline.ledger.files())
    again = run(operations(pipeline))
    assert (again.registrations.registered, again.registrations.known) == (0, 5)
    assert list(pipeline.ledger.files()) == before


def test_keys_outside_the_convention_are_refused_and_reported() -> None:
    pipeline = filled()
    pipeline.objects.put(RAW, "old/stuff.csv", b"x")
    done = run(operations(pipeline), "old/")
    assert done.registrations == Registrations(refused=1)
    [file] = pipeline.ledger.files()
    assert file.state is FileState.FAILED
    assert pipeline.jobs.started == []


def test_a_prefix_without_objects_is_an_error() -> None:
    with pytest.raises(TerminalError, match="no object below s3://raw/app_logs/nginx/"):
        run(operations(filled()), "app_logs/nginx/")


def test_the_job_starts_after_the_first_page_that_brings_something() -> None:
    pipeline = filled()
    started: list[tuple[int, list[str]]] = []

    def on_page(registrations: Registrations, last: str) -> None:
        started.append((registrations.registered, list(pipeline.jobs.started)))

    backfill(PREFIX, operations(pipeline), restart=False, on_page=on_page)
    assert started[0] == (2, ["job-logs"])
    assert pipeline.jobs.started == ["job-logs"]  # the others were refused: a run was under way


def test_the_watcher_sees_the_totals_grow_to_the_end() -> None:
    seen: list[tuple[int, str]] = []
    pipeline = filled()
    backfill(
        PREFIX, operations(pipeline), restart=False, on_page=lambda a, last: seen.append((a.registered, last))
    )
    assert [count for count, _ in seen] == [2, 4, 5]
    assert seen[-1][1].endswith("/4.json")


def stopped_after_a_page(pipeline: Pipeline) -> None:
    def stop(registrations: Registrations, last: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(PREFIX, operations(pipeline), restart=False, on_page=stop)


def test_after_ctrl_c_the_next_call_goes_on_where_it_was_and_says_so() -> None:
    pipeline = filled()
    stopped_after_a_page(pipeline)
    done = run(operations(pipeline))
    assert done.resumed_after == f"{PREFIX}dt=2026-01-05/1.json"
    assert (done.registrations.registered, done.registrations.known) == (3, 0)
    assert run(operations(pipeline)).resumed_after == ""


def test_restart_starts_over_also_if_it_is_stopped_before_its_first_page_is_done() -> None:
    pipeline = filled()
    stopped_after_a_page(pipeline)
    done = run(operations(pipeline), restart=True)
    assert (done.resumed_after, done.registrations.known, done.registrations.registered) == ("", 2, 3)
    stopped_after_a_page(pipeline)
    calls = Calls(3)  # the old mark is deleted, the new one is not written yet
    with pytest.raises(Died):
        run(operations(pipeline, Dying(pipeline.ledger, calls)), restart=True)
    assert pipeline.ledger.mark(f"backfill:{PREFIX}") is None


def test_two_prefixes_have_a_mark_each() -> None:
    pipeline = filled()
    stopped_after_a_page(pipeline)
    assert run(operations(pipeline), "support_tickets/").resumed_after == ""
    assert pipeline.ledger.mark(f"backfill:{PREFIX}") is not None


@pytest.mark.parametrize("per_page", [2, 100])
def test_a_backfill_that_dies_anywhere_is_finished_by_a_second_one(per_page: int) -> None:
    def act(pipeline: Pipeline, calls: Calls) -> None:
        work = operations(pipeline, Dying(pipeline.ledger, calls), Dying(pipeline.objects, calls))
        run(replace(work, jobs=Dying(pipeline.jobs, calls)))

    most = calls_of(lambda calls: act(filled(per_page=per_page), calls))
    for dies_at in range(1, most + 1):
        pipeline = filled(per_page=per_page)
        with pytest.raises(Died):
            act(pipeline, Calls(dies_at))
        act(pipeline, Calls())
        assert len(pipeline.ledger.pending("app_logs", 100)) == 5
        assert pipeline.jobs.started == ["job-logs"]
        assert pipeline.ledger.mark(f"backfill:{PREFIX}") is None


def test_versions_of_one_key_are_registered_oldest_first_and_noted_as_a_correction() -> None:
    pipeline = filled(count=1)
    newer = pipeline.objects.put(RAW, f"{PREFIX}dt=2026-01-05/0.json", b"{ }")
    run(operations(pipeline))
    versions = pipeline.ledger.versions(RAW, f"{PREFIX}dt=2026-01-05/0.json")
    assert [v.version_id for v in versions][-1] == newer
    assert len(pipeline.ledger.corrections("app_logs")) == 1


# -- one object's failure ----------------------------------------------------------------------------------


def test_an_object_that_cannot_be_registered_keeps_nothing_behind_it_from_being_taken_in() -> None:
    pipeline = filled(per_page=1, count=2)
    late = f"{PREFIX}dt=2026-01-05/zzz/late.txt"
    pipeline.objects.put(RAW, late, b"{}")
    bad = f"{PREFIX}dt=2026-01-05/1.json"
    pipeline.ledger.refuse(bad)
    done = run(operations(pipeline))
    assert (done.registrations.registered, [failure.key for failure in done.registrations.failed]) == (
        2,
        [bad],
    )
    assert late in {file.key for file in pipeline.ledger.pending("app_logs", 10)}
    pipeline.ledger.refuse()
    again = run(operations(pipeline))
    assert (again.resumed_after, again.registrations.registered, again.registrations.failed) == ("", 1, ())


def test_an_interrupted_backfill_goes_on_before_the_first_object_that_could_not_be_registered() -> None:
    pipeline = filled(per_page=1, count=4)
    pipeline.ledger.refuse(f"{PREFIX}dt=2026-01-05/1.json")

    def interrupted(registrations: Registrations, last: str) -> None:
        if last.endswith("2.json"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(PREFIX, operations(pipeline), restart=False, on_page=interrupted)
    pipeline.ledger.refuse()
    again = run(operations(pipeline))
    assert again.resumed_after == f"{PREFIX}dt=2026-01-05/0.json"
    assert (again.registrations.registered, again.registrations.known) == (2, 1)
