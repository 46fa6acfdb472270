"""Admit: events may arrive twice, late, in any order or malformed; each file version is registered once."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from aws_events import aws_event
from fakes import FakeClock, FakeJobs, FakeLedger, FakeQueue, a_file
from gluebook.core.events import start_wanted
from gluebook.core.model import FileVersion
from gluebook.core.runs import FailedRun, failed_run_mark, proven_mark
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.functions.admit import Admitted, admit
from gluebook.functions.context import AdmitContext

JOBS = {"support_tickets": "job-tickets", "app_logs": "job-logs"}
TICKETS = "support_tickets/servicenow/dt=2026-01-05/export.csv"
LOGS = "app_logs/mongod/dt=2026-01-05/mongod.log"


RETRY_SECONDS = 120
ERROR = ClientError({"Error": {"Code": "EntityNotFoundException", "Message": "no job"}}, "StartJobRun")


def body(key: str, version: str = "v1", size: int = 5, sequencer: str = "00617F08299329D189") -> str:
    event = aws_event("s3_object_created")
    event["detail"]["object"].update(
        {"key": key, "version-id": version, "size": size, "sequencer": sequencer}
    )
    return json.dumps(event)


class Pipeline:
    """The admit step with fakes around it."""

    def __init__(self) -> None:
        self.ledger, self.jobs, self.clock = FakeLedger(), FakeJobs(), FakeClock()
        self.queue = FakeQueue()

    @property
    def work(self) -> AdmitContext:
        return AdmitContext(
            ledger=self.ledger,
            jobs=self.jobs,
            queue=self.queue,
            job_names=JOBS,
            raw_bucket="gluebook-raw",
            retry_seconds=RETRY_SECONDS,
            clock=self.clock,
        )

    def admit(self, *bodies: str) -> Admitted:
        return admit([(f"message-{number}", text) for number, text in enumerate(bodies)], self.work)

    @property
    def files(self) -> dict[tuple[str, str], FileVersion]:
        return {(file.key, file.version_id): file for file in self.ledger.files()}


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def test_a_new_file_is_registered_and_its_job_started(pipeline: Pipeline) -> None:
    found = pipeline.admit(body(TICKETS, size=7))
    [file] = pipeline.ledger.pending("support_tickets", 10)
    assert (file.bucket, file.key, file.version_id, file.size) == ("gluebook-raw", TICKETS, "v1", 7)
    assert (file.dataset, file.source, file.dt) == ("support_tickets", "servicenow", "2026-01-05")
    assert file.order == order_of_event("00617F08299329D189")
    assert file.registered_at == file.waiting_since == "2026-01-05T10:15:00.000Z"
    assert (found.registered, found.known, found.refused, found.failed) == (1, 0, 0, [])
    assert found.started == {"support_tickets": "jr_1"}
    assert pipeline.jobs.started == ["job-tickets"]
    assert pipeline.queue.sent == []


def test_a_real_delivery_is_registered(pipeline: Pipeline) -> None:
    records = aws_event("sqs_s3_object_created")["Records"]
    messages = [(record["messageId"], record["body"]) for record in records]
    admit(messages, pipeline.work)
    assert list(pipeline.files) == [(LOGS, "3HL4kqtJvjVBH40Nrjfkd")]


def test_a_burst_starts_one_run_per_dataset(pipeline: Pipeline) -> None:
    bodies = [body(f"{key}.{n}") for n in range(100) for key in (TICKETS, LOGS)]
    found = pipeline.admit(*bodies)
    assert found.registered == 200
    assert sorted(pipeline.jobs.started) == ["job-logs", "job-tickets"]


def test_a_file_with_two_events_is_registered_once(pipeline: Pipeline) -> None:
    found = pipeline.admit(body(LOGS), body(LOGS))
    assert (found.registered, found.known) == (1, 1)
    assert len(pipeline.files) == 1


def test_the_same_key_in_a_new_version_is_another_file(pipeline: Pipeline) -> None:
    found = pipeline.admit(body(LOGS, "v1"), body(LOGS, "v2"))
    assert found.registered == 2
    assert set(pipeline.files) == {(LOGS, "v1"), (LOGS, "v2")}


def test_a_message_delivered_again_starts_a_run_in_case_its_first_reader_died(pipeline: Pipeline) -> None:
    pipeline.admit(body(LOGS))
    pipeline.jobs.end("job-logs")
    found = pipeline.admit(body(LOGS))
    assert (found.known, found.started) == (1, {"app_logs": "jr_2"})


def test_a_run_that_is_under_way_already_is_fine(pipeline: Pipeline) -> None:
    pipeline.jobs.start("job-logs")
    found = pipeline.admit(body(LOGS))
    assert (found.registered, found.failed, found.started) == (1, [], {"app_logs": None})
    assert len(pipeline.ledger.pending("app_logs", 10)) == 1


def test_a_start_that_was_refused_is_asked_for_again_after_a_while(pipeline: Pipeline) -> None:
    pipeline.jobs.start("job-logs")
    pipeline.admit(body(LOGS))
    assert pipeline.queue.sent == [(start_wanted("app_logs"), RETRY_SECONDS)]
    # It is delivered while the run is active, so another message is sent.
    [(word, _)] = pipeline.queue.sent
    pipeline.admit(word)
    assert pipeline.queue.sent == [(word, RETRY_SECONDS)] * 2
    # The run has ended, and its event was lost.
    pipeline.jobs.end("job-logs")
    found = pipeline.admit(word)
    assert found.started == {"app_logs": "jr_2"}
    assert len(pipeline.queue.sent) == 2


def test_many_words_of_a_wanted_start_become_one(pipeline: Pipeline) -> None:
    pipeline.jobs.start("job-logs")
    pipeline.ledger.register(a_file(), "test")
    pipeline.admit(*[start_wanted("app_logs")] * 7, body(LOGS))
    assert pipeline.queue.sent == [(start_wanted("app_logs"), RETRY_SECONDS)]


@pytest.mark.parametrize("dataset", ["app_logs", "support_tickets", "no_dataset"])
def test_a_start_that_nothing_waits_for_any_more_is_not_asked_for_again(
    pipeline: Pipeline, dataset: str
) -> None:
    if dataset == "app_logs":
        pipeline.ledger.register(a_file(dataset="support_tickets"), "test")
    found = pipeline.admit(start_wanted(dataset))
    assert found == Admitted()
    assert (pipeline.jobs.started, pipeline.queue.sent) == ([], [])


@pytest.mark.parametrize("error", [ERROR, EndpointConnectionError(endpoint_url="http://x")])
def test_a_job_that_cant_be_started_costs_no_delivery_and_is_asked_for_again(error: Exception) -> None:
    pipeline = Pipeline()

    def fail(job: str) -> None:
        if job == "job-logs":
            raise error

    pipeline.jobs = FakeJobs(on_start=fail)
    found = pipeline.admit(body(LOGS), body(TICKETS))
    assert (found.registered, found.failed) == (2, [])
    assert found.started == {"app_logs": None, "support_tickets": "jr_1"}
    assert pipeline.queue.sent == [(start_wanted("app_logs"), RETRY_SECONDS)]


def test_a_run_is_started_only_after_everything_is_registered() -> None:
    pipeline = Pipeline()
    seen: list[int] = []
    pipeline.jobs = FakeJobs(on_start=lambda job: seen.append(len(pipeline.files)))
    pipeline.admit(body(TICKETS), body(LOGS), body(f"{LOGS}.2"))
    assert seen == [3, 3]


@pytest.mark.parametrize(
    "broken",
    [
        "no json",
        "[]",
        json.dumps(aws_event("s3_object_created_unversioned")),
        json.dumps({**aws_event("s3_object_created"), "detail": None}),
        json.dumps({**aws_event("s3_object_created"), "detail": {"bucket": {"name": "b"}}}),
        json.dumps(
            {
                **aws_event("s3_object_created"),
                "detail": {"bucket": "b", "object": {"key": "k", "version-id": "v"}},
            }
        ),
    ],
)
def test_a_message_that_cant_be_understood_is_delivered_again_and_holds_up_no_other(
    pipeline: Pipeline, broken: str
) -> None:
    found = pipeline.admit(body(LOGS), broken, body(TICKETS))
    assert found.failed == ["message-1"]
    assert found.registered == 2
    assert sorted(pipeline.jobs.started) == ["job-logs", "job-tickets"]


class LosingLedger(FakeLedger):
    """A ledger that can't be written to when it is asked about one key."""

    def __init__(self, key: str, error: Exception) -> None:
        super().__init__()
        self._key, self._error = key, error

    def register(self, file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        if file.key == self._key:
            raise self._error
        return super().register(file, cause, correctable=correctable)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "TransactWriteItems"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_a_message_that_could_not_be_registered_is_delivered_again_and_holds_up_no_other(
    pipeline: Pipeline, error: Exception
) -> None:
    pipeline.ledger = LosingLedger(TICKETS, error)
    found = pipeline.admit(body(TICKETS), body(LOGS))
    assert found.failed == ["message-0"]
    assert set(pipeline.files) == {(LOGS, "v1")}
    assert pipeline.jobs.started == ["job-logs"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("export.csv", "key_outside_convention"),
        ("tickets/servicenow/dt=2026-01-05/export.csv", "unknown_dataset"),
        ("support_tickets/jira/dt=2026-01-05/export.csv", "unknown_source"),
        ("support_tickets/servicenow/dt=2026-02-30/export.csv", "no_such_date"),
    ],
)
def test_a_key_outside_the_convention_is_kept_as_failed_with_its_reason(
    pipeline: Pipeline, key: str, reason: str
) -> None:
    found = pipeline.admit(body(key), body(key))
    assert (found.registered, found.refused, found.known, found.failed) == (0, 1, 1, [])
    file = pipeline.files[key, "v1"]
    assert (file.state, file.dataset) == (FileState.FAILED, "")
    assert file.reason is not None and file.reason.startswith(reason)
    assert pipeline.jobs.started == []


