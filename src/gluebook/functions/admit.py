"""Admit: register what arrived in the raw bucket, once per file version, and try to start a job run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.ports import JobsPort, LedgerPort, QueuePort
from gluebook.clock import Clock
from gluebook.core.events import ObjectArrived, StartWanted, parse_queue_message, start_wanted
from gluebook.core.keys import not_an_arrival
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.errors import ContractError, GluebookError
from gluebook.functions.runs import is_broken
from gluebook.operations.register import arrival, register

_log = logging.getLogger(__name__)
# DynamoDB answers each write in milliseconds, and a delivery holds up to a thousand.
_WRITERS = 8


@dataclass(frozen=True)
class Admitting:
    """What the admit step works with. `job_names` by dataset; a refused start is tried again after a while.

    Only objects of `raw_bucket` are taken: no job may read another one.
    """

    ledger: LedgerPort
    jobs: JobsPort
    queue: QueuePort
    job_names: Mapping[str, str]
    raw_bucket: str
    retry_seconds: int
    clock: Clock


@dataclass
class Admitted:
    """What a delivery came to. `failed` holds the ids of messages to be delivered again.

    refused   file versions whose key no dataset takes
    ignored   objects that are no files for the pipeline, such as markers of folders
    foreign   messages that name another bucket; another delivery would change nothing
    """

    registered: int = 0
    known: int = 0
    refused: int = 0
    ignored: int = 0
    foreign: int = 0
    failed: list[str] = field(default_factory=list)
    started: dict[str, str | None] = field(default_factory=dict)

    def __add__(self, other: Admitted) -> Admitted:
        return Admitted(
            self.registered + other.registered,
            self.known + other.known,
            self.refused + other.refused,
            self.ignored + other.ignored,
            self.foreign + other.foreign,
            self.failed + other.failed,
            self.started | other.started,
        )


def admit(messages: Iterable[tuple[str, str]], work: Admitting) -> Admitted:
    """Register the file versions that `messages` (id, body) tell of, then try to start their datasets' jobs.

    A job that is running already is fine: its end starts the next run if anything is pending by then. Starting
    comes after registering, so whatever the started run doesn't see, its end does. As its end may go untold,
    a message to ourselves asks again after a while.
    """
    admitted = Admitted()
    with ThreadPoolExecutor(_WRITERS) as pool:
        for one in pool.map(lambda message: _take_in(message[0], message[1], work), messages):
            admitted += one
    for dataset in sorted(admitted.started):
        admitted.started[dataset] = _start(dataset, work)
    return admitted


def _take_in(message_id: str, body: str, work: Admitting) -> Admitted:
    """What one message comes to; a dataset in `started` is one whose job should run now."""
    try:
        message = parse_queue_message(body)
        if isinstance(message, ObjectArrived):
            return _register(message, work)
        if isinstance(message, StartWanted):
            return _reconsider(message, work)
        _log.info("message %s asks for nothing: %s", message_id, message)
        return Admitted()
    except ContractError as error:
        _log.error("message %s can't be understood: %s", message_id, error)
    except (ClientError, BotoCoreError, GluebookError, ValueError):
        _log.exception("message %s could not be registered; it will be delivered again", message_id)
    return Admitted(failed=[message_id])


def _reconsider(message: StartWanted, work: Admitting) -> Admitted:
    wanted = message.dataset in work.job_names and work.ledger.pending(message.dataset, 1)
    return Admitted(started={message.dataset: None} if wanted else {})


def _register(message: ObjectArrived, work: Admitting) -> Admitted:
    if message.bucket != work.raw_bucket:
        place = f"s3://{message.bucket}/{message.key}"
        _log.error("refused %s: the pipeline takes objects of bucket %s only", place, work.raw_bucket)
        return Admitted(foreign=1)
    reason = not_an_arrival(message.key, message.size)
    if reason is not None:
        _log.info("ignored %s: %s", message.key, reason)
        return Admitted(ignored=1)
    file = arrival(
        message.bucket,
        message.key,
        message.version_id,
        message.size,
        order_of_event(message.sequencer),
        work.clock(),
    )
    new = register(file, work.ledger, "object created")
    outside = file.state is FileState.FAILED
    return Admitted(
        registered=int(new and not outside),
        known=int(not new),
        refused=int(new and outside),
        # Also if it is known: the function that registered it may have died before it could start a run.
        started={} if outside else {file.dataset: None},
    )


def _start(dataset: str, work: Admitting) -> str | None:
    """The id of the run that was started; without one, somebody asks again later."""
    if is_broken(dataset, work.ledger) is not None:
        return None  # the schedule tries again, less and less often
    try:
        run = work.jobs.start(work.job_names[dataset])
    except (ClientError, BotoCoreError):
        _log.exception("job %s could not be started", work.job_names[dataset])
        run = None
    if run is None:
        work.queue.send_later(start_wanted(dataset), work.retry_seconds)
    return run
