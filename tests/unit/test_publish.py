"""Publish: readers of manifests see a batch completely or not at all, in one generation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes import Calls, Died, Dying, FakeLedger, FakeObjects, a_file, calls_of
from fakes.pipeline import Pipeline
from gluebook.contracts.reasons import ReasonText
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.plan import PublishedFile, PublishPlan
from gluebook.core.states import BatchState
from gluebook.errors import CountMismatch, Fenced
from gluebook.job.claim import fail_or_divide
from gluebook.job.context import JobContext
from gluebook.job.divide import divide
from gluebook.job.publish import (
    begin_publishing,
    finish_publishing,
    remove_work_files,
    withdraw_published,
)

Stage = Callable[[], tuple[Pipeline, Batch]]
LAKE = "lake"
ONE, TWO = a_file("one"), a_file("two")


def staged_plan(pipeline: Pipeline, batch: Batch, rows: int = 2, row_references: bool = True) -> PublishPlan:
    """A plan of `rows` files and one of rejects, staged for the batch's epoch and generation."""
    prefix = pipeline.lake.staging(batch.batch_id, batch.epoch)
    generation = batch.generation

    def file(number: int, kind: str, final: str) -> PublishedFile:
        body = f"{kind} {number} of generation {generation}".encode()
        staged = f"{prefix}{kind}/{number}.parquet"
        pipeline.objects.put(LAKE, staged, body)
        return PublishedFile(staged, final, len(body))

    lake = pipeline.lake
    names = [
        lake.curated_file(batch.dataset, "2026-01-05", batch.batch_id, n, generation) for n in range(rows)
    ]
    files = tuple(file(number, "data", name) for number, name in enumerate(names))
    reference = lake.row_references_file(batch.dataset, batch.batch_id, 0, generation)
    rejects = lake.quarantine_file(batch.dataset, batch.batch_id, batch.epoch, 0)
    return PublishPlan(
        files=files,
        results=(FileResult(ONE.file_id, ONE.key, "v1", Counts(rows, rows)),),
        partitions=("2026-01-05",) if rows else (),
        counts=Counts(rows, rows),
        row_references=(file(0, "vouchers", reference),) if row_references else (),
        row_reference_rows=1 if row_references else 0,
        rejects=(file(0, "rejects", rejects),),
        epoch=batch.epoch,
    )


def begun(pipeline: Pipeline, batch: Batch, rows: int = 2, outcome: BatchState = BatchState.CURATED) -> Batch:
    plan = staged_plan(pipeline, batch, rows)
    if outcome is not BatchState.CURATED:
        plan = replace(
            plan, files=(), row_references=(), partitions=(), outcome=outcome, reason=ReasonText("why")
        )
    ledger: Any = pipeline.ledger
    return begin_publishing(JobContext(ledger, pipeline.objects, pipeline.lake, pipeline.clock), batch, plan)


def finish(pipeline: Pipeline, batch: Batch, calls: Calls | None = None) -> Batch:
    calls = calls or Calls()
    ledger: Any = Dying(pipeline.ledger, calls)
    objects: Any = Dying(pipeline.objects, calls)
    done = finish_publishing(JobContext(ledger, objects, pipeline.lake, pipeline.clock), batch)
    remove_work_files(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), done)
    return done


def generation_one() -> tuple[Pipeline, Batch]:
    """A batch of which everything is staged and the gate is passed."""
    pipeline = Pipeline()
    return pipeline, begun(pipeline, pipeline.carried(ONE, TWO, batch_id="app_logs-b"))


def generation_two(rows: int = 1) -> tuple[Pipeline, Batch]:
    """A loaded batch whose further generation, of fewer rows, is staged and has passed the gate."""
    pipeline, going = generation_one()
    again = pipeline.again(pipeline.load(finish(pipeline, going)))
    return pipeline, begun(pipeline, again, rows)


def rejected() -> tuple[Pipeline, Batch]:
    """A batch that the gate has rejected."""
    pipeline = Pipeline()
    batch = pipeline.carried(ONE, TWO, batch_id="app_logs-b")
    return pipeline, begun(pipeline, batch, outcome=BatchState.REJECTED)


def rejected_again() -> tuple[Pipeline, Batch]:
    """A loaded batch that the gate has rejected when it was processed again."""
    pipeline, going = generation_one()
    again = pipeline.again(pipeline.load(finish(pipeline, going)))
    return pipeline, begun(pipeline, again, outcome=BatchState.REJECTED)


