"""Load: every event may arrive twice, late, out of order or never."""

from __future__ import annotations

import contextlib
import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from aws_events import aws_event
from fakes import FakeJobs, a_file
from fakes.pipeline import DATASET, Pipeline, job_ended, statement_ended
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.core.backoff import RETRY_FOR
from gluebook.core.claiming import MOST_ATTEMPTS
from gluebook.core.events import CrawlEnded, Event, Ignored, JobEnded, StatementEnded, Tick, parse_event
from gluebook.core.loading import CrawlPolicy, statement_name
from gluebook.core.model import Batch
from gluebook.core.runs import FailedRun, proven_mark
from gluebook.core.states import BatchState, FileState
from gluebook.errors import ConfigurationError, TerminalError, WarehouseBusy
from gluebook.functions.runs import failed_run
from gluebook.functions.schema import ensure_schema
from gluebook.functions.sweep import sweep
from gluebook.job.curate import next_batch

CONFLICT = "ERROR: 1023 Serializable isolation violation on table"
BAD_DATA = "ERROR: Value too long for character type"


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


# -- job runs ----------------------------------------------------------------------------------------------


def test_a_file_that_came_after_the_runs_last_look_starts_the_next_run(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.handle(job_ended())
    assert pipeline.jobs.started == ["job-logs"]


def test_nothing_pending_starts_nothing(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(dataset="support_tickets"), "test")
    pipeline.handle(job_ended())
    assert pipeline.jobs.started == []


def test_a_run_under_way_already_is_fine(pipeline: Pipeline) -> None:
    pipeline.jobs.start("job-logs")
    pipeline.ledger.register(a_file(), "test")
    pipeline.handle(job_ended())
    assert pipeline.jobs.started == ["job-logs"]


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "STOPPED", "ERROR"])
def test_a_run_that_failed_without_a_claim_is_not_followed_by_another_at_once(
    pipeline: Pipeline, state: str
) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.handle(job_ended(state=state))
    assert pipeline.jobs.started == []
    pipeline.handle(Tick())
    assert pipeline.jobs.started == ["job-logs"]


def test_no_run_follows_one_that_fails_before_it_takes_over_an_abandoned_batch(
    pipeline: Pipeline,
) -> None:
    pipeline.batch(BatchState.CLAIMED, owner="jr_before")
    pipeline.clock.forward(3_600)
    pipeline.handle(job_ended("jr_broken_script", "FAILED"))
    assert pipeline.jobs.started == []
    pipeline.handle(Tick())
    assert pipeline.jobs.started == ["job-logs"]


@pytest.mark.parametrize("left", [BatchState.CLAIMED, BatchState.PUBLISHING, BatchState.DIVIDING])
def test_the_batch_of_a_dead_run_is_free_at_once_and_taken_over_by_the_next(
    pipeline: Pipeline, left: BatchState
) -> None:
    batch = pipeline.batch(left, owner="jr_0")
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch).lease_until == 0
    assert pipeline.jobs.started == ["job-logs"]
    taken = pipeline.ledger.take_over(pipeline.now(batch), "jr_1", 9, pipeline.clock.seconds, "t")
    assert taken is not None and (taken.state, taken.owner) == (left, "jr_1")


def test_the_lease_of_another_run_is_kept(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.CLAIMED, owner="jr_1")
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch) == batch


def test_a_late_event_of_a_dead_run_does_not_free_what_its_successor_holds(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.CLAIMED, owner="jr_0")
    pipeline.clock.forward(3_600)
    until = pipeline.clock.seconds + 600
    taken = pipeline.ledger.take_over(batch, "jr_1", until, pipeline.clock.seconds, "t")
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch) == taken
    assert pipeline.jobs.started == []


