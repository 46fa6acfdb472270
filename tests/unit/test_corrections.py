"""Corrections: superseded file versions leave their batches, and the lake tells the same story as the warehouse."""

from __future__ import annotations

import pytest

from fakes import a_file
from fakes.pipeline import DATASET, Pipeline
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState, FileState
from gluebook.functions.corrections import withdraw_superseded


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def version(number: int, name: str = "a.log", dataset: str = DATASET) -> FileVersion:
    return a_file(name, dataset=dataset, version=f"v{number}", sequencer=f"{number:02d}")


def note(pipeline: Pipeline, file: FileVersion, token: str = "token") -> None:
    pipeline.ledger.note_correction(file.dataset, file.bucket, file.key, token)


def corrected(pipeline: Pipeline, files: int = 1) -> tuple[list[FileVersion], Batch]:
    """A loaded batch of `files` first versions, each with a second one in a loaded batch."""
    first = [version(1, f"f{number}") for number in range(files)]
    old = pipeline.batch(BatchState.LOADED, files=first)
    pipeline.batch(BatchState.LOADED, files=[version(2, f"f{number}") for number in range(files)])
    for file in first:
        note(pipeline, file)
    return first, old


def test_a_batch_with_a_superseded_version_is_processed_again_without_it(pipeline: Pipeline) -> None:
    [first], old = corrected(pipeline)
    assert withdraw_superseded(DATASET, pipeline.work) == [old.batch_id]
    again = pipeline.now(old)
    assert (again.state, again.generation, again.attempts) == (BatchState.CLAIMED, 2, 0)
    assert pipeline.state_of(first) is FileState.SUPERSEDED
    # Something is still on its way: the marker stays until it is there.
    assert len(pipeline.ledger.corrections(DATASET)) == 1


def test_once_all_is_loaded_the_correction_is_forgotten(pipeline: Pipeline) -> None:
    _, old = corrected(pipeline)
    withdraw_superseded(DATASET, pipeline.work)
    pipeline.load(pipeline.curate(retaken(pipeline, old)))
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.ledger.corrections(DATASET) == []


def retaken(pipeline: Pipeline, batch: Batch) -> Batch:
    taken = pipeline.ledger.take_over(
        pipeline.now(batch), "jr_9", pipeline.clock.seconds + 600, pipeline.clock.seconds, "t"
    )
    assert taken is not None
    return taken


def test_repeating_it_changes_nothing(pipeline: Pipeline) -> None:
    _, old = corrected(pipeline)
    withdraw_superseded(DATASET, pipeline.work)
    before = pipeline.now(old)
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.now(old) == before


def test_the_lake_has_the_rows_of_the_newest_version_only(pipeline: Pipeline) -> None:
    files = [version(1), version(1, "other"), version(2)]
    old = pipeline.load(pipeline.curate(pipeline.carried(*files[:2]), rows=2))
    pipeline.load(pipeline.curate(pipeline.carried(files[2]), rows=2))
    note(pipeline, files[0])
    withdraw_superseded(DATASET, pipeline.work)
    pipeline.load(pipeline.curate(retaken(pipeline, old), rows=2))
    assert withdraw_superseded(DATASET, pipeline.work) == []
    rows = [body for key, body in pipeline.visible().items() if key.startswith("curated/")]
    assert sorted(rows, key=str) == [b"v1 2", b"v2 2"]
    assert pipeline.ledger.corrections(DATASET) == []


def test_several_superseded_files_of_a_batch_leave_it_at_once(pipeline: Pipeline) -> None:
    first, old = corrected(pipeline, files=3)
    assert withdraw_superseded(DATASET, pipeline.work) == [old.batch_id]
    assert pipeline.now(old).generation == 2
    assert {pipeline.state_of(file) for file in first} == {FileState.SUPERSEDED}


