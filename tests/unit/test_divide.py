"""Dividing: the one bad file among many ends alone, its neighbours are loaded, wherever a run dies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import Calls, Died, Dying, a_file, calls_of
from fakes.pipeline import DATASET, Pipeline, job_ended, statement_ended
from gluebook.contracts.reasons import ReasonText
from gluebook.core.claiming import MOST_ATTEMPTS
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState, FileState
from gluebook.errors import Fenced
from gluebook.job.claim import fail_or_divide
from gluebook.job.context import JobContext
from gluebook.job.curate import next_batch
from gluebook.job.divide import divide
from gluebook.job.publish import remove_work_files

BAD_DATA = "ERROR: Value too long for character type"


def play(pipeline: Pipeline, poisons: set[str], *, dies: bool) -> int:
    """Let runs and loads follow each other until all is at rest; the number of runs.

    A batch with a file of `poisons` (by key) kills its run, or if not `dies` is refused by the warehouse.
    """
    run, runs = pipeline.jobs.start("job-logs"), 0
    while run is not None:
        runs += 1
        assert runs < 200, "runs follow each other for ever"
        pipeline.clock.forward(60)
        batch = next_batch(pipeline.job_context, pipeline.claimant(run))
        died = batch is not None and dies and poisoned(pipeline, batch, poisons)
        if batch is not None and not died:
            pipeline.curate(batch)
        pipeline.jobs.end("job-logs")
        pipeline.handle(job_ended(run, "FAILED" if died else "SUCCEEDED"))
        end_loads(pipeline, poisons)
        run = pipeline.jobs.running.get("job-logs")
    return runs


def poisoned(pipeline: Pipeline, batch: Batch, poisons: set[str]) -> bool:
    return bool({file.key for file in pipeline.ledger.batch_files(batch.batch_id)} & poisons)


def end_loads(pipeline: Pipeline, poisons: set[str]) -> None:
    for number, statement in list(pipeline.warehouse.statements.items()):
        if statement.status == "STARTED" and statement.name.startswith("gluebook-load:"):
            batch = pipeline.ledger.batch(statement.name.split(":")[1])
            assert batch is not None
            if poisoned(pipeline, batch, poisons):
                pipeline.warehouse.fail(number, BAD_DATA)
            else:
                pipeline.warehouse.finish(number, batch.counts.curated, 0)
            pipeline.handle(statement_ended(batch))


def outcome(pipeline: Pipeline) -> dict[str, tuple[FileState, BatchState | None]]:
    batches = {batch.batch_id: batch.state for batch in pipeline.ledger.batches()}
    return {file.key: (file.state, batches.get(file.batch_id or "")) for file in pipeline.ledger.files()}


FAILED = (FileState.FAILED, BatchState.FAILED)
LOADED = (FileState.CLAIMED, BatchState.LOADED)


@pytest.mark.parametrize("dies", [True, False])
@pytest.mark.parametrize("place", [0, 20, 40])
def test_one_bad_file_among_41_ends_alone_and_all_others_are_loaded(place: int, dies: bool) -> None:
    pipeline = Pipeline()
    files = [a_file(f"f{number:02d}") for number in range(41)]
    for file in files:
        pipeline.ledger.register(file, "test")
    bad = sorted(files, key=lambda file: file.file_id)[place]
    runs = play(pipeline, {bad.key}, dies=dies)
    assert outcome(pipeline) == {file.key: FAILED if file == bad else LOADED for file in files}
    assert pipeline.ledger.open_batches(DATASET) == []
    # The whole and the one alone get every chance; on the way between there is a run for each half.
    assert runs <= 2 * MOST_ATTEMPTS + 2 * math.ceil(math.log2(41)) + 1
    [reason] = [file.reason for file in pipeline.ledger.files() if file.state is FileState.FAILED]
    assert (reason or "").startswith("attempts_used_up" if dies else f"load_failed: {BAD_DATA}")
    # What was published is that of loaded batches, and nothing was left behind.
    manifests = [key for key in pipeline.visible() if key.startswith("manifests/")]
    loaded = [batch for batch in pipeline.ledger.batches() if batch.state is BatchState.LOADED]
    assert sorted(manifests) == sorted(f"manifests/{DATASET}/{batch.batch_id}.json" for batch in loaded)
    assert len([key for key in pipeline.visible() if key.startswith("curated/")]) == 40
    assert pipeline.objects.sizes("lake", "staging/") == pipeline.objects.sizes("lake", "inbox/") == {}


@given(st.integers(1, 9), st.data(), st.booleans())
def test_however_many_files_are_bad_exactly_those_fail(count: int, data: st.DataObject, dies: bool) -> None:
    pipeline = Pipeline()
    files = [a_file(f"f{number}") for number in range(count)]
    bad = data.draw(st.sets(st.sampled_from([file.key for file in files])))
    for file in files:
        pipeline.ledger.register(file, "test")
    play(pipeline, bad, dies=dies)
    assert outcome(pipeline) == {file.key: FAILED if file.key in bad else LOADED for file in files}


# -- one division ------------------------------------------------------------------------------------------


def dividing(count: int = 5, *, settled: int = 0, refused: bool = True) -> tuple[Pipeline, Batch]:
    """A batch to be divided, published and refused by the warehouse, or never published."""
    pipeline = Pipeline()
    files = [a_file(f"f{number}") for number in range(count)]
    batch = pipeline.carried(*files, batch_id=f"{DATASET}-b")
    for file in pipeline.ledger.batch_files(batch.batch_id)[:settled]:
        pipeline.ledger.settle_file(batch, file, FileState.FAILED, "corrupt_gzip", "t")
    if refused and settled == 0:
        batch = pipeline.curate(batch)
    batch = fail_or_divide(pipeline.job_context, batch, ReasonText("why"), "t")
    pipeline.clock.forward(60)
    return pipeline, batch


def once(pipeline: Pipeline, batch: Batch, calls: Calls | None = None) -> Batch:
    calls = calls or Calls()
    ledger: Any = Dying(pipeline.ledger, calls)
    objects: Any = Dying(pipeline.objects, calls)
    done = divide(JobContext(ledger, objects, pipeline.lake, pipeline.clock), batch)
    remove_work_files(JobContext(pipeline.ledger, objects, pipeline.lake, pipeline.clock), done)
    return done


def ends(pipeline: Pipeline) -> Any:
    """All that a division leaves; which batch it is, and what waits in which group."""
    files = {
        file.key: (file.state, file.batch_id, file.group, file.reason) for file in pipeline.ledger.files()
    }
    [batch] = pipeline.ledger.batches()
    return files, batch.state, batch.reason, set(pipeline.objects.sizes("lake", ""))


def test_a_division_releases_the_files_in_two_halves_and_withdraws_what_was_published() -> None:
    pipeline, batch = dividing(5)
    assert pipeline.visible()
    assert once(pipeline, batch).state is BatchState.DIVIDED
    pending = pipeline.ledger.pending(DATASET, 10)
    groups = [file.group for file in pending]
    assert {group: groups.count(group) for group in set(groups)} == {f"{DATASET}-b/1": 3, f"{DATASET}-b/2": 2}
    assert {(file.batch_id, file.waiting_since) for file in pending} == {(None, "2026-01-05T10:16:00.000Z")}
    assert pipeline.left() == set()
    assert pipeline.ledger.open_batches(DATASET) == []
    # They lie in wait, and that is no trouble.
    assert pipeline.ledger.count_failures(DATASET, "") == 0


def test_a_single_file_is_failed_with_its_batch_and_the_reason_of_it() -> None:
    pipeline, batch = dividing(1)
    assert once(pipeline, batch).state is BatchState.FAILED
    [file] = pipeline.ledger.files()
    assert (file.state, file.reason, file.batch_id) == (FileState.FAILED, "why", batch.batch_id)
    assert pipeline.ledger.pending(DATASET, 10) == []
    assert pipeline.ledger.count_failures(DATASET, "") == 2
    assert pipeline.visible() == {}


def test_unreadable_files_are_not_among_the_suspects() -> None:
    pipeline, batch = dividing(3, settled=2)
    assert once(pipeline, batch).state is BatchState.FAILED
    assert sorted(file.reason or "" for file in pipeline.ledger.files()) == [
        "corrupt_gzip",
        "corrupt_gzip",
        "why",
    ]


def test_files_that_could_not_be_read_stay_behind_when_the_others_are_divided() -> None:
    pipeline, batch = dividing(5, settled=2)
    assert once(pipeline, batch).state is BatchState.DIVIDED
    left = [file for file in pipeline.ledger.files() if file.state is FileState.FAILED]
    assert {(file.reason, file.batch_id) for file in left} == {("corrupt_gzip", batch.batch_id)}
    assert len(pipeline.ledger.pending(DATASET, 10)) == 3


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(lambda: dividing(5), id="many"),
        pytest.param(lambda: dividing(2), id="two"),
        pytest.param(lambda: dividing(1), id="one"),
        pytest.param(lambda: dividing(4, settled=2), id="some settled"),
        pytest.param(lambda: dividing(2, settled=1), id="one left"),
        pytest.param(lambda: dividing(3, refused=False), id="never published"),
    ],
)
def test_a_division_that_dies_at_any_call_completes_when_it_is_repeated(
    stage: Callable[[], tuple[Pipeline, Batch]],
) -> None:
    pipeline, batch = stage()
    once(pipeline, batch)
    expected = ends(pipeline)
    for n in range(1, calls_of(lambda calls: once(*stage(), calls)) + 1):
        pipeline, batch = stage()
        with pytest.raises(Died):
            once(pipeline, batch, Calls(n))
        now = pipeline.now(batch)
        if now.state is BatchState.DIVIDING:
            pipeline.clock.forward(3_600)
            again = pipeline.ledger.take_over(now, "jr_next", 10**10, pipeline.clock.seconds, "t")
            assert again is not None
            once(pipeline, again)
        else:
            remove_work_files(pipeline.job_context, now)
        assert ends(pipeline) == expected, f"died at call {n}"


def test_a_repeated_division_skips_files_that_were_claimed_again() -> None:
    stage = dividing
    for n in range(1, calls_of(lambda calls: once(*stage(), calls)) + 1):
        pipeline, batch = stage()
        with pytest.raises(Died):
            once(pipeline, batch, Calls(n))
        taken = claim_one(pipeline)
        if pipeline.now(batch).state is BatchState.DIVIDING:
            once(pipeline, pipeline.now(batch))
        assert taken is None or pipeline.state_of(taken) is FileState.CLAIMED
        carried = [file for file in pipeline.ledger.files() if file.batch_id == batch.batch_id]
        assert carried == []


def claim_one(pipeline: Pipeline) -> FileVersion | None:
    pending = pipeline.ledger.pending(DATASET, 1)
    other = replace(pipeline.carried(), lease_until=10**10)
    claimed = pipeline.ledger.claim(other, pending)
    return claimed[0] if claimed else None


def test_a_fenced_off_run_divides_nothing() -> None:
    pipeline, batch = dividing(4)
    pipeline.clock.forward(3_600)
    taken = pipeline.ledger.take_over(batch, "jr_next", 10**10, pipeline.clock.seconds, "t")
    assert taken is not None
    before = list(pipeline.ledger.files())
    with pytest.raises(Fenced):
        once(pipeline, batch)
    assert list(pipeline.ledger.files()) == before
    assert once(pipeline, taken).state is BatchState.DIVIDED


def test_an_empty_correction_takes_effect_even_if_its_batch_is_divided() -> None:
    pipeline = Pipeline()
    first = a_file("a.log", version="v1", sequencer="0A")
    pipeline.batch(BatchState.LOADED, files=[first])
    pipeline.ledger.note_correction(DATASET, first.bucket, first.key, "token")
    empty = a_file("a.log", version="v2", sequencer="0B", size=0)
    others = [a_file(f"f{number}") for number in range(3)]
    batch = pipeline.carried(empty, *others)
    [now] = pipeline.ledger.files_now([empty])
    pipeline.ledger.settle_file(batch, now, FileState.EMPTY, "empty_file", "t")
    fail_or_divide(pipeline.job_context, batch, ReasonText("why"), "t")
    play(pipeline, {others[0].key}, dies=True)
    assert pipeline.state_of(first) is FileState.SUPERSEDED
    assert outcome(pipeline)[others[0].key] == FAILED
    assert [outcome(pipeline)[file.key] for file in others[1:]] == [LOADED] * 2


def test_superseded_files_stay_behind_when_a_further_generation_is_divided() -> None:
    pipeline = Pipeline()
    files = [a_file(f"f{number}") for number in range(4)]
    loaded = pipeline.load(pipeline.curate(pipeline.carried(*files)))
    again = pipeline.curate(pipeline.again(loaded, files[0]))
    refused = refuse_load(pipeline, again)
    assert once(pipeline, refused).state is BatchState.DIVIDED
    assert pipeline.state_of(files[0]) is FileState.SUPERSEDED
    assert {file.key for file in pipeline.ledger.pending(DATASET, 9)} == {file.key for file in files[1:]}
    assert pipeline.visible() == {}


def test_a_single_file_next_to_superseded_ones_is_failed() -> None:
    pipeline = Pipeline()
    files = [a_file(f"f{number}") for number in range(3)]
    loaded = pipeline.load(pipeline.curate(pipeline.carried(*files)))
    again = pipeline.curate(pipeline.again(loaded, *files[:2]))
    assert once(pipeline, refuse_load(pipeline, again)).state is BatchState.FAILED
    states = [pipeline.state_of(file) for file in files]
    assert states == [FileState.SUPERSEDED, FileState.SUPERSEDED, FileState.FAILED]


def refuse_load(pipeline: Pipeline, batch: Batch) -> Batch:
    """A curated batch that the warehouse has refused."""
    refused = replace(batch, state=BatchState.DIVIDING, reason=BAD_DATA, epoch=batch.epoch + 1)
    return pipeline.ledger.advance(batch, refused, "t", BAD_DATA)
