"""Acquire work: abandoned batches come before pending files, and no batch is leased forever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes import a_file
from fakes.pipeline import DATASET, Pipeline
from gluebook.contracts.reasons import ReasonText
from gluebook.core.claiming import MOST_ATTEMPTS
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState
from gluebook.errors import Fenced
from gluebook.job.claim import Claimant, acquire, fail_or_divide


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def take(pipeline: Pipeline, run: str = "jr_1", most_bytes: int = 10**9) -> Batch | None:
    return acquire(pipeline.job_context, Claimant(DATASET, run, most_bytes, 600))


def waiting(pipeline: Pipeline, *files: FileVersion) -> None:
    for file in files:
        pipeline.ledger.register(file, "test")


def test_pending_files_become_a_sealed_batch_of_the_run(pipeline: Pipeline) -> None:
    waiting(pipeline, a_file("one", size=3), a_file("two", size=4), a_file(dataset="support_tickets"))
    batch = take(pipeline)
    assert batch is not None and batch == pipeline.now(batch)
    assert (batch.state, batch.owner, batch.attempts, batch.epoch) == (BatchState.CLAIMED, "jr_1", 1, 1)
    assert (batch.files, batch.size, batch.generation, batch.parent) == (2, 7, 1, None)
    assert batch.lease_until == pipeline.clock.seconds + 600
    assert batch.batch_id.startswith(f"{DATASET}-20260105T101500-")
    assert len(pipeline.ledger.batch_files(batch.batch_id)) == 2
    assert pipeline.ledger.pending(DATASET, 10) == []


def test_nothing_to_do_makes_no_batch(pipeline: Pipeline) -> None:
    assert take(pipeline) is None
    assert list(pipeline.ledger.batches()) == []


def test_a_run_takes_no_more_than_its_limit(pipeline: Pipeline) -> None:
    waiting(pipeline, *(a_file(f"f{n}", size=10, at=f"2026-01-05T10:0{n}:00.000Z") for n in range(5)))
    batch = take(pipeline, most_bytes=25)
    assert batch is not None and (batch.files, batch.size) == (2, 20)
    names = [f.key[-2:] for f in pipeline.ledger.batch_files(batch.batch_id)]
    assert names == ["f0", "f1"]


@pytest.mark.parametrize("left", [BatchState.CLAIMED, BatchState.PUBLISHING, BatchState.DIVIDING])
def test_abandoned_batches_come_before_pending_files(pipeline: Pipeline, left: BatchState) -> None:
    old = pipeline.batch(left, owner="jr_dead")
    waiting(pipeline, a_file())
    pipeline.clock.forward(601)
    batch = take(pipeline)
    assert batch is not None
    assert (batch.batch_id, batch.state, batch.owner) == (old.batch_id, left, "jr_1")
    assert (batch.epoch, batch.attempts) == (old.epoch + 1, old.attempts + 1)


@pytest.mark.parametrize("state", [BatchState.CLAIMED, BatchState.CURATED, BatchState.LOADING])
def test_leased_batches_and_batches_that_wait_for_a_load_are_not_taken_over(
    pipeline: Pipeline, state: BatchState
) -> None:
    held = pipeline.batch(state)
    assert take(pipeline) is None
    assert pipeline.now(held) == held


def test_a_run_that_loses_every_claim_leaves_an_empty_batch(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_file()
    waiting(pipeline, file)
    seen = pipeline.ledger.pending(DATASET, 10)
    other = take(pipeline, "jr_other")
    monkeypatch.setattr(pipeline.ledger, "pending", lambda dataset, limit: seen)
    assert take(pipeline) is None
    [mine] = [batch for batch in pipeline.ledger.batches() if batch != other]
    assert (mine.state, mine.files) == (BatchState.EMPTY, 0)
    assert pipeline.ledger.open_batches(DATASET) == [other]


def test_files_of_a_divided_batch_are_claimed_half_by_half(pipeline: Pipeline) -> None:
    divided = pipeline.carried(*(a_file(f"f{n}") for n in range(4)), batch_id="whole")
    dividing = fail_or_divide(pipeline.job_context, divided, ReasonText("used up"), "t")
    files = pipeline.ledger.batch_files("whole")
    pipeline.ledger.release(dividing, files[:2], "whole/1", "2026-01-05T10:00:00.000Z")
    pipeline.ledger.release(dividing, files[2:], "whole/2", "2026-01-05T10:00:00.000Z")
    pipeline.ledger.advance(dividing, replace(dividing, state=BatchState.DIVIDED), "t", "divided")
    waiting(pipeline, a_file("stranger", at="2026-01-05T10:00:00.000Z"))
    taken = [take(pipeline, f"jr_{n}") for n in range(3)]
    carried = [{f.key[-2:] for f in pipeline.ledger.batch_files(b.batch_id)} for b in taken if b]
    parents = [batch.parent for batch in taken if batch]
    assert sorted(map(sorted, carried)) == [["er"], ["f0", "f1"], ["f2", "f3"]]
    assert sorted(map(str, parents)) == ["None", "whole", "whole"]
    assert take(pipeline, "jr_4") is None


# -- giving up ---------------------------------------------------------------------------------------------


def exhausted_batch(pipeline: Pipeline, state: BatchState = BatchState.CLAIMED) -> tuple[Batch, list[Batch]]:
    """A batch that the most runs have died of, and how each of them saw it."""
    batch = pipeline.batch(state, owner="jr_dead_1", files=[a_file("one"), a_file("two")])
    seen = [batch]
    while batch.attempts < MOST_ATTEMPTS:
        pipeline.clock.forward(601)
        taken = take(pipeline, f"jr_dead_{batch.attempts + 1}")
        assert taken is not None and taken.batch_id == batch.batch_id
        batch = taken
        seen.append(batch)
    pipeline.clock.forward(601)
    return batch, seen


@pytest.mark.parametrize("state", [BatchState.CLAIMED, BatchState.PUBLISHING])
def test_a_batch_with_exhausted_retries_is_divided(pipeline: Pipeline, state: BatchState) -> None:
    batch, _ = exhausted_batch(pipeline, state)
    taken = take(pipeline, "jr_next")
    assert taken is not None
    assert (taken.batch_id, taken.state, taken.owner) == (batch.batch_id, BatchState.DIVIDING, "jr_next")
    # One for the giving up, one for the take-over.
    assert (taken.epoch, taken.attempts) == (batch.epoch + 2, 1)
    assert (taken.reason or "").startswith(
        "attempts_used_up: 3 runs ended before it was published, the last jr_dead_3"
    )


def test_a_fenced_off_run_changes_nothing(pipeline: Pipeline) -> None:
    _, zombies = exhausted_batch(pipeline)
    taken = take(pipeline, "jr_next")
    assert taken is not None
    [file, _] = pipeline.ledger.batch_files(taken.batch_id)
    ledger: Any = pipeline.ledger
    for zombie in zombies:
        for attempt in (
            lambda z=zombie: ledger.advance(z, replace(z, state=BatchState.PUBLISHING), "t", "gate"),
            lambda z=zombie: ledger.advance(z, replace(z, state=BatchState.EMPTY), "t", "no rows"),
            lambda z=zombie: ledger.settle_file(z, file, "FAILED", "late", "t"),
            lambda z=zombie: ledger.lease(z, 10**10),
            lambda z=zombie: ledger.claim(z, [file]),
            lambda z=zombie: fail_or_divide(pipeline.job_context, z, ReasonText("late"), "t"),
        ):
            with pytest.raises(Fenced):
                attempt()
    assert pipeline.now(taken) == taken


def test_a_reopened_batch_with_exhausted_retries_is_failed_as_a_whole(pipeline: Pipeline) -> None:
    loaded = pipeline.batch(BatchState.LOADED)
    assert pipeline.ledger.reopen(loaded, "t", "replay")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        taken = take(pipeline, f"jr_{attempt}")
        assert taken is not None and (taken.generation, taken.attempts) == (2, attempt)
        pipeline.clock.forward(601)
    assert take(pipeline, "jr_last") is None
    failed = pipeline.now(loaded)
    assert (failed.state, failed.generation) == (BatchState.FAILED, 2)
    assert (failed.reason or "").startswith("attempts_used_up")
    assert pipeline.ledger.open_batches(DATASET) == []


def test_two_runs_that_exhaust_the_same_batch_do_it_once(pipeline: Pipeline) -> None:
    batch, _ = exhausted_batch(pipeline)
    done = fail_or_divide(pipeline.job_context, batch, ReasonText("first"), "t")
    with pytest.raises(Fenced):
        fail_or_divide(pipeline.job_context, batch, ReasonText("second"), "t")
    assert pipeline.now(batch) == done