def told(pipeline: Pipeline) -> dict[str, bytes | None]:
    """The batch's rejects, and the results that the ledger names."""
    [batch] = pipeline.ledger.batches()
    results = pipeline.lake.result(batch.dataset, batch.batch_id, batch.reported_epoch)
    keys = [*pipeline.objects.sizes(LAKE, "quarantine/"), results]
    return {key: pipeline.objects.body(LAKE, key) for key in keys}


def assert_all_or_nothing(pipeline: Pipeline) -> None:
    seen = [set(files.values()) for files in pipeline.by_manifest().values()]
    assert None not in set().union(*seen), "a manifest names what isn't there"
    rows = [one for one in seen if any(body and body.startswith(b"data") for body in one)]
    assert len(rows) <= 1, "two generations at once"


MANIFEST, ROW_REFERENCES = "manifests/app_logs/app_logs-b.json", "vouchers/app_logs/app_logs-b.json"
CURATED_NAMES = {
    1: {f"curated/app_logs/dt=2026-01-05/app_logs-b-0000{n}.parquet" for n in (0, 1)},
    2: {"curated/app_logs/dt=2026-01-05/app_logs-b.g2-00000.parquet"},
}


def test_a_published_batch_is_there_with_its_manifests_and_nothing_else() -> None:
    pipeline, going = generation_one()
    done = finish(pipeline, going)
    assert (done.state, done.counts, done.partitions, done.row_references) == (
        BatchState.CURATED,
        Counts(2, 2),
        ("2026-01-05",),
        1,
    )
    assert set(pipeline.visible()) == {
        *CURATED_NAMES[1],
        MANIFEST,
        ROW_REFERENCES,
        "vouchers/app_logs/app_logs-b-00000.parquet",
    }
    assert pipeline.objects.sizes(LAKE, "staging/") == {}
    [result] = pipeline.objects.get_json(LAKE, "results/app_logs/app_logs-b-e1.json")["files"]
    assert (result["key"], result["counts"]["curated"]) == (ONE.key, 2)


def test_the_manifest_comes_after_everything_it_names() -> None:
    for n in range(1, calls_of(lambda calls: finish(*generation_one(), calls)) + 1):
        pipeline, going = generation_one()
        with pytest.raises(Died):
            finish(pipeline, going, Calls(n))
        assert_all_or_nothing(pipeline)


def test_a_later_generation_replaces_the_previous_one() -> None:
    pipeline, going = generation_two()
    finish(pipeline, going)
    assert set(pipeline.visible()) == {
        *CURATED_NAMES[2],
        "manifests/app_logs/app_logs-b.g2.json",
        "vouchers/app_logs/app_logs-b.g2.json",
        "vouchers/app_logs/app_logs-b.g2-00000.parquet",
    }
    assert pipeline.by_manifest() == {
        "manifests/app_logs/app_logs-b.g2.json": {
            "curated/app_logs/dt=2026-01-05/app_logs-b.g2-00000.parquet": b"data 0 of generation 2"
        },
        "vouchers/app_logs/app_logs-b.g2.json": {
            "vouchers/app_logs/app_logs-b.g2-00000.parquet": b"vouchers 0 of generation 2"
        },
    }
    # A late run cannot restore the earlier one.
    assert pipeline.withdrawn(MANIFEST) == sorted(CURATED_NAMES[1])
    assert pipeline.withdrawn(ROW_REFERENCES) == ["vouchers/app_logs/app_logs-b-00000.parquet"]


def test_a_later_generation_without_rows_leaves_none_of_the_previous_one() -> None:
    pipeline, going = generation_two(rows=0)
    finish(pipeline, going)
    assert not [key for key in pipeline.visible() if key.startswith(("curated/", "manifests/"))]


def test_a_generation_after_a_failed_one_replaces_what_is_published() -> None:
    pipeline, going = generation_one()
    loaded = pipeline.load(finish(pipeline, going))
    second = pipeline.again(loaded)
    failed = fail_or_divide(pipeline.job_context, second, ReasonText("attempts_used_up"), "t")
    third = pipeline.again(failed)
    finish(pipeline, begun(pipeline, third, 1))
    assert [key for key in pipeline.visible() if key.startswith("curated/")] == [
        "curated/app_logs/dt=2026-01-05/app_logs-b.g3-00000.parquet"
    ]


