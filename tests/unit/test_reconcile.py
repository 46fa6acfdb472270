"""Reconcile: each difference between bucket, ledger, lake and warehouse is found, and repaired if it can be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch
from fakes.pipeline import RAW, Pipeline, statement_ended
from gluebook.core.differences import EXPLANATIONS, Difference, Kind, grouped
from gluebook.core.events import Tick
from gluebook.core.loading import loaded
from gluebook.core.model import Batch, Counts
from gluebook.core.reconciling import Load, load_differences
from gluebook.core.states import OPEN_STATES, BatchState, FileState
from gluebook.errors import TerminalError
from operator_kit import (
    FakeFunctions,
    arrived,
    found,
    loaded_batch,
    look,
    noted_in_warehouse,
    repaired,
)

LATE = timedelta(hours=2).total_seconds()


@pytest.fixture
def pipeline() -> Pipeline:
    """A pipeline in which everything agrees."""
    made = Pipeline()
    loaded_batch(made)
    return made


def test_where_everything_agrees_nothing_is_found(pipeline: Pipeline) -> None:
    assert found(pipeline) == {}


def test_an_empty_pipeline_agrees_with_a_warehouse_that_has_no_tables() -> None:
    pipeline = Pipeline()
    assert found(pipeline) == {}
    assert pipeline.warehouse.ran == []


def test_what_the_pipeline_is_working_on_is_no_difference(pipeline: Pipeline) -> None:
    pipeline.carried(arrived(pipeline))
    pipeline.curate(pipeline.carried(arrived(pipeline)))
    pipeline.ledger.register(arrived(pipeline), "just now")
    assert found(pipeline) == {}


# -- bucket and ledger -------------------------------------------------------------------------------------


def test_an_object_the_ledger_does_not_know_is_found_and_registered(pipeline: Pipeline) -> None:
    file = arrived(pipeline, "lost")
    assert found(pipeline) == {"unregistered": 1}
    done = repaired(pipeline)
    assert done.remaining == ()
    assert pipeline.ledger.known(RAW, [(file.key, file.version_id)])
    assert pipeline.jobs.started == ["job-logs"]
    assert found(pipeline) == {}


def test_a_lost_version_of_a_known_key_is_registered_after_the_known_one(pipeline: Pipeline) -> None:
    old = arrived(pipeline, "twice")
    pipeline.ledger.register(old, "event")
    new = arrived(pipeline, "twice")
    assert repaired(pipeline).remaining == ()
    assert [v.version_id for v in pipeline.ledger.versions(RAW, old.key)] == [old.version_id, new.version_id]


def test_a_lost_version_is_registered_before_a_newer_one_that_is_known(pipeline: Pipeline) -> None:
    old, new = arrived(pipeline, "twice"), arrived(pipeline, "twice")
    pipeline.ledger.register(new, "event")
    assert repaired(pipeline).remaining == ()
    assert [v.version_id for v in pipeline.ledger.versions(RAW, old.key)] == [old.version_id, new.version_id]


def test_a_missing_version_that_must_be_read_is_reported(pipeline: Pipeline) -> None:
    waiting, carried = arrived(pipeline), arrived(pipeline)
    pipeline.ledger.register(waiting, "event")
    pipeline.carried(carried)
    for file in (waiting, carried):
        pipeline.objects.remove_version(RAW, file.key, file.version_id)
    assert found(pipeline) == {"vanished": 2}
    assert len(repaired(pipeline).remaining) == 2


def test_what_is_settled_may_be_deleted_from_the_bucket(pipeline: Pipeline) -> None:
    refused = replace(arrived(pipeline), state=FileState.FAILED)
    pipeline.ledger.register(refused, "event")
    for file in pipeline.ledger.files():
        pipeline.objects.remove_version(RAW, file.key, file.version_id)
    assert found(pipeline) == {}


def test_files_that_wait_for_more_than_an_hour_are_reported_and_their_job_started(pipeline: Pipeline) -> None:
    pipeline.ledger.register(arrived(pipeline), "event")
    assert found(pipeline) == {}
    pipeline.clock.forward(LATE)
    assert found(pipeline) == {"overdue-files": 1}
    assert repaired(pipeline).remaining == ()
    assert pipeline.jobs.started == ["job-logs"]


def test_corrections_are_overdue_only_if_nothing_is_under_way(pipeline: Pipeline) -> None:
    pipeline.ledger.note_correction("app_logs", RAW, "some/key", "token")
    assert found(pipeline) == {"overdue-corrections": 1}
    pipeline.ledger.register(arrived(pipeline), "event")
    assert found(pipeline) == {}


# -- batches that are stuck --------------------------------------------------------------------------------


def test_a_batch_whose_lease_has_ended_is_found_and_its_job_started(pipeline: Pipeline) -> None:
    pipeline.carried(arrived(pipeline))
    pipeline.clock.forward(601)
    assert found(pipeline) == {"abandoned": 1}
    assert repaired(pipeline).remaining == ()
    assert pipeline.jobs.started == ["job-logs"]


def test_a_batch_that_does_not_get_loaded_sends_for_the_sweep_and_the_load_function(
    pipeline: Pipeline,
) -> None:
    pipeline.curate(pipeline.carried(arrived(pipeline)))
    pipeline.clock.forward(LATE)
    assert found(pipeline) == {"unloaded": 1}
    functions = FakeFunctions()
    assert repaired(pipeline, functions).remaining == ()
    assert functions.invoked == ["sweep", "load"]


def test_a_function_that_fails_leaves_the_difference_and_its_words(pipeline: Pipeline) -> None:
    pipeline.curate(pipeline.carried(arrived(pipeline)))
    pipeline.clock.forward(LATE)
    done = repaired(pipeline, FakeFunctions(broken={"load": TerminalError("it is ill")}))
    assert [d.kind for d in done.remaining] == [Kind.UNLOADED]
    assert done.failed == ("function load: it is ill",)


def test_a_batch_whose_loads_fail_is_reported_with_the_error_and_the_retry_status(pipeline: Pipeline) -> None:
    batch = pipeline.curate(pipeline.carried(arrived(pipeline)))
    for attempt in (1, 2):
        pipeline.handle(Tick())
        pipeline.warehouse.fail(pipeline.warehouse.latest, "ERROR: permission denied")
        pipeline.handle(statement_ended(batch, attempt, "FAILED"))
    [difference] = look(pipeline).differences
    assert (difference.kind, difference.batch_id) == (Kind.LOAD_FAILING, batch.batch_id)
    assert difference.detail == (
        f"2 loads failed, the next one is due at {pipeline.now(batch).retry_at}: "
        "load_failed: ERROR: permission denied"
    )
    assert repaired(pipeline).remaining == (difference,)


# -- warehouse ---------------------------------------------------------------------------------------------


def test_a_loaded_batch_that_the_warehouse_lacks_is_reported(pipeline: Pipeline) -> None:
    noted_in_warehouse(pipeline)
    assert found(pipeline) == {"not-in-warehouse": 1}
    assert len(repaired(pipeline).remaining) == 1


def test_a_load_that_the_ledger_lacks_is_reported(pipeline: Pipeline) -> None:
    known = list(pipeline.ledger.batches())
    strange = replace(a_batch("strange"), merged=3, counts=Counts(3, 3))
    noted_in_warehouse(pipeline, *known, strange)
    [difference] = look(pipeline).differences
    assert (difference.kind, difference.what) == (Kind.NOT_LOADED, "strange")


def test_different_counts_are_reported_with_both_numbers(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    noted_in_warehouse(pipeline, replace(batch, merged=batch.merged + 5))
    [difference] = look(pipeline).differences
    assert difference.kind is Kind.OTHER_COUNTS
    assert difference.detail == f"ledger: merged {batch.merged}, etl_loads {batch.merged + 5}"


def test_drift_and_duplicate_keys_are_reported_separately(pipeline: Pipeline) -> None:
    pipeline.warehouse.drifts["app_logs"] = (12, 10, 1, 2, 3)
    assert found(pipeline) == {"drift": 3}


def test_a_warehouse_that_does_not_answer_is_reported_and_the_rest_is_compared(pipeline: Pipeline) -> None:
    pipeline.warehouse.busy = True
    arrived(pipeline)
    assert found(pipeline) == {"unanswered": 3, "unregistered": 1}


class Log:
    """The ledger and `etl_loads` of batches that are loaded repeatedly, with any outcome."""

    def __init__(self) -> None:
        self.rows: list[Load] = []

    def load(self, batch: Batch, curated: int, merged: int, retracted: int) -> Batch:
        merged = min(merged, curated)
        self.rows.append(
            Load(
                batch.batch_id, batch.generation, batch.dataset, curated, merged, curated - merged, retracted
            )
        )
        going = replace(batch, counts=Counts(read=curated, curated=curated))
        return loaded(going, merged, curated - merged, retracted)


generations = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2)), max_size=4)
histories = st.lists(generations.filter(bool), max_size=4)


def played(histories: list[list[tuple[int, int, int]]]) -> tuple[dict[str, Batch], Log]:
    batches, log = {}, Log()
    for number, history in enumerate(histories):
        batch = a_batch(f"b{number}")
        for generation, outcome in enumerate(history, start=1):
            batch = log.load(replace(batch, generation=generation), *outcome)
        batches[batch.batch_id] = batch
    return batches, log


@given(histories)
def test_a_ledger_that_recorded_every_load_agrees(histories: list[list[tuple[int, int, int]]]) -> None:
    batches, log = played(histories)
    assert load_differences(batches, log.rows) == []


@given(histories.filter(bool), st.data())
def test_a_ledger_that_differs_in_one_count_is_caught(
    histories: list[list[tuple[int, int, int]]], data: st.DataObject
) -> None:
    batches, log = played(histories)
    wrong = data.draw(st.sampled_from(sorted(batches)))
    name = data.draw(st.sampled_from(["merged", "superseded", "retracted"]))
    changed = replace(batches[wrong], **{name: getattr(batches[wrong], name) + 1})
    assert [d.what for d in load_differences({**batches, wrong: changed}, log.rows)] == [wrong]


@given(histories.filter(bool), st.data())
def test_a_load_that_is_missing_from_either_side_is_caught(
    histories: list[list[tuple[int, int, int]]], data: st.DataObject
) -> None:
    batches, log = played(histories)
    lost = data.draw(st.sampled_from(sorted(batches)))
    newest = max(row.generation for row in log.rows if row.batch_id == lost)
    without = [row for row in log.rows if (row.batch_id, row.generation) != (lost, newest)]
    assert [d.kind for d in load_differences(batches, without)] == [Kind.NOT_IN_WAREHOUSE]
    unknown = {batch_id: batch for batch_id, batch in batches.items() if batch_id != lost}
    assert [(d.kind, d.what) for d in load_differences(unknown, log.rows)] == [(Kind.NOT_LOADED, lost)]


@pytest.mark.parametrize("state", BatchState)
def test_a_load_of_a_failed_batch_is_reported_and_one_of_an_open_batch_is_not(state: BatchState) -> None:
    batches, log = played([[(5, 5, 0)]])
    given_up = state is not BatchState.LOADED and state not in OPEN_STATES
    moved = {"b0": replace(batches["b0"], state=state)}
    kinds = [d.kind for d in load_differences(moved, log.rows)]
    assert kinds == ([Kind.NOT_LOADED] if given_up else [])


# -- kinds -------------------------------------------------------------------------------------------------


def test_every_kind_is_explained_with_its_way_out() -> None:
    assert set(EXPLANATIONS) == set(Kind)
    for told in EXPLANATIONS.values():
        assert told.title and told.meaning and told.way_out
        assert ("--repair" in told.way_out) == told.repairable


@given(st.lists(st.sampled_from(Kind)))
def test_grouping_loses_nothing_and_goes_by_the_order_of_kinds(kinds: list[Kind]) -> None:
    differences = [Difference(kind, str(number)) for number, kind in enumerate(kinds)]
    groups = grouped(differences)
    assert list(groups) == [kind for kind in Kind if kind in kinds]
    assert Counter(d.what for group in groups.values() for d in group) == Counter(d.what for d in differences)