def test_the_end_of_an_unknown_job_is_ignored(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.batch(BatchState.CURATED)
    pipeline.handle(job_ended(job="another-teams-job"), Ignored("whatever"))
    assert (pipeline.jobs.started, pipeline.warehouse.statements) == ([], {})


def test_a_batch_that_kills_every_run_is_exhausted_and_no_run_follows(pipeline: Pipeline) -> None:
    bad = a_file("bad")
    pipeline.ledger.register(bad, "test")
    run, runs = pipeline.jobs.start("job-logs"), 0
    while run is not None:
        runs += 1
        assert runs < 20, "runs follow each other for ever"
        batch = next_batch(pipeline.job_context, pipeline.claimant(run))
        pipeline.jobs.end("job-logs")
        state, message = ("FAILED", "MemoryError: of this file") if batch else ("SUCCEEDED", "")
        pipeline.handle(JobEnded("job-logs", run, state, message))
        run = pipeline.jobs.running.get("job-logs")
    assert runs == MOST_ATTEMPTS + 1
    assert pipeline.ledger.open_batches(DATASET) == []
    [file] = pipeline.ledger.files()
    assert file.state is FileState.FAILED
    assert (file.reason or "").startswith("attempts_used_up: 3 runs ended before it was published; run ")
    assert (file.reason or "").endswith(" is FAILED: MemoryError: of this file")


def waits_of_the_schedule(pipeline: Pipeline, runs: int) -> list[int]:
    """Minutes until the schedule starts the next run, while each fails without a claim and files are pending."""
    pipeline.ledger.register(a_file(), "test")
    waited = []
    for number in range(runs):
        # Each end is reported twice.
        pipeline.handle(*[job_ended(f"jr_{number}", "FAILED")] * 2)
        minutes = 0
        while len(pipeline.jobs.started) == number:
            pipeline.clock.forward(60)
            minutes += 1
            pipeline.handle(Tick())
        pipeline.jobs.end("job-logs")
        waited.append(minutes)
    return waited


def test_until_a_run_succeeds_runs_that_fail_without_a_claim_are_started_with_growing_pauses(
    pipeline: Pipeline,
) -> None:
    assert waits_of_the_schedule(pipeline, 8) == [1, 5, 10, 20, 40, 60, 60, 60]
    pipeline.handle(job_ended("jr_8", "SUCCEEDED"))
    assert len(pipeline.jobs.started) == 9


def test_where_a_run_has_succeeded_the_schedule_tries_again_each_time(pipeline: Pipeline) -> None:
    pipeline.handle(job_ended("jr_before"))
    assert waits_of_the_schedule(pipeline, 5) == [1] * 5


def test_where_no_run_has_succeeded_one_that_dies_of_files_is_followed_at_once(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CLAIMED, owner="jr_2")
    pipeline.handle(*(job_ended(f"jr_{number}", "FAILED") for number in range(3)))
    assert pipeline.jobs.started == ["job-logs"]


def test_what_is_noted_of_runs_is_that_one_has_succeeded_and_why_the_last_one_failed(
    pipeline: Pipeline,
) -> None:
    pipeline.handle(JobEnded("job-logs", "jr_0", "FAILED", "LAUNCH ERROR | pip failed\nmore"))
    failed = failed_run(DATASET, pipeline.ledger)
    assert failed == FailedRun("jr_0", pipeline.clock.seconds, "LAUNCH ERROR | pip failed", 1)
    assert pipeline.ledger.mark(proven_mark(DATASET)) is None
    pipeline.handle(job_ended("jr_1"), job_ended("jr_2"))
    assert failed_run(DATASET, pipeline.ledger) is None
    assert pipeline.ledger.mark(proven_mark(DATASET)) == "jr_1"
    assert pipeline.ledger.mark(proven_mark("support_tickets")) is None


def test_the_error_of_a_run_is_the_reason_of_the_batch_that_it_left(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.CLAIMED, owner="jr_0")
    pipeline.handle(JobEnded("job-logs", "jr_0", "FAILED", "MemoryError: much"))
    assert pipeline.now(batch).reason == "run jr_0 is FAILED: MemoryError: much"


def test_the_reason_of_a_division_is_kept_when_the_run_that_divides_dies(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.DIVIDING, owner="jr_0")
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch) == replace(batch, lease_until=0)


def left_after(pipeline: Pipeline, state: BatchState, generation: int, attempts: int) -> Batch:
    """A batch in the hands of `jr_0`, which is the run number `attempts` that has taken it up."""
    batch = pipeline.batch(BatchState.LOADED if generation == 2 else BatchState.CLAIMED)
    if generation == 2:
        batch = pipeline.again(batch)
    if batch.state is not state:
        batch = pipeline.ledger.advance(batch, replace(batch, state=state, attempts=0), "t", "test")
    while batch.attempts < attempts:
        pipeline.clock.forward(3_600)
        seconds = pipeline.clock.seconds
        taken = pipeline.ledger.take_over(batch, "jr_0", seconds + 600, seconds, "t")
        assert taken is not None
        batch = taken
    return batch


WITHOUT_END = [
    (BatchState.DIVIDING, 1),
    (BatchState.DIVIDING, 2),
    (BatchState.PUBLISHING, 2),
]


@pytest.mark.parametrize(("state", "generation"), WITHOUT_END)
def test_a_run_that_failed_on_what_many_have_failed_on_is_not_followed_at_once(
    pipeline: Pipeline, state: BatchState, generation: int
) -> None:
    batch = left_after(pipeline, state, generation, MOST_ATTEMPTS)
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch).lease_until == 0
    assert pipeline.jobs.started == []
    # Its attempts are unlimited, so the schedule retries.
    pipeline.handle(Tick())
    assert pipeline.jobs.started == ["job-logs"]