@pytest.mark.parametrize("stage", [generation_one, generation_two, rejected, rejected_again])
def test_a_run_that_dies_at_any_call_is_rolled_forward_to_the_same_end(stage: Stage) -> None:
    pipeline, going = stage()
    ends = finish(pipeline, going).state, pipeline.visible(), told(pipeline)
    for n in range(1, calls_of(lambda calls: finish(*stage(), calls)) + 1):
        pipeline, going = stage()
        with pytest.raises(Died):
            finish(pipeline, going, Calls(n))
        assert_all_or_nothing(pipeline)
        now = pipeline.now(going)
        if now.state is BatchState.PUBLISHING:
            pipeline.clock.forward(3_600)
            taken = pipeline.ledger.take_over(now, "jr_next", 10**10, pipeline.clock.seconds, "t")
            assert taken is not None
            finish(pipeline, taken)
        assert (pipeline.now(going).state, pipeline.visible(), told(pipeline)) == ends, f"died at call {n}"


def test_a_plan_that_is_gone_is_named() -> None:
    pipeline, going = generation_one()
    remove_work_files(pipeline.job_context, going)
    with pytest.raises(Exception, match=r"app_logs-b: its plan staging/.* is missing"):
        finish(pipeline, going)


# -- taken back --------------------------------------------------------------------------------------------


def refused() -> tuple[Pipeline, Batch]:
    """A batch that was published, and that the warehouse has refused."""
    pipeline, going = generation_one()
    done = finish(pipeline, going)
    return pipeline, fail_or_divide(pipeline.job_context, done, ReasonText("load_failed"), "t")


def half_published() -> tuple[Pipeline, Batch]:
    """A batch whose runs have died while they published it, all but one call before its end."""
    pipeline, going = generation_one()
    copied = calls_of(lambda calls: finish(*generation_one(), calls)) - 5
    with pytest.raises(Died):
        finish(pipeline, going, Calls(copied))
    assert [key for key in pipeline.visible() if key.startswith("curated/")]
    return pipeline, fail_or_divide(pipeline.job_context, pipeline.now(going), ReasonText("used up"), "t")


def left_of(pipeline: Pipeline) -> set[str]:
    """Keys outside what is swept up with the batch's work, and of manifests only those that name something.

    Results that the ledger does not name are ignored, because nothing reads them.
    """
    [batch] = pipeline.ledger.batches()
    results = pipeline.lake.result(batch.dataset, batch.batch_id, batch.reported_epoch)
    left = {key for key in pipeline.left() if not key.startswith(("staging/", "inbox/", "results/"))}
    return left | ({results} & pipeline.left())


@pytest.mark.parametrize("stage", [refused, half_published])
def test_a_withdrawn_batch_leaves_nothing(stage: Any) -> None:
    pipeline, batch = stage()
    assert left_of(pipeline)
    withdraw_published(pipeline.job_context, batch)
    assert left_of(pipeline) == set()
    # The withdrawn manifest outlives the files and the plan: a late run finds its key taken.
    assert CURATED_NAMES[1] <= set(pipeline.withdrawn(MANIFEST) or ())
    assert pipeline.objects.put_json_once(LAKE, MANIFEST, {"entries": [{"url": "late"}]}) is False


def test_files_of_a_late_copy_are_deleted_by_the_next_withdrawal() -> None:
    pipeline, batch = refused()
    files = pipeline.visible()
    withdraw_published(pipeline.job_context, batch)
    for key in CURATED_NAMES[1]:
        pipeline.objects.put(LAKE, key, files[key] or b"")
    withdraw_published(pipeline.job_context, batch)
    assert left_of(pipeline) == set()


def test_withdrawing_an_unpublished_batch_occupies_its_manifests_key() -> None:
    pipeline = Pipeline()
    batch = fail_or_divide(
        pipeline.job_context, pipeline.carried(ONE, batch_id="app_logs-b"), ReasonText("used up"), "t"
    )
    withdraw_published(pipeline.job_context, batch)
    assert pipeline.objects.get_json(LAKE, MANIFEST) == {"entries": [], "withdrawn": []}
    assert left_of(pipeline) == set()


@pytest.mark.parametrize("stage", [refused, half_published])
def test_a_withdrawal_deletes_the_manifest_first_and_completes_after_any_crash(stage: Stage) -> None:
    def withdraw(pipeline: Pipeline, batch: Batch, calls: Calls) -> None:
        objects: Any = Dying(pipeline.objects, calls)
        withdraw_published(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), batch)

    for n in range(1, calls_of(lambda calls: withdraw(*stage(), calls)) + 1):
        pipeline, batch = stage()
        with pytest.raises(Died):
            withdraw(pipeline, batch, Calls(n))
        assert_all_or_nothing(pipeline)
        withdraw(pipeline, batch, Calls())
        assert left_of(pipeline) == set(), f"died at call {n}"


# -- zombies -----------------------------------------------------------------------------------------------


