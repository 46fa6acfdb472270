"""Load and sweep: every event may come twice, late, out of order or never."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_events import aws_event
from fakes import FakeCatalog, FakeClock, FakeJobs, FakeLedger, FakeWarehouse, a_batch, a_file
from gluebook.clock import stamp
from gluebook.core.events import CrawlEnded, Event, Ignored, JobEnded, StatementEnded, Tick, parse_event
from gluebook.core.keys import Lake
from gluebook.core.loading import MOST_LOADS, CrawlPolicy, statement_name
from gluebook.core.model import Batch, Counts
from gluebook.core.states import BatchState, FileState
from gluebook.datasets import APP_LOGS, contract
from gluebook.errors import TerminalError, WarehouseBusy
from gluebook.steps.claim import take_up
from gluebook.steps.load import Loading, handle
from gluebook.steps.sweep import sweep

DATASET = "app_logs"
CONFLICT = "ERROR: 1023 Serializable isolation violation on table"
BAD_DATA = "ERROR: Value too long for character type"


class Pipeline:
    """The load and sweep steps with stand-ins around them; the catalog knows all there is."""

    def __init__(self, policy: CrawlPolicy = "when-needed") -> None:
        self.ledger, self.jobs, self.warehouse = FakeLedger(), FakeJobs(), FakeWarehouse()
        self.catalog, self.clock = FakeCatalog(), FakeClock()
        for dataset in ("app_logs", "support_tickets"):
            self.catalog.known[dataset] = {"2026-01-05"}
            self.catalog.known_columns[dataset] = contract(dataset).names
        self.work = Loading(
            ledger=self.ledger,  # type: ignore[arg-type]
            jobs=self.jobs,  # type: ignore[arg-type]
            warehouse=self.warehouse,  # type: ignore[arg-type]
            catalog=self.catalog,  # type: ignore[arg-type]
            lake=Lake("lake"),
            job_names={"app_logs": "job-logs", "support_tickets": "job-tickets"},
            crawlers={"app_logs": "crawl-logs", "support_tickets": "crawl-tickets"},
            copy_role_arn="arn:copy",
            crawl_policy=policy,
            clock=self.clock,
        )

    def handle(self, *events: Event) -> None:
        for event in events:
            handle(event, self.work)

    def batch(
        self, state: BatchState, owner: str = "jr_0", partitions: tuple[str, ...] = ("2026-01-05",)
    ) -> Batch:
        """A batch of one file, brought to `state` the way it would go."""
        file = a_file()
        self.ledger.register(file, "test")
        batch = replace(a_batch(owner=owner), lease_until=self.clock.seconds + 600)
        self.ledger.open_batch(batch)
        self.ledger.claim(batch, [file])
        for step in (BatchState.PUBLISHING, BatchState.CURATED):
            if batch.state is not state:
                counted = replace(batch, state=step, counts=Counts(10, 7, 2, 1), partitions=partitions)
                batch = self.ledger.advance(batch, counted, stamp(self.clock()), "test")
        assert batch.state is state
        return batch

    def now(self, batch: Batch) -> Batch:
        found = self.ledger.batch(batch.batch_id)
        assert found is not None
        return found

    def submitted(self) -> Batch:
        """A batch whose load is under way."""
        batch = self.batch(BatchState.CURATED)
        self.handle(job_ended())
        assert self.now(batch).state is BatchState.LOADING
        return self.now(batch)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def job_ended(run_id: str = "jr_0", state: str = "SUCCEEDED", job: str = "job-logs") -> JobEnded:
    return JobEnded(job, run_id, state, "")


def statement_ended(batch: Batch, attempt: int = 1, state: str = "FINISHED") -> StatementEnded:
    return StatementEnded("some-id", statement_name(batch.batch_id, attempt), state)


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


def test_a_run_that_fails_before_it_takes_up_what_another_left_is_not_followed_either(
    pipeline: Pipeline,
) -> None:
    pipeline.batch(BatchState.CLAIMED, owner="jr_before")
    pipeline.clock.forward(3_600)
    pipeline.handle(job_ended("jr_broken_script", "FAILED"))
    assert pipeline.jobs.started == []
    pipeline.handle(Tick())
    assert pipeline.jobs.started == ["job-logs"]


@pytest.mark.parametrize("left", [BatchState.CLAIMED, BatchState.PUBLISHING])
def test_what_a_dead_run_left_is_free_at_once_and_taken_up_by_the_next(
    pipeline: Pipeline, left: BatchState
) -> None:
    batch = pipeline.batch(left, owner="jr_0")
    pipeline.handle(job_ended("jr_0", "FAILED"))
    assert pipeline.now(batch).lease_until == 0
    assert pipeline.jobs.started == ["job-logs"]
    taken = pipeline.ledger.take_over(pipeline.now(batch), "jr_1", 9, pipeline.clock.seconds, "t")
    assert taken is not None and (taken.state, taken.owner) == (left, "jr_1")


def test_the_lease_of_another_run_is_left_alone(pipeline: Pipeline) -> None:
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


def test_an_unknown_job_is_nobodys_business(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.batch(BatchState.CURATED)
    pipeline.handle(job_ended(job="another-teams-job"), Ignored("whatever"))
    assert (pipeline.jobs.started, pipeline.warehouse.statements) == ([], {})


def test_a_batch_that_fails_every_run_is_given_up_and_the_chain_comes_to_rest(pipeline: Pipeline) -> None:
    empty, bad = a_file("empty"), a_file("bad")
    for file in (empty, bad):
        pipeline.ledger.register(file, "test")
    run, runs = pipeline.jobs.start("job-logs"), 0
    while run is not None:
        runs += 1
        assert runs < 20, "runs follow each other for ever"
        batch = take_up(
            pipeline.ledger,  # type: ignore[arg-type]
            DATASET,
            run,
            most_bytes=10**9,
            lease_seconds=600,
            clock=pipeline.clock,
        )
        if batch:
            pipeline.ledger.settle_file(batch, empty, FileState.EMPTY, "empty_file: 0 bytes", "t")
        pipeline.jobs.end("job-logs")
        pipeline.handle(job_ended(run, "FAILED" if batch else "SUCCEEDED"))
        run = pipeline.jobs.running.get("job-logs")
    assert runs == 4
    assert pipeline.ledger.open_batches(DATASET) == []
    states = {
        file.key.rpartition("/")[2]: (file.state, (file.reason or "")[:16])
        for file in pipeline.ledger.files()
    }
    assert states == {
        "empty": (FileState.EMPTY, "empty_file: 0 by"),
        "bad": (FileState.FAILED, "attempts_used_up"),
    }


# -- submitting --------------------------------------------------------------------------------------------


def test_a_curated_batch_is_loaded_by_its_manifest(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    statement = pipeline.warehouse.statements[pipeline.warehouse.latest]
    assert (batch.load_attempts, batch.statement_id) == (1, pipeline.warehouse.latest)
    assert statement.name == f"gluebook-load:{batch.batch_id}:1"
    assert any(f"'s3://lake/manifests/app_logs/{batch.batch_id}.json'" in sql for sql in statement.sqls)
    assert any("'arn:copy'" in sql for sql in statement.sqls)
    assert any("count(*) = 7 " in sql for sql in statement.sqls)


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
    [(name, sqls)] = pipeline.warehouse.ran
    assert name == "gluebook-schema" and "create table if not exists app_logs" in " ".join(sqls)
    assert len(pipeline.warehouse.statements) == 2


def test_a_changed_schema_is_made_again(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("warehouse-schema", "of an older contract")
    pipeline.submitted()
    assert len(pipeline.warehouse.ran) == 1


@pytest.mark.parametrize("schema_is_there", [True, False])
def test_a_busy_warehouse_is_asked_again_by_the_schedule(pipeline: Pipeline, schema_is_there: bool) -> None:
    if schema_is_there:
        pipeline.submitted()
    batch = pipeline.batch(BatchState.CURATED)
    pipeline.warehouse.busy = True
    pipeline.handle(job_ended(), Tick())
    known = len(pipeline.warehouse.statements)
    pipeline.warehouse.busy = False
    pipeline.handle(Tick())
    assert len(pipeline.warehouse.statements) == known + 1
    # However often it was refused, that used up no attempt.
    assert (pipeline.now(batch).state, pipeline.now(batch).load_attempts) == (BatchState.LOADING, 1)


# -- outcomes ----------------------------------------------------------------------------------------------


def test_a_finished_statement_is_loaded_with_its_counts(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, merged=5, superseded=2)
    pipeline.handle(statement_ended(batch))
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.merged, loaded.superseded) == (BatchState.LOADED, 5, 2)


def test_a_real_event_finds_its_batch(pipeline: Pipeline) -> None:
    event = parse_event(aws_event("redshift_statement_finished"))
    assert isinstance(event, StatementEnded)
    pipeline.handle(event)  # its batch isn't ours: nothing happens
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, 7, 0)
    pipeline.handle(replace(event, name=statement_name(batch.batch_id, 1)))
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


def test_a_terminal_failure_is_final_and_keeps_the_warehouses_words(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.fail(pipeline.warehouse.latest, BAD_DATA)
    pipeline.handle(statement_ended(batch, state="FAILED"), Tick(), job_ended())
    failed = pipeline.now(batch)
    assert (failed.state, failed.reason) == (BatchState.FAILED, f"load_failed: {BAD_DATA}")
    assert len(pipeline.warehouse.statements) == 1


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
    assert pipeline.ledger.mark(f"crawl:{batch.dataset}") == "wanted"


def test_conflicts_without_end_come_to_an_end(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    for attempt in range(1, 2 * MOST_LOADS):
        if pipeline.now(batch).state is BatchState.LOADING:
            pipeline.warehouse.fail(pipeline.warehouse.latest, CONFLICT)
            pipeline.handle(statement_ended(batch, attempt, "FAILED"))
    failed = pipeline.now(batch)
    assert (failed.state, failed.reason) == (BatchState.FAILED, f"load_failed: {CONFLICT}")
    assert len(pipeline.warehouse.statements) == MOST_LOADS


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
    sent = pipeline.warehouse.submit([], name="sent by the dead", token=f"{batch.batch_id}-{attempt}")
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
    # Each attempt was submitted once, whoever tried to.
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
    pipeline.handle(CrawlEnded("crawl-logs", "Failed"))
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2
    assert pipeline.ledger.mark("crawl:app_logs") is None
    pipeline.catalog.crawling.clear()
    pipeline.handle(CrawlEnded("crawl-logs", "Succeeded"))
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2


# -- sweep -------------------------------------------------------------------------------------------------


def test_sweep_starts_what_should_be_running(pipeline: Pipeline) -> None:
    pipeline.ledger.register(a_file(), "test")
    pipeline.batch(BatchState.CLAIMED)
    found = sweep(pipeline.work)
    assert pipeline.jobs.started == ["job-logs"]
    assert found["app_logs"]["open"] == {"CLAIMED": 1}
    assert found["support_tickets"] == {"open": {}, "loads_found": []}


def test_sweep_takes_up_what_was_left_but_nothing_that_is_held(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CLAIMED)
    sweep(pipeline.work)
    assert pipeline.jobs.started == []
    pipeline.clock.forward(601)
    sweep(pipeline.work)
    assert pipeline.jobs.started == ["job-logs"]


def test_sweep_believes_the_warehouse_about_loads_nobody_told_of(pipeline: Pipeline) -> None:
    there, missing = pipeline.submitted(), pipeline.submitted()
    pipeline.warehouse.loads = {there.batch_id: (4, 3), "somebody-elses": (1, 1)}
    found = sweep(pipeline.work)
    assert found["app_logs"]["loads_found"] == [there.batch_id]
    loaded = pipeline.now(there)
    assert (loaded.state, loaded.merged, loaded.superseded) == (BatchState.LOADED, 4, 3)
    assert pipeline.now(missing) == missing


def test_sweep_asks_the_warehouse_only_if_something_is_loading(pipeline: Pipeline) -> None:
    pipeline.batch(BatchState.CURATED)
    sweep(pipeline.work)
    assert pipeline.warehouse.ran == []


@pytest.mark.parametrize("error", [WarehouseBusy("asleep"), TerminalError("no right")])
def test_a_warehouse_that_does_not_answer_stops_nothing_else(
    pipeline: Pipeline, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.submitted()
    pipeline.ledger.register(a_file(dataset="support_tickets"), "test")
    pipeline.ledger.set_mark("crawl:app_logs", "wanted")

    def refuse(sql: str, *, timeout_seconds: float) -> None:
        raise error

    monkeypatch.setattr(pipeline.warehouse, "query", refuse)
    found = sweep(pipeline.work)
    assert found["app_logs"]["loads_found"] == []
    assert pipeline.jobs.started == ["job-tickets"]
    assert pipeline.catalog.crawls == ["crawl-logs"]


def test_sweep_asks_again_for_a_crawl_that_was_refused(pipeline: Pipeline) -> None:
    pipeline.ledger.set_mark("crawl:app_logs", "wanted")
    pipeline.catalog.start_crawler("crawl-logs")
    sweep(pipeline.work)
    assert pipeline.ledger.mark("crawl:app_logs")
    pipeline.catalog.crawling.clear()
    sweep(pipeline.work)
    assert pipeline.catalog.crawls == ["crawl-logs"] * 2
    assert pipeline.ledger.mark("crawl:app_logs") is None


def test_sweep_and_load_at_odds_mark_a_batch_loaded_once(pipeline: Pipeline) -> None:
    batch = pipeline.submitted()
    pipeline.warehouse.finish(pipeline.warehouse.latest, 4, 3)
    pipeline.warehouse.loads = {batch.batch_id: (4, 3)}
    steps: list[Callable[[], object]] = [
        lambda: pipeline.handle(statement_ended(batch)),
        lambda: sweep(pipeline.work),
        lambda: pipeline.handle(Tick()),
    ]
    for one, other in itertools.permutations(steps, 2):
        one()
        other()
    loaded = pipeline.now(batch)
    assert (loaded.state, loaded.merged, loaded.superseded) == (BatchState.LOADED, 4, 3)
    assert len(pipeline.warehouse.statements) == 1


def test_the_statement_that_asks_for_loads_names_only_what_is_loading(pipeline: Pipeline) -> None:
    loading = pipeline.submitted()
    pipeline.batch(BatchState.CLAIMED)
    sweep(pipeline.work)
    [sql] = pipeline.warehouse.ran[-1][1]
    assert re.findall(r"'([^']*)'", sql) == [loading.batch_id]
