"""Replay: chosen file versions are processed again with their batches; an interruption loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import Calls, Died, Dying, a_batch, a_file, calls_of
from fakes.pipeline import RAW, Pipeline, statement_ended
from gluebook.contracts.reasons import ReasonText
from gluebook.core.events import Tick
from gluebook.core.keys import file_id
from gluebook.core.model import Batch, FileVersion
from gluebook.core.replaying import arrived_within, plan_replay
from gluebook.core.states import OPEN_STATES, REPEATABLE_STATES, BatchState, FileState
from gluebook.errors import ConfigurationError, TerminalError
from gluebook.job.claim import fail_or_divide
from gluebook.job.curate import next_batch
from gluebook.operations.replay import replay, replay_of_dataset, replay_of_files
from operator_kit import operations

AT = "2026-01-06T00:00:00.000Z"


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def outside(key: str, reason: str = "unknown_source") -> FileVersion:
    """A file version that was refused for its key."""
    return replace(
        a_file(),
        key=key,
        file_id=file_id(RAW, key, "v1"),
        dataset="",
        source="",
        dt="",
        state=FileState.FAILED,
        reason=reason,
    )


def test_a_loaded_batch_is_opened_one_generation_further_and_its_job_started(pipeline: Pipeline) -> None:
    file = a_file("one")
    batch = pipeline.batch(BatchState.LOADED, files=[file])
    plan = replay_of_files([file.key], None, operations(pipeline))
    done = replay(plan, operations(pipeline))
    assert [b.batch_id for b in done.reopened] == [batch.batch_id]
    again = pipeline.now(batch)
    assert (again.state, again.generation, again.lease_until) == (BatchState.CLAIMED, 2, 0)
    assert pipeline.jobs.started == ["job-logs"]
    assert str(done.started["app_logs"]) == "started run jr_1 of job job-logs"


def test_the_next_run_takes_over_a_replayed_batch(pipeline: Pipeline) -> None:
    file = a_file("one")
    batch = pipeline.batch(BatchState.LOADED, files=[file])
    replay(replay_of_files([file.key], None, operations(pipeline)), operations(pipeline))
    taken = next_batch(pipeline.job_context, pipeline.claimant("jr_1"))
    assert taken is not None
    assert (taken.batch_id, taken.generation) == (batch.batch_id, 2)


def test_files_that_share_the_batch_are_included_and_reported(pipeline: Pipeline) -> None:
    files = [a_file(name) for name in ("one", "two", "three")]
    pipeline.batch(BatchState.LOADED, files=files)
    plan = replay_of_files([files[0].key], None, operations(pipeline))
    assert [f.key for f in plan.repeat] == [files[0].key]
    assert {f.key for f in plan.included} == {files[1].key, files[2].key}


def test_all_versions_of_a_key_come_again_unless_one_is_named(pipeline: Pipeline) -> None:
    old, new = a_file("one", version="v1", sequencer="0A"), a_file("one", version="v2", sequencer="0B")
    for file in (old, new):
        pipeline.batch(BatchState.LOADED, files=[file])
    both = replay_of_files([old.key], None, operations(pipeline))
    assert [f.version_id for f in both.repeat] == ["v1", "v2"]
    one = replay_of_files([old.key], "v2", operations(pipeline))
    assert [f.version_id for f in one.repeat] == ["v2"]


def test_a_superseded_version_stays_out_and_opens_nothing(pipeline: Pipeline) -> None:
    old, new = a_file("one", version="v1", sequencer="0A"), a_file("one", version="v2", sequencer="0B")
    carrying = pipeline.batch(BatchState.LOADED, files=[old])
    pipeline.batch(BatchState.LOADED, files=[new])
    again = pipeline.again(carrying, old)
    pipeline.load(pipeline.curate(again))
    plan = replay_of_files([old.key], None, operations(pipeline))
    assert [f.version_id for f in plan.superseded] == ["v1"]
    assert [f.version_id for f in plan.repeat] == ["v2"]


@pytest.mark.parametrize("state", [BatchState.CLAIMED, BatchState.CURATED, BatchState.LOADING])
def test_open_batches_are_not_reopened(pipeline: Pipeline, state: BatchState) -> None:
    file = a_file("one")
    batch = pipeline.batch(state, files=[file])
    plan = replay_of_files([file.key], None, operations(pipeline))
    assert [f.key for f in plan.under_way] == [file.key]
    replay(plan, operations(pipeline))
    assert pipeline.now(batch) == batch


@pytest.mark.parametrize("given_up", [False, True])
def test_a_batch_whose_loads_fail_is_processed_again_and_loaded_at_once(
    pipeline: Pipeline, given_up: bool
) -> None:
    file = a_file("one")
    batch = pipeline.curate(pipeline.carried(file))
    pipeline.handle(Tick())
    failed = replace(
        pipeline.now(batch),
        state=BatchState.CURATED,
        reason="load_failed: ERROR: permission denied",
        failing_since=AT,
        retry_at="9999",
        given_up=given_up,
    )
    pipeline.ledger.advance(pipeline.now(batch), failed, AT, "failed")
    plan = replay_of_files([file.key], None, operations(pipeline))
    assert [b.batch_id for b in replay(plan, operations(pipeline)).reopened] == [batch.batch_id]
    taken = next_batch(pipeline.job_context, pipeline.claimant("jr_1"))
    assert taken is not None and taken.generation == 2
    pipeline.curate(taken)
    pipeline.handle(Tick())
    again = pipeline.now(batch)
    assert (again.state, again.load_attempts, again.given_up) == (BatchState.LOADING, 1, False)


def test_an_unknown_key_is_an_error_that_names_it(pipeline: Pipeline) -> None:
    known = a_file("known")
    pipeline.batch(BatchState.LOADED, files=[known])
    with pytest.raises(TerminalError, match=r"no s3://raw/app_logs/nothing; .*gluebook backfill"):
        replay_of_files([known.key, "app_logs/nothing"], None, operations(pipeline))
    with pytest.raises(TerminalError, match="in version v9"):
        replay_of_files([known.key], "v9", operations(pipeline))


def test_a_file_refused_for_its_key_waits_once_there_is_a_source_for_it(pipeline: Pipeline) -> None:
    file = outside("app_logs/mongod/dt=2026-01-05/late.json", "unknown_source: 'mongod'")
    pipeline.ledger.register(file, "test")
    replay(replay_of_files([file.key], None, operations(pipeline)), operations(pipeline))
    [waiting] = pipeline.ledger.pending("app_logs", 10)
    assert (waiting.state, waiting.dataset, waiting.source, waiting.dt, waiting.reason) == (
        FileState.PENDING,
        "app_logs",
        "mongod",
        "2026-01-05",
        None,
    )
    assert waiting.waiting_since == "2026-01-05T10:15:00.000Z"
    assert pipeline.jobs.started == ["job-logs"]


def test_a_file_that_still_has_no_source_is_refused_with_the_reason(pipeline: Pipeline) -> None:
    file = outside("weblogs/nginx/dt=2026-01-05/access.log")
    pipeline.ledger.register(file, "test")
    plan = replay_of_files([file.key], None, operations(pipeline))
    [refusal] = plan.refused
    assert refusal.reason.startswith("unknown_dataset: 'weblogs'")
    assert replay(plan, operations(pipeline)).readmitted == ()
    assert pipeline.state_of(file) is FileState.FAILED
    assert pipeline.jobs.started == []


def left_behind(pipeline: Pipeline) -> tuple[FileVersion, Batch]:
    """A file that could not be read, FAILED in a batch that was divided for another reason."""
    bad, *others = [replace(a_file(f"file-{number}"), group="older/1") for number in range(3)]
    batch = pipeline.carried(bad, *others)
    pipeline.ledger.settle_file(batch, pipeline.ledger.files_now([bad])[0], FileState.FAILED, "not_gzip", AT)
    fail_or_divide(pipeline.job_context, batch, ReasonText("used up"), AT)
    while (half := next_batch(pipeline.job_context, pipeline.claimant("jr_1"))) is not None:
        pipeline.load(pipeline.curate(half))
    assert pipeline.now(batch).state is BatchState.DIVIDED
    [bad] = pipeline.ledger.files_now([bad])
    assert (bad.state, bad.batch_id, bad.reason) == (FileState.FAILED, batch.batch_id, "not_gzip")
    return bad, batch


@pytest.mark.parametrize("way", ["by file", "by dataset"])
def test_a_file_that_a_division_left_behind_waits_again_and_is_loaded(pipeline: Pipeline, way: str) -> None:
    bad, divided = left_behind(pipeline)
    work = operations(pipeline)
    if way == "by file":
        plan = replay_of_files([bad.key], None, work)
    else:
        plan = replay_of_dataset("app_logs", None, None, work)
    assert [(f.file_id, f.state, f.group) for f in plan.readmit] == [(bad.file_id, FileState.PENDING, None)]
    assert (plan.refused, plan.included) == ((), ())
    assert len(plan.repeat) == (0 if way == "by file" else 2)
    [readmitted] = replay(replay_of_files([bad.key], None, work), work).readmitted
    assert readmitted.file_id == bad.file_id
    [waiting] = pipeline.ledger.pending("app_logs", 10)
    assert (waiting.file_id, waiting.batch_id, waiting.reason) == (bad.file_id, None, None)
    assert pipeline.jobs.started == ["job-logs"]
    batch = next_batch(pipeline.job_context, pipeline.claimant("jr_1"))
    assert batch is not None and batch.parent is None
    pipeline.load(pipeline.curate(batch))
    assert pipeline.state_of(bad) is FileState.CLAIMED
    assert pipeline.now(divided).state is BatchState.DIVIDED


def test_a_file_that_was_left_behind_and_waits_by_now_is_not_readmitted_again(pipeline: Pipeline) -> None:
    bad, _ = left_behind(pipeline)
    plan = replay_of_files([bad.key], None, operations(pipeline))
    assert len(replay(plan, operations(pipeline)).readmitted) == 1
    pipeline.clock.forward(60)
    before = pipeline.ledger.pending("app_logs", 10)
    assert replay(plan, operations(pipeline)).readmitted == ()
    assert pipeline.ledger.pending("app_logs", 10) == before


def test_a_file_whose_batch_was_divided_since_it_was_read_is_under_way(pipeline: Pipeline) -> None:
    file = a_file("one")
    carried = replace(file, state=FileState.CLAIMED, batch_id="b")
    plan = plan_replay([carried], {"b": a_batch("b", state=BatchState.DIVIDED)}, {}, AT)
    assert (plan.under_way, plan.refused, plan.readmit) == ((carried,), (), ())


def test_a_failed_file_of_a_divided_batch_whose_key_has_no_source_any_more_is_refused() -> None:
    file = replace(outside("weblogs/nginx/dt=2026-01-05/access.log"), dataset="app_logs", batch_id="b")
    plan = plan_replay([file], {"b": a_batch("b", state=BatchState.DIVIDED)}, {}, AT)
    [refusal] = plan.refused
    assert (refusal.file, refusal.reason[:26]) == (file, "unknown_dataset: 'weblogs'")


def test_a_file_whose_batch_the_ledger_lacks_is_refused() -> None:
    file = replace(a_file(), state=FileState.FAILED, batch_id="gone")
    [refusal] = plan_replay([file], {}, {}, AT).refused
    assert refusal.reason == "batch_unknown: the ledger has no batch gone; upload the file again"


def test_a_dataset_is_chosen_by_date_of_arrival_both_ends_included(pipeline: Pipeline) -> None:
    days = [replace(a_file(), dt=f"2026-01-0{day}") for day in range(1, 6)]
    chosen = arrived_within(days, "app_logs", "2026-01-02", "2026-01-04")
    assert [f.dt for f in chosen] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert arrived_within(days, "support_tickets", None, None) == []
    assert len(arrived_within(days, "app_logs", None, None)) == 5


def test_a_refused_file_belongs_to_the_dataset_that_its_key_names_now() -> None:
    file = outside("app_logs/mongod/dt=2026-01-05/late.json")
    assert arrived_within([file], "app_logs", "2026-01-05", "2026-01-05") == [file]
    assert arrived_within([file], "support_tickets", None, None) == []


def test_a_dataset_with_nothing_in_those_days_says_so(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.LOADED)
    with pytest.raises(TerminalError, match="no file version of app_logs between dt=2030-01-01"):
        replay_of_dataset("app_logs", "2030-01-01", None, operations(pipeline))
    with pytest.raises(ConfigurationError, match="no dataset 'weblogs'"):
        replay_of_dataset("weblogs", None, None, operations(pipeline))


def test_choosing_by_dataset_and_by_file_come_to_the_same(pipeline: Pipeline) -> None:
    files = [a_file(name) for name in ("one", "two")]
    pipeline.batch(BatchState.LOADED, files=files)
    by_file = replay_of_files([f.key for f in files], None, operations(pipeline))
    by_dataset = replay_of_dataset("app_logs", None, None, operations(pipeline))
    assert by_file.reopen == by_dataset.reopen
    assert {f.key for f in by_file.repeat} == {f.key for f in by_dataset.repeat}


def test_an_older_version_that_can_be_read_after_all_does_not_stay_in_the_lake(pipeline: Pipeline) -> None:
    """v1 was broken when v2 was loaded, so nothing had to be withdrawn, and the matter was closed."""
    old, new = a_file("one", version="v1", sequencer="0A"), a_file("one", version="v2", sequencer="0B")
    broken = pipeline.curate(pipeline.carried(old), bad={old.key: "not_gzip"})
    assert (broken.state, pipeline.state_of(old)) == (BatchState.EMPTY, FileState.FAILED)
    pipeline.load(pipeline.curate(pipeline.carried(new)))
    assert pipeline.ledger.corrections("app_logs") == []
    replay(replay_of_files([old.key], "v1", operations(pipeline)), operations(pipeline))
    again = next_batch(pipeline.job_context, pipeline.claimant("jr_1"))
    assert again is not None
    loaded = pipeline.load(pipeline.curate(again))
    pipeline.handle(statement_ended(loaded))
    assert pipeline.state_of(old) is FileState.SUPERSEDED


def test_who_settles_corrections_while_a_replay_begins_does_not_lose_them(pipeline: Pipeline) -> None:
    old, new = a_file("one", version="v1", sequencer="0A"), a_file("one", version="v2", sequencer="0B")
    pipeline.curate(pipeline.carried(old), bad={old.key: "not_gzip"})
    pipeline.load(pipeline.curate(pipeline.carried(new)))
    plan = replay_of_files([old.key], "v1", operations(pipeline))
    reopen = pipeline.ledger.reopen

    def settled_first(*args: Any) -> Batch | None:
        for correction in pipeline.ledger.corrections("app_logs"):
            pipeline.ledger.drop_correction("app_logs", correction)
        return reopen(*args)

    pipeline.ledger.reopen = settled_first  # type: ignore[method-assign, assignment]
    replay(plan, operations(pipeline))
    assert [c.key for c in pipeline.ledger.corrections("app_logs")] == [old.key]


@pytest.mark.parametrize("way", ["by file", "by dataset"])
def test_a_replay_that_stops_anywhere_is_finished_by_a_second_one(way: str) -> None:
    def scene() -> tuple[Pipeline, list[FileVersion], FileVersion]:
        pipeline = Pipeline()
        files = [a_file(f"file-{number}") for number in range(3)]
        for file in files:
            pipeline.batch(BatchState.LOADED, files=[file])
        late = outside("app_logs/mongod/dt=2026-01-05/late.json")
        pipeline.ledger.register(late, "test")
        return pipeline, files, late

    def act(pipeline: Pipeline, files: list[FileVersion], late: FileVersion, calls: Calls) -> None:
        work = operations(pipeline, Dying(pipeline.ledger, calls))
        if way == "by file":
            plan = replay_of_files([f.key for f in (*files, late)], None, work)
        else:
            plan = replay_of_dataset("app_logs", None, None, work)
        replay(plan, work)

    most = calls_of(lambda calls: act(*scene(), calls))
    for dies_at in range(1, most + 1):
        pipeline, files, late = scene()
        with pytest.raises(Died):
            act(pipeline, files, late, Calls(dies_at))
        act(pipeline, files, late, Calls())
        batches = list(pipeline.ledger.batches())
        assert {(b.state, b.generation) for b in batches} == {(BatchState.CLAIMED, 2)}
        assert pipeline.state_of(late) is FileState.PENDING
        assert pipeline.jobs.started == ["job-logs"]


def test_a_batch_that_another_process_reopens_is_not_reopened_twice(pipeline: Pipeline) -> None:
    file = a_file("one")
    batch = pipeline.batch(BatchState.LOADED, files=[file])
    plan = replay_of_files([file.key], None, operations(pipeline))
    pipeline.ledger.reopen(batch, AT, "faster")
    done = replay(plan, operations(pipeline))
    assert (done.reopened, [b.batch_id for b in done.already_reopened]) == ((), [batch.batch_id])
    assert pipeline.now(batch).generation == 2


file_states = st.sampled_from(FileState)
batch_states = st.sampled_from(BatchState)


@given(st.lists(st.tuples(file_states, st.integers(0, 3), st.booleans()), max_size=12), st.data())
def test_every_chosen_file_is_in_one_list_and_only_repeatable_batches_reopen(
    drawn: list[tuple[FileState, int, bool]], data: st.DataObject
) -> None:
    batches = {f"b{n}": a_batch(f"b{n}", state=data.draw(batch_states)) for n in range(3)}
    files, chosen = [], []
    for number, (state, carried_by, is_chosen) in enumerate(drawn):
        # 3: no batch, which PENDING and refused files have.
        of = None if carried_by == 3 or state is FileState.PENDING else f"b{carried_by}"
        file = replace(a_file(f"f{number}"), state=state, batch_id=of)
        files.append(file)
        chosen += [file] if is_chosen else []
    carried = {b: [f for f in files if f.batch_id == b] for b in batches}
    plan = plan_replay(chosen, batches, carried, AT)
    refused = [refusal.file for refusal in plan.refused]
    told = [*plan.repeat, *plan.readmit, *plan.under_way, *plan.superseded, *refused]
    assert sorted(f.file_id for f in told) == sorted(f.file_id for f in chosen)
    assert plan.chosen == len(chosen)
    assert {b.state for b in plan.reopen} <= REPEATABLE_STATES
    assert {b.batch_id for b in plan.reopen} == {f.batch_id for f in plan.repeat}
    assert all(_is_under_way(f, batches) for f in plan.under_way)
    assert all(_can_be_readmitted(f, batches) for f in plan.readmit)
    assert all(f.batch_id is None or f.batch_id not in batches for f in refused)
    assert not [f for f in plan.included if f.state is FileState.SUPERSEDED]
    # Every file version that is processed again is chosen or reported.
    for batch in plan.reopen:
        live = [f for f in carried[batch.batch_id] if f.state is not FileState.SUPERSEDED]
        assert {f.file_id for f in live} <= {f.file_id for f in (*plan.repeat, *plan.included)}


def _is_under_way(file: FileVersion, batches: dict[str, Batch]) -> bool:
    batch = batches.get(file.batch_id or "")
    if batch is not None and batch.state is BatchState.DIVIDED:
        return file.state in (FileState.CLAIMED, FileState.EMPTY)
    return file.state is FileState.PENDING or (batch is not None and batch.state in OPEN_STATES)


def _can_be_readmitted(file: FileVersion, batches: dict[str, Batch]) -> bool:
    """As it is to wait: PENDING. Without a batch, or left behind by a division."""
    batch = batches.get(file.batch_id or "")
    return file.state is FileState.PENDING and (batch is None or batch.state is BatchState.DIVIDED)