def test_a_run_that_lost_its_batch_before_the_gate_publishes_nothing() -> None:
    pipeline = Pipeline()
    zombie = pipeline.carried(ONE)
    pipeline.clock.forward(3_600)
    assert pipeline.ledger.take_over(zombie, "jr_next", 10**10, pipeline.clock.seconds, "t")
    with pytest.raises(Fenced):
        begun(pipeline, zombie)
    assert pipeline.visible() == {}


def test_a_run_that_lost_its_batch_while_publishing_changes_nothing_of_what_its_successor_made() -> None:
    pipeline, zombie = generation_one()
    pipeline.clock.forward(3_600)
    taken = pipeline.ledger.take_over(zombie, "jr_next", 10**10, pipeline.clock.seconds, "t")
    assert taken is not None
    done = finish_publishing(pipeline.job_context, taken)
    before = pipeline.visible()
    with pytest.raises(Fenced):
        finish(pipeline, zombie)
    assert (pipeline.visible(), pipeline.now(zombie)) == (before, done)


@pytest.mark.parametrize("swept", [False, True])
def test_a_fenced_off_run_restores_nothing(swept: bool) -> None:
    pipeline, zombie = generation_one()
    given_up = fail_or_divide(pipeline.job_context, zombie, ReasonText("used up"), "t")
    ledger: FakeLedger = pipeline.ledger
    objects: FakeObjects = pipeline.objects
    done = divide(JobContext(ledger, objects, pipeline.lake, pipeline.clock), given_up)
    if swept:
        remove_work_files(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), done)
    with pytest.raises(Fenced):
        finish(pipeline, zombie)
    assert pipeline.visible() == {}


class Overtaken:
    """A proxy for a ledger or objects that runs another action right before a certain call."""

    def __init__(self, inner: Any, calls: Calls, number: int, meanwhile: Callable[[], None]) -> None:
        self._inner, self._calls, self._number, self._meanwhile = inner, calls, number, meanwhile

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._calls.next() == self._number:
                self._meanwhile()
            return method(*args, **kwargs)

        return call


def test_a_run_whose_batch_is_withdrawn_at_any_call_restores_no_row() -> None:
    """Also after its last check of the fence: then the key of its manifest is taken."""
    for number in range(1, calls_of(lambda calls: finish(*generation_one(), calls)) + 1):
        pipeline, zombie = generation_one()

        def taken_back(pipeline: Pipeline = pipeline, zombie: Batch = zombie) -> None:
            given_up = fail_or_divide(pipeline.job_context, pipeline.now(zombie), ReasonText("used up"), "t")
            done = divide(pipeline.job_context, given_up)
            remove_work_files(pipeline.job_context, done)

        calls = Calls()
        ledger: Any = Overtaken(pipeline.ledger, calls, number, taken_back)
        objects: Any = Overtaken(pipeline.objects, calls, number, taken_back)
        with contextlib.suppress(Fenced, FileNotFoundError, CountMismatch):
            done = finish_publishing(JobContext(ledger, objects, pipeline.lake, pipeline.clock), zombie)
            remove_work_files(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), done)
        assert pipeline.now(zombie).state is BatchState.DIVIDED
        rows = [manifest for manifest in pipeline.by_manifest() if manifest.startswith("manifests/")]
        assert rows == [], f"taken back before call {number}"
        assert pipeline.withdrawn(MANIFEST) is not None


# -- what is said of a batch -------------------------------------------------------------------------------


def test_a_batchs_rejects_replace_its_earlier_rejects_only() -> None:
    pipeline, going = generation_one()
    before = [
        pipeline.lake.quarantine_file("app_logs", "app_logs-b", epoch, n) for epoch, n in ((0, 0), (0, 1))
    ]
    other = pipeline.lake.quarantine_file("app_logs", "app_logs-b2", 1, 0)
    later = pipeline.lake.quarantine_file("app_logs", "app_logs-b", 2, 0)
    for key in (*before, other, later):
        pipeline.objects.put(LAKE, key, b"x")
    finish(pipeline, going)
    kept = {key: pipeline.objects.body(LAKE, key) for key in pipeline.objects.sizes(LAKE, "quarantine/")}
    assert kept == {
        "quarantine/app_logs/app_logs-b-e1-00000.parquet": b"rejects 0 of generation 1",
        "quarantine/app_logs/app_logs-b-e2-00000.parquet": b"x",
        other: b"x",
    }