@pytest.mark.parametrize(
    ("state", "generation", "attempts"),
    [
        *((state, generation, MOST_ATTEMPTS - 1) for state, generation in WITHOUT_END),
        # The next run ends these batches.
        (BatchState.CLAIMED, 1, MOST_ATTEMPTS),
        (BatchState.CLAIMED, 2, MOST_ATTEMPTS),
        (BatchState.PUBLISHING, 1, MOST_ATTEMPTS),
    ],
)
def test_a_run_that_failed_on_what_has_a_chance_or_an_end_is_followed_at_once(
    pipeline: Pipeline, state: BatchState, generation: int, attempts: int
) -> None:
    left_after(pipeline, state, generation, attempts)
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.jobs.started == ["job-logs"]


# -- submitting --------------------------------------------------------------------------------------------


def test_a_curated_batch_is_loaded_by_its_manifest(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    statement = pipeline.warehouse.statements[pipeline.warehouse.latest]
    assert (batch.load_attempts, batch.statement_id) == (1, pipeline.warehouse.latest)
    assert statement.name == f"gluebook-load:{batch.batch_id}:1:1"
    assert any(f"'s3://lake/manifests/app_logs/{batch.batch_id}.json'" in sql for sql in statement.sqls)
    assert any("'arn:copy'" in sql for sql in statement.sqls)
    assert any("count(*) <> 7 " in sql for sql in statement.sqls)


def test_all_curated_batches_are_submitted_oldest_first(pipeline: Pipeline) -> None:
    batches = [pipeline.batch(BatchState.CURATED) for _ in range(3)]
    pipeline.handle(job_ended())
    names = [statement.name.split(":")[1] for statement in pipeline.warehouse.statements.values()]
    assert names == sorted(batch.batch_id for batch in batches)


def test_the_schema_is_made_once_before_the_first_load(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED)
    pipeline.handle(job_ended())
    pipeline.batch(BatchState.CURATED)
    pipeline.handle(job_ended())
    [_, (name, sqls)] = pipeline.warehouse.ran
    assert name == "gluebook-schema" and "create table if not exists app_logs" in " ".join(sqls)
    assert len(pipeline.warehouse.statements) == 2


def test_a_changed_schema_is_made_again(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("warehouse-schema", "of an older contract")
    pipeline.submitted()
    assert [name for name, _ in pipeline.warehouse.ran] == ["gluebook-users", "gluebook-schema"]


def test_users_and_roles_are_made_if_they_are_not_there(pipeline: Pipeline) -> None:
    pipeline.warehouse.users = {"admin", "iamr:load", "gluebook_reader"}
    pipeline.submitted()
    made = [sql for sql in pipeline.warehouse.ran[-1][1] if sql.startswith(("create role", "create user"))]
    assert made == ["create role gluebook_loader", 'create user "IAMR:sweep" password disable']


@pytest.mark.parametrize(
    "refusal",
    [
        'ERROR: role "gluebook_loader" already exists',
        "ERROR: could not complete because of conflict with concurrent transaction",
    ],
)
def test_a_schema_that_another_function_creates_concurrently_is_retried(
    pipeline: Pipeline, refusal: str
) -> None:
    pipeline.warehouse.refusals = [refusal]
    pipeline.submitted()
    assert [name for name, _ in pipeline.warehouse.ran] == ["gluebook-users", "gluebook-schema"] * 2


def test_a_schema_that_others_keep_making_waits_for_the_next_look(pipeline: Pipeline) -> None:
    pipeline.warehouse.refusals = ['ERROR: role "gluebook_loader" already exists'] * 10
    batch = pipeline.batch(BatchState.CURATED)
    pipeline.handle(job_ended())
    assert pipeline.now(batch).state is BatchState.CURATED
    pipeline.warehouse.refusals = []
    pipeline.handle(Tick())
    assert pipeline.now(batch).state is BatchState.LOADING


def test_a_schema_that_is_refused_for_another_reason_is_not_made_again(pipeline: Pipeline) -> None:
    pipeline.warehouse.refusals = ["ERROR: permission denied to create role"]
    with pytest.raises(TerminalError, match="permission denied to create role"):
        ensure_schema(pipeline.work)
    assert pipeline.ledger.mark("warehouse-schema") is None


def test_only_the_load_function_makes_the_schema(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="only the load function"):
        ensure_schema(replace(pipeline.work, admin=None))


@pytest.mark.parametrize("schema_is_there", [True, False])
def test_a_busy_warehouse_is_asked_again_by_the_schedule(pipeline: Pipeline, schema_is_there: bool) -> None:
    if schema_is_there:
        pipeline.submitted()
    batch = pipeline.batch(BatchState.CURATED)
    pipeline.warehouse.busy = True
    pipeline.handle(job_ended(), Tick())
    known = len(pipeline.warehouse.statements)
    pipeline.warehouse.busy = False
    pipeline.clock.forward(300)
    pipeline.handle(Tick())
    assert len(pipeline.warehouse.statements) == known + 1
    # However often it was refused, that used up no attempt.
    assert (pipeline.now(batch).state, pipeline.now(batch).load_attempts) == (BatchState.LOADING, 1)


# -- outcomes ----------------------------------------------------------------------------------------------


def test_a_finished_statement_is_loaded_with_its_counts(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, merged=5, superseded=2, retracted=3)
    pipeline.handle(statement_ended(batch))
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.merged, loaded.superseded, loaded.retracted) == (BatchState.LOADED, 5, 2, 3)
    assert pipeline.ledger.mark("loaded:app_logs") == f"{batch.batch_id}/1"


def test_a_load_that_another_release_submitted_with_fewer_statements_is_taken_in(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    statement = pipeline.warehouse.latest
    pipeline.warehouse.statements[statement].sqls.pop()
    pipeline.warehouse.finish(statement, 7, 0)
    pipeline.handle(statement_ended(batch))
    assert (pipeline.now(batch).state, pipeline.now(batch).merged) == (BatchState.LOADED, 7)


def test_a_real_event_finds_its_batch(pipeline: Pipeline) -> None:
    event = parse_event(aws_event("redshift_statement_finished"))
    assert isinstance(event, StatementEnded)
    pipeline.handle(event)  # its batch isn't ours: nothing happens
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(replace(event, name=statement_name(batch)))
    assert pipeline.now(batch).state is BatchState.LOADED


def test_an_event_is_believed_only_if_the_warehouse_says_so_too(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.handle(statement_ended(batch, state="FINISHED"), statement_ended(batch, state="FAILED"))
    assert pipeline.now(batch) == batch


@pytest.mark.parametrize(
    ("error", "status"), [(CONFLICT, "FAILED"), ("", "ABORTED"), ("connection lost", "FAILED")]
)
def test_a_transient_failure_is_submitted_again_as_another_attempt(
    pipeline: Pipeline, error: str, status: str
) -> None:
    batch = pipeline.submitted()
    first = pipeline.warehouse.latest
    pipeline.warehouse.fail(first, error, status)
    pipeline.handle(statement_ended(batch, state=status))
    again = pipeline.now(batch)
    assert (again.state, again.load_attempts) == (BatchState.LOADING, 2)
    assert again.statement_id == pipeline.warehouse.latest != first
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(batch, 2))
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.reason) == (BatchState.LOADED, None)


def test_what_the_warehouse_refuses_is_divided_at_once_and_keeps_its_words(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.fail(pipeline.warehouse.latest, BAD_DATA)
    pipeline.handle(statement_ended(batch, state="FAILED"))
    refused = pipeline.now(batch)
    assert (refused.state, refused.reason) == (BatchState.DIVIDING, f"load_failed: {BAD_DATA}")
    # Fenced off from its owner, and free for the run that is started for it.
    assert (refused.epoch, refused.attempts, refused.lease_until) == (batch.epoch + 1, 0, 0)
    assert pipeline.jobs.started == ["job-logs"]
    pipeline.handle(statement_ended(batch, state="FAILED"), Tick(), job_ended())
    assert pipeline.now(batch) == refused
    assert len(pipeline.warehouse.statements) == 1


def test_a_further_generation_is_loaded_by_its_own_manifest_and_divided_when_it_is_refused(
    pipeline: Pipeline,
) -> None:
    batch = pipeline.batch(BatchState.LOADED)
    again = pipeline.ledger.reopen(batch, "t", "replay")
    assert again is not None
    for step in (BatchState.PUBLISHING, BatchState.CURATED):
        again = pipeline.ledger.advance(again, replace(again, state=step), "t", "test")
    pipeline.handle(job_ended())
    statement = pipeline.warehouse.statements[pipeline.warehouse.latest]
    assert statement.name == f"gluebook-load:{batch.batch_id}:2:1"
    assert any(f"'s3://lake/manifests/app_logs/{batch.batch_id}.g2.json'" in sql for sql in statement.sqls)
    pipeline.warehouse.fail(pipeline.warehouse.latest, BAD_DATA)
    pipeline.handle(statement_ended(pipeline.now(batch), state="FAILED"), Tick())
    refused = pipeline.now(batch)
    assert (refused.state, refused.reason) == (BatchState.DIVIDING, f"load_failed: {BAD_DATA}")
    assert pipeline.jobs.started == ["job-logs"]


def test_an_ended_statement_starts_a_run_for_what_waits(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.ledger.register(a_file(), "test")
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(batch))
    assert pipeline.jobs.started == ["job-logs"]


def test_an_ended_statement_submits_what_else_is_curated(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    other = pipeline.batch(BatchState.CURATED)
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(batch))
    assert pipeline.now(other).state is BatchState.LOADING


def test_a_loaded_correction_has_what_it_supersedes_processed_again(pipeline: Pipeline) -> None:
    first, second = a_file("a.log", version="v1"), a_file("a.log", version="v2", sequencer="0B")
    old = pipeline.batch(BatchState.LOADED, files=[first])
    pipeline.ledger.note_correction(DATASET, first.bucket, first.key, "token")
    new = pipeline.batch(BatchState.CURATED, files=[second])
    pipeline.handle(job_ended())
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(new))
    assert pipeline.state_of(first) is FileState.SUPERSEDED
    assert (pipeline.now(old).state, pipeline.now(old).generation) == (BatchState.CLAIMED, 2)
    assert pipeline.jobs.started == ["job-logs"]


def test_tables_that_went_with_their_warehouse_are_made_again(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.fail(pipeline.warehouse.latest, 'ERROR: relation "etl_loads" does not exist')
    pipeline.handle(statement_ended(batch, state="FAILED"))
    assert pipeline.now(batch).state is BatchState.LOADING
    assert [name for name, _ in pipeline.warehouse.ran].count("gluebook-schema") == 2
    assert len(pipeline.warehouse.statements) == 2


def test_a_catalog_that_does_not_answer_delays_the_crawl_but_not_the_load(pipeline: Pipeline) -> None:
    pipeline.catalog.refuses = True
    batch = pipeline.submitted()
    assert pipeline.now(batch).state is BatchState.LOADING
    assert pipeline.ledger.mark(f"crawl:{batch.dataset}")


DENIED = "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid X,CanRetry 1"
DAY = RETRY_FOR.total_seconds()


def refused(pipeline: Pipeline, batch: Batch, error: str = DENIED) -> Batch:
    """The batch when its load under way has failed and the load function has heard of it."""
    pipeline.warehouse.fail(pipeline.warehouse.latest, error)
    pipeline.handle(statement_ended(batch, pipeline.now(batch).load_attempts, "FAILED"))
    return pipeline.now(batch)


def waiting(pipeline: Pipeline, error: str = DENIED) -> Batch:
    """A batch that waits for its third load: the second followed the first at once."""
    batch = pipeline.submitted()
    assert refused(pipeline, batch, error).state is BatchState.LOADING
    return refused(pipeline, batch, error)


def test_environment_failures_are_retried_at_once_and_then_with_growing_pauses(
    pipeline: Pipeline,
) -> None:
    batch = pipeline.submitted()
    began, tries = pipeline.clock(), []
    while not pipeline.now(batch).given_up:
        if pipeline.now(batch).state is BatchState.LOADING:
            tries.append(int((pipeline.clock() - began).total_seconds()) // 60)
            refused(pipeline, batch)
        else:
            pipeline.clock.forward(60)
            pipeline.handle(Tick())
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses == [0, 5, 10, 20, 40, 80, 160, 240, 240, 240, 240, 165]
    assert tries[-1] * 60 == DAY


@pytest.mark.parametrize("event", ["job", "statement", "schedule"])
def test_no_event_submits_a_batch_before_its_next_load_is_due(pipeline: Pipeline, event: str) -> None:
    batch = waiting(pipeline)
    other = pipeline.batch(BatchState.CURATED)
    pipeline.clock.forward(299)
    events: dict[str, Event] = {
        "job": job_ended(),
        "statement": statement_ended(batch, 2),
        "schedule": Tick(),
    }
    pipeline.handle(events[event])
    # Only what has failed is held back.
    assert (pipeline.now(batch), pipeline.now(other).state) == (batch, BatchState.LOADING)
    pipeline.clock.forward(1)
    pipeline.handle(job_ended())
    assert (pipeline.now(batch).state, pipeline.now(batch).load_attempts) == (BatchState.LOADING, 3)


def test_a_load_that_fails_for_a_day_waits_for_an_operator_and_is_not_divided(pipeline: Pipeline) -> None:
    batch = waiting(pipeline)
    while not pipeline.now(batch).given_up:
        pipeline.clock.forward(3_600)
        pipeline.handle(Tick())
        if pipeline.now(batch).state is BatchState.LOADING:
            refused(pipeline, batch)
    given_up = pipeline.now(batch)
    assert (given_up.state, given_up.reason) == (BatchState.CURATED, f"load_failed: {DENIED}")
    submitted = len(pipeline.warehouse.statements)
    for _ in range(5):
        pipeline.clock.forward(DAY)
        pipeline.handle(Tick(), job_ended(), statement_ended(batch))
    assert pipeline.now(batch) == given_up
    assert len(pipeline.warehouse.statements) == submitted
    assert pipeline.jobs.started == []


def test_once_the_environment_is_well_the_batch_is_loaded_and_remembers_nothing(pipeline: Pipeline) -> None:
    batch = waiting(pipeline)
    pipeline.clock.forward(300)
    pipeline.handle(Tick())
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(statement_ended(batch, 3))
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.reason) == (BatchState.LOADED, None)
    assert (loaded.failing_since, loaded.retry_at, loaded.given_up) == ("", "", False)


def test_what_turns_out_to_be_the_datas_fault_in_the_end_is_divided_all_the_same(pipeline: Pipeline) -> None:
    batch = waiting(pipeline, CONFLICT)
    pipeline.clock.forward(300)
    pipeline.handle(Tick())
    assert refused(pipeline, batch, BAD_DATA).state is BatchState.DIVIDING


def test_a_batch_that_an_earlier_release_has_left_after_many_failures_is_loaded(pipeline: Pipeline) -> None:
    batch = pipeline.batch(BatchState.LOADING)
    left = replace(batch, state=BatchState.CURATED, load_attempts=7, reason="load_failed: conflict")
    pipeline.ledger.advance(batch, left, "2025-12-01T00:00:00.000Z", "an earlier release")
    pipeline.handle(Tick())
    assert (pipeline.now(batch).state, pipeline.now(batch).load_attempts) == (BatchState.LOADING, 8)
    again = refused(pipeline, batch)
    # Its day begins with the first failure that is counted.
    assert (again.state, again.given_up) == (BatchState.CURATED, False)


# -- one error keeps nothing else from being done ------------------------------------------------------------


def denied(*_: object, **__: object) -> Any:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Anything")


@pytest.mark.parametrize("event", ["job", "schedule"])
def test_a_job_that_can_not_be_started_keeps_no_batch_from_being_loaded(event: str) -> None:
    pipeline = Pipeline()
    pipeline.jobs = FakeJobs(on_start=denied)
    batch = pipeline.batch(BatchState.CURATED)
    tickets = pipeline.batch(BatchState.CURATED, dataset="support_tickets")
    pipeline.ledger.register(a_file(), "test")
    told = r"of the load function failed: starting the job of app_logs: .*AccessDeniedException"
    with pytest.raises(ExceptionGroup, match=told):
        pipeline.handle(job_ended() if event == "job" else Tick())
    assert pipeline.now(batch).state is BatchState.LOADING
    assert (pipeline.now(tickets).state is BatchState.LOADING) == (event == "schedule")


def test_a_load_that_can_not_be_submitted_keeps_neither_another_nor_the_next_run_from_its_turn(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.submitted()
    first, second = pipeline.batch(BatchState.CURATED), pipeline.batch(BatchState.CURATED)
    pipeline.ledger.register(a_file(), "test")
    submit = pipeline.warehouse.submit

    def submitted(sqls: list[str], *, name: str, token: str) -> str:
        return submit(sqls, name=name, token=token) if first.batch_id not in name else str(denied())

    monkeypatch.setattr(pipeline.warehouse, "submit", submitted)
    with pytest.raises(ExceptionGroup) as raised:
        pipeline.handle(job_ended())
    assert len(raised.value.exceptions) == 1
    assert pipeline.now(second).statement_id == pipeline.warehouse.latest
    assert pipeline.jobs.started == ["job-logs"]
    monkeypatch.undo()
    pipeline.handle(Tick())
    assert (pipeline.now(first).load_attempts, pipeline.now(first).statement_id) == (
        1,
        pipeline.warehouse.latest,
    )


def test_verdicts_that_can_not_be_recorded_keep_no_run_from_starting(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.ledger, "verdicts", denied)
    pipeline.ledger.register(a_file(), "test")
    with pytest.raises(ExceptionGroup):
        pipeline.handle(job_ended())
    assert pipeline.jobs.started == ["job-logs"]


# -- the tables ----------------------------------------------------------------------------------------------


def schema_tries(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[int]:
    """The times, in seconds of the test's clock, of the failed attempts to create the tables."""
    tries: list[int] = []

    def fail(sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        tries.append(pipeline.clock.seconds)
        raise error

    monkeypatch.setattr(pipeline.warehouse, "run", fail)
    return tries


def test_a_warehouse_too_busy_for_its_tables_is_asked_once_however_many_batches_wait(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = schema_tries(pipeline, monkeypatch, WarehouseBusy("asleep"))
    batches = [pipeline.batch(BatchState.CURATED) for _ in range(4)]
    pipeline.handle(job_ended())
    assert len(tries) == 1
    assert all(pipeline.now(batch) == batch for batch in batches)


def test_creating_the_tables_is_retried_with_growing_pauses(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = schema_tries(pipeline, monkeypatch, TerminalError("permission denied for schema public"))
    batch = pipeline.batch(BatchState.CURATED)
    for _ in range(24 * 12):
        with contextlib.suppress(ExceptionGroup):
            pipeline.handle(Tick())
        pipeline.clock.forward(300)
    assert len(tries) == 12
    assert pipeline.now(batch) == batch
    monkeypatch.undo()
    pipeline.clock.forward(4 * 3_600)
    pipeline.handle(Tick())
    assert pipeline.now(batch).state is BatchState.LOADING


# -- what became of a statement ------------------------------------------------------------------------------


def test_a_statement_that_the_data_api_has_forgotten_is_submitted_again(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    first = pipeline.warehouse.latest
    pipeline.warehouse.forget(first)
    pipeline.handle(Tick())
    again = pipeline.now(batch)
    assert (again.state, again.load_attempts) == (BatchState.LOADING, 1)
    assert again.statement_id == pipeline.warehouse.latest != first


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_function_that_died_before_it_noted_the_statement_loads_nothing_twice(
    pipeline: Pipeline, attempt: int
) -> None:
    batch = pipeline.batch(BatchState.CURATED)
    if attempt == 2:
        pipeline.handle(job_ended())
        pipeline.warehouse.fail(pipeline.warehouse.latest, CONFLICT)
        pipeline.warehouse.busy = True  # the failure is taken in, the next attempt is noted, but not sent
        pipeline.handle(statement_ended(batch, state="FAILED"))
    else:
        noted = replace(batch, state=BatchState.LOADING, load_attempts=1)
        pipeline.ledger.advance(batch, noted, "t", "load 1")
    pipeline.warehouse.busy = False
    dead = pipeline.now(batch)
    assert (dead.state, dead.load_attempts, dead.statement_id) == (BatchState.LOADING, attempt, None)
    sent = pipeline.warehouse.submit([], name="sent by the dead", token=f"{batch.batch_id}-1-{attempt}")
    pipeline.handle(statement_ended(batch, attempt))
    assert pipeline.now(batch).statement_id == sent
    assert pipeline.now(batch).load_attempts == attempt


def test_an_outcome_of_an_earlier_attempt_changes_nothing(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.fail(pipeline.warehouse.latest, CONFLICT)
    late = statement_ended(batch, 1, "FAILED")
    pipeline.handle(late)
    second = pipeline.now(batch)
    pipeline.handle(late, late)
    assert pipeline.now(batch) == second


def test_a_lost_event_is_made_up_for_by_the_schedule(pipeline: Pipeline) -> None:
    done, conflict, waiting = (pipeline.batch(BatchState.CURATED) for _ in range(3))
    pipeline.handle(job_ended())
    ids = {
        pipeline.now(batch).batch_id: pipeline.now(batch).statement_id for batch in (done, conflict, waiting)
    }
    pipeline.warehouse.finish(ids[done.batch_id] or "", 7, 0)
    pipeline.warehouse.fail(ids[conflict.batch_id] or "", CONFLICT)
    pipeline.handle(Tick())
    assert pipeline.now(done).state is BatchState.LOADED
    assert (pipeline.now(conflict).state, pipeline.now(conflict).load_attempts) == (BatchState.LOADING, 2)
    assert (pipeline.now(waiting).state, pipeline.now(waiting).load_attempts) == (BatchState.LOADING, 1)


@given(st.randoms(use_true_random=False))
def test_repeated_and_reordered_events_lead_to_the_same_end(order: random.Random) -> None:
    pipeline = Pipeline()
    batches = [pipeline.batch(BatchState.CURATED) for _ in range(3)]
    events: list[Event] = [
        *([job_ended()] * 3),
        *(statement_ended(batch, attempt, "FAILED") for batch in batches for attempt in (1, 1, 2, 3)),
        CrawlEnded("crawl-logs", "Succeeded"),
        Tick(),
    ]
    order.shuffle(events)
    attempts: dict[str, int] = {}
    for event in [*events, *([Tick()] * 4)]:
        pipeline.handle(event)
        for number, statement in pipeline.warehouse.statements.items():
            if statement.status == "STARTED" and order.random() < 0.7:
                batch_id = statement.name.split(":")[1]
                attempts[batch_id] = attempts.get(batch_id, 0) + 1
                if attempts[batch_id] == 1:
                    pipeline.warehouse.fail(number, CONFLICT)
                else:
                    pipeline.warehouse.finish(number, 5, 2)
    for _ in range(3):
        for number, statement in pipeline.warehouse.statements.items():
            if statement.status == "STARTED":
                pipeline.warehouse.finish(number, 5, 2)
        pipeline.handle(Tick())
    ends = [pipeline.now(batch) for batch in batches]
    assert [(b.state, b.merged, b.superseded, b.reason) for b in ends] == [
        (BatchState.LOADED, 5, 2, None)
    ] * 3
    # Each attempt was submitted once, by any of the callers.
    names = [statement.name for statement in pipeline.warehouse.statements.values()]
    assert len(names) == len(set(names)) <= 6


# -- the catalog -------------------------------------------------------------------------------------------


def test_a_new_partition_is_crawled_and_a_known_one_is_not(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-05",))
    pipeline.handle(job_ended())
    assert pipeline.catalog.crawls == []
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-05", "2026-01-06"))
    pipeline.handle(job_ended())
    assert pipeline.catalog.crawls == ["crawl-logs"]


def test_a_new_column_is_crawled(pipeline: Pipeline) -> None:
    pipeline.catalog.known_columns[DATASET] = APP_LOGS.names[:-1]
    pipeline.submitted()
    assert pipeline.catalog.crawls == ["crawl-logs"]


@pytest.mark.parametrize(("policy", "crawls"), [("always", ["crawl-logs"]), ("never", [])])
def test_the_policy_decides_whatever_the_catalog_lacks(policy: CrawlPolicy, crawls: list[str]) -> None:
    pipeline = Pipeline(policy)
    if policy == "never":
        pipeline.catalog.known.clear()
    pipeline.submitted()
    assert pipeline.catalog.crawls == crawls


def test_a_crawl_that_is_under_way_is_asked_again_when_it_ends(pipeline: Pipeline) -> None:
    pipeline.catalog.start_crawler("crawl-logs")
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-06",))
    pipeline.handle(job_ended())
    assert pipeline.ledger.mark("crawl:app_logs")
    pipeline.handle(CrawlEnded("crawl-tickets", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"]
    pipeline.catalog.crawling.clear()
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2
    assert pipeline.ledger.mark("crawl:app_logs") is None
    pipeline.catalog.crawling.clear()
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2


def test_a_crawl_that_is_asked_for_while_one_is_started_follows_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is started may not see what was published since."""
    start = pipeline.catalog.start_crawler

    def overtaken(crawler: str) -> bool:
        started = start(crawler)
        monkeypatch.setattr(pipeline.catalog, "start_crawler", start)
        pipeline.batch(BatchState.CURATED, partitions=("2026-01-07",))
        pipeline.handle(job_ended())
        return started

    pipeline.ledger.set_mark("crawl:app_logs", "wanted")
    monkeypatch.setattr(pipeline.catalog, "start_crawler", overtaken)
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"]
    pipeline.catalog.crawling.clear()
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2
    assert pipeline.ledger.mark("crawl:app_logs") is None


def test_after_each_failed_crawl_the_next_one_waits_longer_up_to_a_day(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-06",))
    pipeline.handle(job_ended())
    waits = []
    for crawls in range(1, 9):
        assert pipeline.catalog.crawls == ["crawl-logs"] * crawls
        pipeline.catalog.crawling.clear()
        pipeline.handle(*[CrawlEnded("crawl-logs", "Failed")] * 3)
        began = pipeline.clock.now
        while len(pipeline.catalog.crawls) == crawls:
            # Neither the schedule nor another load that lacks a partition starts it earlier.
            pipeline.batch(BatchState.CURATED, partitions=("2026-01-06",))
            pipeline.handle(job_ended())
            sweep(pipeline.sweeping)
            pipeline.clock.forward(300)
        waits.append((pipeline.clock.now - began).total_seconds() // 1800)
    assert waits == [1, 2, 4, 8, 16, 32, 48, 48]


def test_a_crawl_that_succeeds_ends_the_waiting(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-06",))
    pipeline.handle(job_ended(), CrawlEnded("crawl-logs", "Failed"))
    pipeline.clock.forward(1800)
    pipeline.catalog.crawling.clear()
    sweep(pipeline.sweeping)
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    pipeline.catalog.crawling.clear()
    assert (pipeline.ledger.mark("crawl-failures:app_logs"), pipeline.ledger.mark("crawl:app_logs")) == (
        None,
        None,
    )
    pipeline.batch(BatchState.CURATED, partitions=("2026-01-07",))
    pipeline.handle(job_ended())
    assert pipeline.catalog.crawls == ["crawl-logs"] * 3
