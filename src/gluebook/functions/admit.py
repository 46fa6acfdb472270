"""Admit: register the objects that arrive in the raw bucket, once per file version, and start job runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.parallel import in_parallel
from gluebook.core.events import ObjectArrived, StartWanted, parse_queue_message, start_wanted
from gluebook.core.keys import reason_to_ignore
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.errors import ContractError, GluebookError
from gluebook.functions.context import AdmitContext
from gluebook.functions.runs import is_broken
from gluebook.operations.register import new_file_version, register

_log = logging.getLogger(__name__)
# DynamoDB answers each write in milliseconds, and a delivery holds up to a thousand.
_WRITERS = 8


@dataclass
class Admitted:
    """The result of one delivery of messages.

    refused   file versions with a key that no source accepts
    ignored   objects that are not data files, such as folder markers
    foreign   messages about another bucket; a redelivery would change nothing
    failed    ids of messages to be redelivered
    started   run ids by dataset; None: no run was started
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


def admit(messages: Iterable[tuple[str, str]], context: AdmitContext) -> Admitted:
    """Register the file versions in `messages` (id, body), then try to start their datasets' jobs.

    A start that is refused because a run is active is normal: the end of that run starts the next one if files are
    pending. Jobs start after the registration, so a file that the run misses is pending when it ends. A delayed
    message retries a refused start, because the event of a run's end may be lost.
    """
    admitted = Admitted()
    for one in in_parallel(lambda message: _process(message[0], message[1], context), messages, _WRITERS):
        admitted += one
    for dataset in sorted(admitted.started):
        admitted.started[dataset] = _start(dataset, context)
    return admitted


def _process(message_id: str, body: str, context: AdmitContext) -> Admitted:
    """The result of one message; `started` names the datasets whose job should run now."""
    try:
        message = parse_queue_message(body)
        if isinstance(message, ObjectArrived):
            return _register(message, context)
        if isinstance(message, StartWanted):
            return _retry_start(message, context)
        _log.info("message %s needs no action: %s", message_id, message)
        return Admitted()
    except ContractError as error:
        _log.error("cannot parse message %s: %s", message_id, error)
    except (ClientError, BotoCoreError, GluebookError, ValueError):
        _log.exception("could not register message %s; it will be redelivered", message_id)
    return Admitted(failed=[message_id])


def _retry_start(message: StartWanted, context: AdmitContext) -> Admitted:
    wanted = message.dataset in context.job_names and context.ledger.pending(message.dataset, 1)
    return Admitted(started={message.dataset: None} if wanted else {})


def _register(message: ObjectArrived, context: AdmitContext) -> Admitted:
    if message.bucket != context.raw_bucket:
        uri = f"s3://{message.bucket}/{message.key}"
        _log.error("refused %s: the pipeline registers objects in bucket %s only", uri, context.raw_bucket)
        return Admitted(foreign=1)
    reason = reason_to_ignore(message.key, message.size)
    if reason is not None:
        _log.info("ignored %s: %s", message.key, reason)
        return Admitted(ignored=1)
    file = new_file_version(
        message.bucket,
        message.key,
        message.version_id,
        message.size,
        order_of_event(message.sequencer),
        context.clock(),
    )
    new = register(file, context.ledger, "object created")
    outside = file.state is FileState.FAILED
    return Admitted(
        registered=int(new and not outside),
        known=int(not new),
        refused=int(new and outside),
        # Also for a known version: the function that registered it may have died before it started a run.
        started={} if outside else {file.dataset: None},
    )


def _start(dataset: str, context: AdmitContext) -> str | None:
    """Start a run and return its id; None if it is refused, then a delayed message or the schedule retries."""
    if is_broken(dataset, context.ledger) is not None:
        return None  # the schedule retries, with growing pauses
    try:
        run = context.jobs.start(context.job_names[dataset])
    except (ClientError, BotoCoreError):
        _log.exception("could not start job %s", context.job_names[dataset])
        run = None
    if run is None:
        context.queue.send_later(start_wanted(dataset), context.retry_seconds)
    return run