@pytest.mark.parametrize("name", ["scheduled", "glue_job_succeeded", "glue_crawler_started"])
def test_a_message_that_asks_for_nothing_is_done_with(pipeline: Pipeline, name: str) -> None:
    found = pipeline.admit(json.dumps(aws_event(name)))
    assert (found.failed, found.registered, pipeline.files) == ([], 0, {})


def test_nothing_delivered_starts_nothing(pipeline: Pipeline) -> None:
    assert pipeline.admit() == Admitted()


def corrections(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [
        (dataset, correction.key)
        for dataset in ("app_logs", "support_tickets", "")
        for correction in pipeline.ledger.corrections(dataset)
    ]


def test_a_second_version_of_a_log_file_is_marked_as_a_correction_and_of_a_ticket_file_is_not(
    pipeline: Pipeline,
) -> None:
    pipeline.admit(body(LOGS, "v1"), body(TICKETS, "v1"), body("outside.csv", "v1"))
    assert corrections(pipeline) == []
    pipeline.admit(body(LOGS, "v2"), body(TICKETS, "v2"), body("outside.csv", "v2"))
    assert corrections(pipeline) == [("app_logs", LOGS)]


def test_a_repeated_event_does_not_renew_the_mark_of_a_correction(pipeline: Pipeline) -> None:
    pipeline.admit(body(LOGS, "v1"), body(LOGS, "v2"))
    [seen] = pipeline.ledger.corrections("app_logs")
    pipeline.ledger.drop_correction("app_logs", seen)
    pipeline.admit(body(LOGS, "v2"))
    assert corrections(pipeline) == []


def test_every_further_version_renews_the_mark_of_a_correction(pipeline: Pipeline) -> None:
    pipeline.admit(body(LOGS, "v1"), body(LOGS, "v2"))
    [seen] = pipeline.ledger.corrections("app_logs")
    pipeline.admit(body(LOGS, "v3"))
    assert pipeline.ledger.drop_correction("app_logs", seen) is False
    assert corrections(pipeline) == [("app_logs", LOGS)]


def test_versions_are_ordered_as_they_came_about_though_their_events_come_in_any_order(
    pipeline: Pipeline,
) -> None:
    pipeline.admit(body(LOGS, "c", sequencer="0B"), body(LOGS, "b", sequencer="0AFF"))
    pipeline.admit(body(LOGS, "a", sequencer="0af"))
    versions = pipeline.ledger.versions("gluebook-raw", LOGS)
    assert [file.version_id for file in versions] == ["a", "b", "c"]


KEYS = [f"{key}.{n}" for n in range(4) for key in (TICKETS, LOGS)] + ["outside.csv"]
MESSAGES = [body(key, version) for key, version in itertools.product(KEYS, ("v1", "v2"))]


def outcome(deliveries: list[list[str]]) -> Any:
    pipeline = Pipeline()
    for delivery in deliveries:
        pipeline.admit(*delivery)
        pipeline.clock.forward(60)
    marked = corrections(pipeline)
    return {key: (file.file_id, file.state, file.reason) for key, file in pipeline.files.items()}, marked


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(MESSAGES), max_size=10), st.integers(1, 6))
def test_any_order_any_repeats_and_any_grouping_give_the_same_ledger(
    order: random.Random, repeats: list[str], size: int
) -> None:
    messages = [*MESSAGES, *repeats]
    order.shuffle(messages)
    groups = [messages[start : start + size] for start in range(0, len(messages), size)]
    assert outcome(groups) == outcome([MESSAGES])


