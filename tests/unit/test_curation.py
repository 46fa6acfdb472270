"""Curate a batch: what is counted, what is left out, and the outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes import Calls, Died, Dying, a_file, a_report
from fakes.pipeline import DATASET, Pipeline
from gluebook.contracts import contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.reasons import ReasonText
from gluebook.core.model import Batch, Counts, FileResult
from gluebook.core.plan import results_from_json
from gluebook.core.states import BatchState, FileState
from gluebook.errors import CountMismatch, Fenced
from gluebook.job.claim import fail_or_divide
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked, Written
from gluebook.job.curate import Curation, next_batch
from gluebook.quality.report import GateReport

NOBODY_ASKED = AssertionError("the gate has nothing to look at")
FAILED_GATE = a_report("level")


def no_gate(counts: Counts) -> GateReport:
    raise NOBODY_ASKED


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def results(pipeline: Pipeline, batch: Batch) -> dict[str, FileResult]:
    stored = pipeline.objects.get_json(
        "lake", pipeline.lake.result(batch.dataset, batch.batch_id, batch.epoch)
    )
    return {result.key.rpartition("/")[2]: result for result in results_from_json(stored["files"])}


def curation(pipeline: Pipeline, batch: Batch) -> Curation:
    return Curation(pipeline.job_context, contract(batch.dataset), batch)


def test_a_curated_batch_is_published_with_the_counts_of_its_files(pipeline: Pipeline) -> None:
    one, two = a_file("one"), a_file("two")
    batch = pipeline.carried(one, two)
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 6), 1: Checked(1, 4)})
    assert work.records == 10
    pipeline.objects.put("lake", f"{work.data_prefix}dt=2026-01-05/part-0.parquet", b"rows")
    pipeline.objects.put("lake", f"{work.data_prefix}_SUCCESS", b"")
    pipeline.objects.put("lake", f"{work.row_references_prefix}part-0.parquet", b"row references")
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"rejects")
    written = Written(
        curated={(one.key, "v1"): 4, (two.key, "v1"): 2},
        duplicates={(one.key, "v1"): 1, (two.key, "v1"): 2},
        rejects={(one.key, "v1"): {"malformed_record": 1}},
        row_references=3,
    )
    done, counts = work.finish(written, lambda counts: a_report())
    assert counts == done.counts == Counts(10, 6, 3, 1)
    assert (done.state, done.row_references, done.partitions) == (BatchState.CURATED, 3, ("2026-01-05",))
    found = results(pipeline, batch)
    assert found["one"].counts == Counts(6, 4, 1, 1)
    assert found["one"].reject_reasons == {"malformed_record": 1}
    assert found["two"].counts == Counts(4, 2, 2, 0)
    assert [key for key in pipeline.visible() if key.startswith("curated/")] == [
        f"curated/{DATASET}/dt=2026-01-05/{batch.batch_id}-00000.parquet"
    ]
    assert (
        pipeline.objects.body("lake", pipeline.lake.quarantine_file(DATASET, batch.batch_id, 1, 0))
        == b"rejects"
    )
    assert pipeline.objects.sizes("lake", "staging/") == {}


@pytest.mark.parametrize("off", [-1, 1])
def test_a_row_too_few_or_too_many_publishes_nothing(pipeline: Pipeline, off: int) -> None:
    file = a_file()
    batch = pipeline.carried(file)
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 6)})
    with pytest.raises(CountMismatch, match=f"{file.key}: read 6 is not curated {6 + off}"):
        work.finish(Written({(file.key, "v1"): 6 + off}, {}, {}), no_gate)
    assert (pipeline.visible(), pipeline.now(batch)) == ({}, batch)


def test_files_that_cant_be_used_are_settled_with_their_reasons_and_take_part_with_no_row(
    pipeline: Pipeline,
) -> None:
    good, corrupt, empty, blank = a_file("1"), a_file("2"), a_file("3", size=0), a_file("4")
    batch = pipeline.carried(good, corrupt, empty, blank)
    work = curation(pipeline, batch)
    work.check(
        {
            0: Checked(0, 2),
            1: Checked(1, 17, bad=ReasonText("corrupt_gzip: at byte 99")),
            2: Checked(2, 0),
            3: Checked(3, 0, header="a,b"),
        }
    )
    states = {file.key[-1]: (file.state, file.reason) for file in pipeline.ledger.files()}
    assert states == {
        "1": (FileState.CLAIMED, None),
        "2": (FileState.FAILED, "corrupt_gzip: at byte 99"),
        "3": (FileState.EMPTY, "empty_file: 0 bytes"),
        "4": (FileState.EMPTY, "no_records: the file holds a header and nothing else"),
    }
    assert [(index, file.key[-1]) for index, file, _ in work.readable("mongod")] == [(0, "1")]
    assert work.readable("containers") == []
    # An empty version takes the place of an earlier one; one that can't be read does not.
    assert [file.key[-1] for file in work.usable] == ["1", "3", "4"]
    pipeline.objects.put("lake", f"{work.data_prefix}dt=2026-01-05/part-0.parquet", b"rows")
    done, counts = work.finish(Written({(good.key, "v1"): 2}, {}, {}), lambda counts: a_report())
    assert counts == Counts(2, 2, 0, 0)
    found = results(pipeline, done)
    assert (found["2"].state, found["2"].problem, found["2"].counts) == (
        FileState.FAILED,
        "corrupt_gzip: at byte 99",
        Counts(),
    )


def test_a_file_that_a_replay_can_read_after_all_counts_again(pipeline: Pipeline) -> None:
    bad, good = a_file("1"), a_file("2")
    batch = pipeline.carried(bad, good)
    done = pipeline.curate(batch, bad={bad.key: "corrupt_gzip"})
    again = pipeline.again(pipeline.load(done))
    done = pipeline.curate(again, rows=3)
    assert done.counts.curated == 6
    assert {(file.state, file.reason) for file in pipeline.ledger.files()} == {(FileState.CLAIMED, None)}


# -- what it comes to --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["app_logs", "support_tickets"])
def test_a_batch_that_fails_the_gate_is_rejected_with_what_failed_and_publishes_nothing(
    pipeline: Pipeline, dataset: str
) -> None:
    batch = pipeline.carried(a_file(dataset=dataset), dataset=dataset)
    done = pipeline.curate(batch, rows=5, verdict=FAILED_GATE)
    assert (done.state, done.reason) == (BatchState.REJECTED, f"gate: {FAILED_GATE.summary()}")
    assert done.counts == Counts(5, 5)
    assert pipeline.visible() == {}
    assert results(pipeline, batch)
    assert pipeline.ledger.count_failures(dataset, "") == 1
    assert pipeline.objects.sizes("lake", "staging/") == {}


def test_tickets_without_a_row_are_empty_and_go_nowhere(pipeline: Pipeline) -> None:
    batch = pipeline.carried(a_file(dataset="support_tickets"), dataset="support_tickets")
    done = pipeline.curate(batch, rows=0)
    assert (done.state, done.reason) == (BatchState.EMPTY, "no rows to load")
    assert pipeline.visible() == {}


def test_logs_without_a_row_are_loaded_because_they_may_take_rows_away(pipeline: Pipeline) -> None:
    batch = pipeline.carried(a_file())
    done = pipeline.curate(batch, rows=0)
    assert (done.state, done.counts.curated, done.row_references) == (BatchState.CURATED, 0, 1)
    assert [key for key in pipeline.visible() if not key.startswith("vouchers/")] == []


def test_logs_of_which_no_file_could_be_read_have_nothing_to_say(pipeline: Pipeline) -> None:
    file = a_file()
    done = pipeline.curate(pipeline.carried(file), bad={file.key: "corrupt_gzip"})
    assert done.state is BatchState.EMPTY
    assert pipeline.visible() == {}


@pytest.mark.parametrize("dataset", ["app_logs", "support_tickets"])
def test_a_further_generation_without_a_row_is_published_so_that_what_was_there_goes(
    pipeline: Pipeline, dataset: str
) -> None:
    batch = pipeline.carried(a_file(dataset=dataset), dataset=dataset)
    loaded = pipeline.load(pipeline.curate(batch, rows=2))
    assert pipeline.visible()
    done = pipeline.curate(pipeline.again(loaded), rows=0)
    assert done.state is BatchState.CURATED
    assert not [key for key in pipeline.visible() if not key.startswith("vouchers/")]


def test_the_gate_is_not_asked_about_no_rows(pipeline: Pipeline) -> None:
    batch = pipeline.carried(a_file())
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 0)})
    done, _ = work.finish(Written({}, {}, {}), no_gate)
    assert done.state is BatchState.CURATED


def test_a_correction_of_which_every_record_is_broken_leaves_what_was_there(pipeline: Pipeline) -> None:
    loaded = pipeline.load(pipeline.curate(pipeline.carried(a_file()), rows=200))
    before = pipeline.visible()
    again = pipeline.again(loaded)
    work = curation(pipeline, again)
    [file] = work.files
    work.check({0: Checked(0, 200)})
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"r")
    written = Written({}, {}, {(file.key, file.version_id): {"malformed_record": 200}})
    done, _ = work.finish(written, lambda counts: FAILED_GATE)
    assert done.state is BatchState.REJECTED
    assert pipeline.visible() == before


def test_the_gate_gets_the_batchs_counts_and_its_verdict_is_stored_for_the_warehouse(
    pipeline: Pipeline,
) -> None:
    batch = pipeline.carried(a_file())
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 5)})
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"r")
    told: list[Counts] = []

    def gate(counts: Counts) -> GateReport:
        told.append(counts)
        return a_report("level", "service", outcomes=60)

    written = Written(
        {(batch_file(batch, pipeline), "v1"): 3}, {}, {(batch_file(batch, pipeline), "v1"): {"x": 2}}
    )
    done, counts = work.finish(written, gate)
    assert told == [counts] == [Counts(5, 3, 0, 2)]
    assert done.state is BatchState.REJECTED
    [noted] = pipeline.ledger.verdicts(DATASET)
    assert (noted.batch_id, noted.generation, noted.rows, noted.passed, noted.failed) == (
        batch.batch_id,
        1,
        60,
        False,
        2,
    )


def batch_file(batch: Batch, pipeline: Pipeline) -> str:
    [file] = pipeline.ledger.batch_files(batch.batch_id)
    return file.key


def test_a_batch_without_outcomes_deletes_its_recorded_verdict(
    pipeline: Pipeline,
) -> None:
    loaded = pipeline.load(pipeline.curate(pipeline.carried(a_file()), rows=2))
    assert pipeline.ledger.verdicts(DATASET) == []
    pipeline.curate(pipeline.again(loaded), rows=0)
    [noted] = pipeline.ledger.verdicts(DATASET)
    assert (noted.batch_id, noted.generation, noted.rows) == (loaded.batch_id, 2, 0)


@pytest.mark.parametrize("verdict", [a_report(), FAILED_GATE])
def test_an_earlier_generation_stays_visible_until_it_is_replaced(
    pipeline: Pipeline, verdict: GateReport
) -> None:
    loaded = pipeline.load(pipeline.curate(pipeline.carried(a_file()), rows=2))
    before = pipeline.visible()
    done = pipeline.curate(pipeline.again(loaded), rows=1, verdict=verdict)
    if verdict.passed:
        assert done.state is BatchState.CURATED
        assert not pipeline.visible().keys() & before.keys()
    else:
        assert done.state is BatchState.REJECTED
        assert pipeline.visible() == before


def test_rejects_of_a_later_generation_replace_the_earlier_ones(pipeline: Pipeline) -> None:
    file = a_file()
    batch = pipeline.carried(file)
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 2)})
    for number in range(2):
        pipeline.objects.put("lake", f"{work.rejects_prefix}part-{number}.parquet", b"r")
    done, _ = work.finish(
        Written({}, {}, {(file.key, "v1"): {"malformed_record": 2}}), lambda counts: a_report()
    )
    assert len(pipeline.objects.sizes("lake", f"quarantine/{DATASET}/")) == 2
    again = pipeline.again(pipeline.load(done))
    work = curation(pipeline, again)
    work.check({0: Checked(0, 1)})
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"r")
    written = Written({}, {}, {(file.key, "v1"): {"malformed_record": 1}})
    loaded = pipeline.load(work.finish(written, lambda counts: a_report())[0])
    kept = pipeline.objects.sizes("lake", f"quarantine/{DATASET}/")
    assert list(kept) == [pipeline.lake.quarantine_file(DATASET, batch.batch_id, again.epoch, 0)]
    pipeline.curate(pipeline.again(loaded), rows=2)
    assert pipeline.objects.sizes("lake", f"quarantine/{DATASET}/") == {}


def test_a_failed_generation_keeps_the_results_of_the_previous_one(
    pipeline: Pipeline,
) -> None:
    def curated(batch: Batch, rejects: int, gate: Any) -> Batch:
        work = curation(pipeline, batch)
        work.check({0: Checked(0, rejects)})
        pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"r" * rejects)
        reasons = {(work.files[0].key, "v1"): {"malformed_record": rejects}}
        return work.finish(Written({}, {}, reasons), gate)[0]

    def died(counts: Counts) -> GateReport:
        raise Died

    def said() -> dict[str, bytes | None]:
        told = pipeline.objects.sizes("lake", f"quarantine/{DATASET}/")
        return {key: pipeline.objects.body("lake", key) for key in told}

    loaded = pipeline.load(curated(pipeline.carried(a_file()), 3, lambda counts: a_report()))
    before = said(), results(pipeline, loaded)
    again = pipeline.again(loaded)
    with pytest.raises(Died):
        curated(again, 2, died)
    failed = fail_or_divide(pipeline.job_context, again, ReasonText("attempts_used_up"), "t")
    assert (failed.state, failed.reported_epoch, failed.counts) == (
        BatchState.FAILED,
        loaded.epoch,
        loaded.counts,
    )
    assert (said(), results(pipeline, loaded)) == before


# -- superseded versions -----------------------------------------------------------------------------------


def test_a_superseded_version_takes_no_part_and_is_reported(pipeline: Pipeline) -> None:
    old, other = a_file("old"), a_file("other")
    loaded = pipeline.load(pipeline.curate(pipeline.carried(old, other), rows=2))
    again = pipeline.again(loaded, old)
    work = curation(pipeline, again)
    assert [file.key for file in work.files] == [other.key]
    done = pipeline.curate(again, rows=2)
    assert (done.counts, done.row_references) == (Counts(2, 2), 1)
    found = results(pipeline, done)
    assert (found["old"].state, found["old"].counts) == (FileState.SUPERSEDED, Counts())
    assert (found["old"].problem or "").startswith("superseded: a newer version of")
    assert pipeline.state_of(old) is FileState.SUPERSEDED


def test_a_batch_of_superseded_versions_is_withdrawn_completely(pipeline: Pipeline) -> None:
    old = a_file("old")
    loaded = pipeline.load(pipeline.curate(pipeline.carried(old), rows=2))
    again = pipeline.again(loaded, old)
    work = curation(pipeline, again)
    work.check({})
    assert (work.files, work.usable, work.records) == ([], [], 0)
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"none")
    done, counts = work.finish(Written({}, {}, {}), no_gate)
    assert (done.state, counts) == (BatchState.CURATED, Counts())
    assert pipeline.visible() == {}


def test_a_run_whose_staged_rows_were_deleted_writes_nothing_to_quarantine(pipeline: Pipeline) -> None:
    file = a_file()
    batch = pipeline.carried(file)
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 1)})
    with pytest.raises(Fenced, match="epoch 1, are gone"):
        work.finish(Written({}, {}, {(file.key, "v1"): {"malformed_record": 1}}), no_gate)


# -- who has lost his batch --------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("verdict", [a_report(), FAILED_GATE])
def test_a_run_that_lost_its_batch_leaves_no_trace(
    pipeline: Pipeline, rows: int, verdict: GateReport
) -> None:
    batch = pipeline.carried(a_file())
    work = curation(pipeline, batch)
    work.check({0: Checked(0, rows)})
    pipeline.objects.put("lake", f"{work.rejects_prefix}part-0.parquet", b"r")
    fail_or_divide(pipeline.job_context, batch, ReasonText("used up"), "t")
    before = pipeline.now(batch)
    with pytest.raises(Fenced):
        work.finish(Written({(work.files[0].key, "v1"): rows}, {}, {}), lambda _: verdict)
    places = [key for key in pipeline.objects.sizes("lake", "") if not key.startswith("staging/")]
    assert (places, pipeline.now(batch)) == ([], before)


def test_a_run_that_lost_its_batch_settles_no_file(pipeline: Pipeline) -> None:
    file = a_file()
    batch = pipeline.carried(file)
    work = curation(pipeline, batch)
    fail_or_divide(pipeline.job_context, batch, ReasonText("used up"), "t")
    with pytest.raises(Fenced):
        work.check({0: Checked(0, 0, bad=ReasonText("corrupt_gzip"))})
    assert pipeline.state_of(file) is FileState.CLAIMED


# -- the next batch ----------------------------------------------------------------------------------------


def test_batches_with_a_known_outcome_are_finished_before_the_next_batch(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file("waits"), "test")
    publishing = stopped_while_publishing(pipeline)
    dividing = pipeline.carried(a_file("a"), a_file("b"), owner="jr_dead")
    fail_or_divide(pipeline.job_context, dividing, ReasonText("used up"), "t")
    pipeline.clock.forward(601)
    batch = next_batch(pipeline.job_context, pipeline.claimant("jr_next"))
    assert batch is not None
    assert [file.key[-5:] for file in pipeline.ledger.batch_files(batch.batch_id)] == ["waits"]
    assert pipeline.now(publishing).state is BatchState.CURATED
    assert pipeline.now(dividing).state is BatchState.DIVIDED
    assert pipeline.objects.sizes("lake", "staging/") == {}


def stopped_while_publishing(pipeline: Pipeline) -> Batch:
    """A batch past the gate whose run has died."""
    batch = pipeline.carried(a_file("staged"), owner="jr_dead")
    work = curation(pipeline, batch)
    work.check({0: Checked(0, 1)})
    pipeline.objects.put("lake", f"{work.data_prefix}dt=2026-01-05/part-0.parquet", b"rows")
    # It dies at its second copy of anything, which is after the gate.
    calls = Calls(5)
    context = JobContext(pipeline.ledger, Dying(pipeline.objects, calls), pipeline.lake, pipeline.clock)
    dying = Curation(context, APP_LOGS, batch)
    dying.check({0: Checked(0, 1)})
    with pytest.raises(Died):
        dying.finish(Written({(work.files[0].key, "v1"): 1}, {}, {}), lambda counts: a_report())
    assert pipeline.now(batch).state is BatchState.PUBLISHING
    return pipeline.now(batch)


@pytest.mark.parametrize("generation", [1, 2])
def test_a_publishing_batch_without_its_plan_is_divided_and_its_files_start_over(
    pipeline: Pipeline, generation: int
) -> None:
    one, two = a_file("one"), a_file("two")
    batch = pipeline.carried(one, two, owner="jr_dead")
    if generation == 2:
        batch = pipeline.again(pipeline.load(pipeline.curate(batch)))
    plan = f"{pipeline.lake.staging(batch.batch_id, batch.epoch)}plan.json"
    going = replace(batch, state=BatchState.PUBLISHING, plan=plan)
    pipeline.ledger.advance(batch, going, "t", "gate passed")
    pipeline.clock.forward(601)
    halves = []
    while (half := next_batch(pipeline.job_context, pipeline.claimant("jr_next"))) is not None:
        halves += [(half.parent, [file.key for file in pipeline.ledger.batch_files(half.batch_id)])]
        pipeline.curate(half)
    given_up = pipeline.now(batch)
    assert (given_up.state, given_up.reason) == (BatchState.DIVIDED, f"plan_is_gone: {plan}")
    expected = [(batch.batch_id, [one.key]), (batch.batch_id, [two.key])]
    assert sorted(halves) == sorted(expected)
    # No file of the divided batch is read besides those of the halves.
    assert len([key for key in pipeline.visible() if key.startswith("curated/")]) == 2
    assert not [manifest for manifest in pipeline.by_manifest() if batch.batch_id in manifest]


@pytest.mark.parametrize(
    ("generation", "state", "end"),
    [
        (1, BatchState.CLAIMED, BatchState.DIVIDING),
        (1, BatchState.PUBLISHING, BatchState.DIVIDING),
        (1, BatchState.CURATED, BatchState.DIVIDING),
        (2, BatchState.CLAIMED, BatchState.FAILED),
        (2, BatchState.PUBLISHING, BatchState.DIVIDING),
        (2, BatchState.CURATED, BatchState.DIVIDING),
    ],
)
def test_only_a_reopened_batch_that_published_nothing_is_failed_as_a_whole(
    pipeline: Pipeline, generation: int, state: BatchState, end: BatchState
) -> None:
    batch = pipeline.carried(a_file())
    if generation == 2:
        batch = pipeline.again(pipeline.load(pipeline.curate(batch)))
    for step in (BatchState.PUBLISHING, BatchState.CURATED):
        if batch.state is not state:
            batch = pipeline.ledger.advance(batch, replace(batch, state=step), "t", "test")
    given_up = fail_or_divide(pipeline.job_context, batch, ReasonText("why"), "t")
    assert (given_up.state, given_up.reason) == (end, "why")
    assert (given_up.epoch, given_up.attempts, given_up.lease_until) == (batch.epoch + 1, 0, 0)


def test_nothing_to_do_is_no_batch(pipeline: Pipeline) -> None:
    assert next_batch(pipeline.job_context, pipeline.claimant("jr_1")) is None


def test_work_files_of_idle_batches_are_deleted_and_those_of_leased_ones_kept(
    pipeline: Pipeline,
) -> None:
    held = pipeline.carried(a_file(), owner="jr_other")
    done = pipeline.batch(BatchState.LOADED)
    tickets = pipeline.batch(BatchState.LOADED, dataset="support_tickets")
    unknown = f"{DATASET}-of-another-ledger"
    for batch_id in (held.batch_id, done.batch_id, tickets.batch_id, unknown):
        for place in ("inbox", "staging"):
            pipeline.objects.put("lake", f"{place}/{batch_id}/1/data/x.parquet", b"x")
    assert next_batch(pipeline.job_context, pipeline.claimant("jr_1")) is None
    left = {key.split("/")[1] for key in pipeline.objects.sizes("lake", "")}
    assert left == {held.batch_id, tickets.batch_id, unknown}


def test_a_file_whose_version_is_the_batchs_no_more_is_unknown_to_its_curation(pipeline: Pipeline) -> None:
    batch: Any = pipeline.carried(a_file("a"), a_file("b"))
    assert [file.batch_id for file in curation(pipeline, batch).files] == [batch.batch_id] * 2
    assert curation(pipeline, replace(batch, batch_id="unknown")).files == []