def moved_on(pipeline: Pipeline, zombie: Batch, how: str) -> None:
    """Others finish the batch and load it, and it is processed again so far."""
    pipeline.clock.forward(3_600)
    done = pipeline.now(zombie)
    if done.state is BatchState.PUBLISHING:
        taken = pipeline.ledger.take_over(done, "jr_next", 10**10, pipeline.clock.seconds, "t")
        assert taken is not None
        done = finish(pipeline, taken)
    again = pipeline.again(pipeline.load(done))
    if how == "given up":
        fail_or_divide(pipeline.job_context, again, ReasonText("used up"), "t")
    elif how != "claimed":
        going = begun(pipeline, again, 1, BatchState.REJECTED if how == "rejected" else BatchState.CURATED)
        done = finish(pipeline, going)
        if how == "refused":
            given_up = fail_or_divide(pipeline.job_context, done, ReasonText("load_failed"), "t")
            divide(pipeline.job_context, given_up)


@pytest.mark.parametrize("how", ["claimed", "given up", "rejected", "published", "refused"])
def test_a_run_whose_batch_is_reopened_at_any_call_changes_nothing(how: str) -> None:
    for number in range(1, calls_of(lambda calls: finish(*generation_one(), calls)) + 1):
        pipeline, zombie = generation_one()
        seen: list[Any] = []

        def meanwhile(pipeline: Pipeline = pipeline, zombie: Batch = zombie, seen: list[Any] = seen) -> None:
            moved_on(pipeline, zombie, how)
            seen += [pipeline.visible(), told(pipeline), pipeline.now(zombie)]

        calls = Calls()
        ledger: Any = Overtaken(pipeline.ledger, calls, number, meanwhile)
        objects: Any = Overtaken(pipeline.objects, calls, number, meanwhile)
        with contextlib.suppress(Fenced, FileNotFoundError):
            done = finish_publishing(JobContext(ledger, objects, pipeline.lake, pipeline.clock), zombie)
            remove_work_files(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), done)
        now = [pipeline.visible(), told(pipeline), pipeline.now(zombie)]
        assert now == seen, f"a generation further before call {number}"


def test_a_late_division_keeps_the_results_of_a_later_generation() -> None:
    pipeline, zombie = refused()
    pipeline.clock.forward(3_600)
    taken = pipeline.ledger.take_over(zombie, "jr_next", 10**10, pipeline.clock.seconds, "t")
    assert taken is not None
    failed = pipeline.ledger.advance(taken, replace(taken, state=BatchState.FAILED), "t", "it was one file")
    finish(pipeline, begun(pipeline, pipeline.again(failed), 1))
    before = pipeline.visible(), told(pipeline)
    withdraw_published(pipeline.job_context, zombie)
    assert (pipeline.visible(), told(pipeline)) == before


def test_a_plan_of_an_earlier_release_is_finished_with_its_own_names() -> None:
    pipeline, going = generation_one()
    plan = pipeline.objects.get_json(LAKE, going.plan or "")
    for name in ("rejects", "epoch", "outcome", "reason"):
        del plan[name]
    pipeline.objects.put_json(LAKE, going.plan or "", plan)
    kept = pipeline.lake.quarantine_file("app_logs", "app_logs-b", 0, 0)
    pipeline.objects.put(LAKE, kept, b"kept before")
    done = finish(pipeline, going)
    assert (done.state, done.reported_epoch) == (BatchState.CURATED, 0)
    assert list(told(pipeline)) == [kept, "results/app_logs/app_logs-b.json"]
    again = finish(pipeline, begun(pipeline, pipeline.again(pipeline.load(done)), 1))
    assert again.reported_epoch == again.epoch
    assert list(told(pipeline)) == [
        f"quarantine/app_logs/app_logs-b-e{again.epoch}-00000.parquet",
        f"results/app_logs/app_logs-b-e{again.epoch}.json",
    ]


def test_work_files_are_deleted_of_this_batch_only_and_not_of_a_later_epoch() -> None:
    pipeline = Pipeline()
    batch = replace(pipeline.carried(ONE, batch_id="app_logs-b"), epoch=10)
    places = ("inbox", "staging")
    mine = [f"{place}/app_logs-b/{epoch}/x" for place in places for epoch in (1, 2, 9, 10)]
    later = [f"{place}/app_logs-b/{epoch}/x" for place in places for epoch in (11, 100)]
    others = ["inbox/app_logs-b2/1/x", "staging/app_logs-b2/1/x", "results/app_logs/app_logs-b.json", *later]
    for key in (*mine, *others):
        pipeline.objects.put(LAKE, key, b"x")
    remove_work_files(pipeline.job_context, batch)
    assert set(pipeline.objects.sizes(LAKE, "")) == set(others)