def test_more_than_a_transaction_takes_leave_in_several_generations(pipeline: Pipeline) -> None:
    first, old = corrected(pipeline, files=100)
    withdraw_superseded(DATASET, pipeline.work)
    assert sum(pipeline.state_of(file) is FileState.SUPERSEDED for file in first) == 90
    pipeline.load(pipeline.curate(retaken(pipeline, old)))
    assert withdraw_superseded(DATASET, pipeline.work) == [old.batch_id]
    assert {pipeline.state_of(file) for file in first} == {FileState.SUPERSEDED}
    pipeline.load(pipeline.curate(retaken(pipeline, old)))
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.ledger.corrections(DATASET) == []


@pytest.mark.parametrize("state", [BatchState.CLAIMED, BatchState.CURATED, BatchState.LOADING])
def test_a_correction_that_is_not_loaded_yet_takes_nothing_away_and_is_waited_for(
    pipeline: Pipeline, state: BatchState
) -> None:
    old = pipeline.batch(BatchState.LOADED, files=[version(1)])
    pipeline.batch(state, files=[version(2)])
    note(pipeline, version(1))
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.now(old).state is BatchState.LOADED
    assert len(pipeline.ledger.corrections(DATASET)) == 1


def test_the_older_of_two_versions_is_withdrawn_though_it_is_loaded_last(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.LOADED, files=[version(2)])
    late = pipeline.batch(BatchState.LOADED, files=[version(1)])
    note(pipeline, version(1))
    assert withdraw_superseded(DATASET, pipeline.work) == [late.batch_id]


def test_a_version_that_arrives_while_a_correction_is_checked_keeps_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.batch(BatchState.LOADED, files=[version(1)])
    note(pipeline, version(1), "old token")
    versions = pipeline.ledger.versions

    def one_more(bucket: str, key: str) -> list[FileVersion]:
        seen = versions(bucket, key)
        note(pipeline, version(1), "new token")
        return seen

    monkeypatch.setattr(pipeline.ledger, "versions", one_more)
    withdraw_superseded(DATASET, pipeline.work)
    assert [correction.token for correction in pipeline.ledger.corrections(DATASET)] == ["new token"]


def test_a_batch_that_a_replay_has_reopened_is_skipped(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first], old = corrected(pipeline)
    corrections = pipeline.ledger.corrections(DATASET)
    reopen = pipeline.ledger.reopen

    def too_late(batch: Batch, at: str, cause: str, superseded: list[FileVersion]) -> Batch | None:
        assert reopen(batch, at, "replay")
        return reopen(batch, at, cause, superseded)

    monkeypatch.setattr(pipeline.ledger, "reopen", too_late)
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.state_of(first) is FileState.CLAIMED
    assert pipeline.now(old).generation == 2
    assert pipeline.ledger.corrections(DATASET) == corrections


def test_tickets_have_no_corrections(pipeline: Pipeline) -> None:
    files = [version(number, dataset="support_tickets") for number in (1, 2)]
    for file in files:
        pipeline.batch(BatchState.LOADED, files=[file], dataset="support_tickets")
    note(pipeline, files[0])
    assert withdraw_superseded("support_tickets", pipeline.work) == []


def test_a_correction_that_was_rejected_takes_effect_once_it_is_replayed_and_marked_again(
    pipeline: Pipeline,
) -> None:
    first, second = version(1), version(2)
    pipeline.batch(BatchState.LOADED, files=[first])
    claimed = pipeline.carried(second)
    note(pipeline, first)
    rejected = pipeline.advanced(claimed, BatchState.REJECTED)
    assert withdraw_superseded(DATASET, pipeline.work) == []
    assert pipeline.ledger.corrections(DATASET) == []
    assert pipeline.state_of(first) is FileState.CLAIMED
    again = pipeline.again(rejected)
    note(pipeline, first)
    assert withdraw_superseded(DATASET, pipeline.work) == []
    pipeline.load(pipeline.curate(again))
    withdraw_superseded(DATASET, pipeline.work)
    assert pipeline.state_of(first) is FileState.SUPERSEDED