@pytest.mark.parametrize("proven", [False, True])
def test_arrivals_start_no_run_if_none_has_succeeded_and_the_last_failed_without_a_claim(
    pipeline: Pipeline, proven: bool
) -> None:
    failed = FailedRun("jr_0", pipeline.clock.seconds, "no rights", without_claim=1)
    pipeline.ledger.set_mark(failed_run_mark("app_logs"), failed.to_text())
    if proven:
        pipeline.ledger.set_mark(proven_mark("app_logs"), "jr_before")
    pipeline.admit(body(LOGS), body(TICKETS), start_wanted("app_logs"))
    assert pipeline.jobs.started == (["job-logs"] if proven else []) + ["job-tickets"]
    assert pipeline.queue.sent == []
    assert len(pipeline.files) == 2


MARKERS = ("app_logs/", "app_logs/mongod/dt=2026-01-05/_temporary/0/a.json", "x/_SUCCESS", "a/.b.crc")


def test_markers_and_checksums_are_neither_registered_nor_redelivered(
    pipeline: Pipeline,
) -> None:
    found = pipeline.admit(*(body(key, size=0) for key in MARKERS))
    assert (found, pipeline.files, pipeline.jobs.started) == (Admitted(ignored=len(MARKERS)), {}, [])
    assert pipeline.ledger.count_failures("", "2026") == 0


def test_a_message_that_names_another_bucket_is_refused_and_not_delivered_again(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = json.loads(body(LOGS))
    foreign["detail"]["bucket"]["name"] = "somebody-elses"
    found = pipeline.admit(json.dumps(foreign), body(TICKETS))
    assert (found.foreign, found.registered, found.failed) == (1, 1, [])
    assert {key for key, _ in pipeline.files} == {TICKETS}
    assert pipeline.jobs.started == ["job-tickets"]
    assert f"s3://somebody-elses/{LOGS}" in caplog.text


def test_an_unexpected_error_affects_one_message_only(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = pipeline.ledger.register

    def failing(file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        if file.key == LOGS:
            raise ValueError("an odd key")
        return usual(file, cause, correctable=correctable)

    monkeypatch.setattr(pipeline.ledger, "register", failing)
    found = pipeline.admit(body(LOGS), body(TICKETS))
    assert (found.failed, found.registered) == (["message-0"], 1)
