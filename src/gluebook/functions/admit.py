"""Admit: register the objects that arrive in the raw bucket, once per file version, and start job runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.parallel import in_parallel
from gluebook.core.events import ObjectArrived, StartWanted, parse_queue_message, start_wanted
from gluebook.core.keys import reason_to_ignore
from gluebook.core.model import FileVersion
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.errors import ContractError, GluebookError
from gluebook.functions.context import AdmitContext
from gluebook.functions.runs import is_broken
from gluebook.operations.register import new_file_version, register_all

_log = logging.getLogger(__name__)
# A delivery holds up to a thousand files. Each writer takes so many of them at a time, in a few requests.
_WRITERS, _AT_ONCE = 8, 99
# A message whose processing fails so is received again.
_REDELIVERED = (ClientError, BotoCoreError, GluebookError, ValueError)

# A message's id, and the file version that it names.
_Arrival = tuple[str, FileVersion]


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
    arrived: list[_Arrival] = []
    for message_id, body in messages:
        one = _judge(message_id, body, context)
        if isinstance(one, Admitted):
            admitted += one
        else:
            arrived.append((message_id, one))
    chunks = [arrived[start : start + _AT_ONCE] for start in range(0, len(arrived), _AT_ONCE)]
    for one in in_parallel(lambda chunk: _register(chunk, context), chunks, _WRITERS):
        admitted += one
    for dataset in sorted(admitted.started):
        admitted.started[dataset] = _start(dataset, context)
    return admitted


def _judge(message_id: str, body: str, context: AdmitContext) -> FileVersion | Admitted:
    """The file version that a message names, or the result of any other message."""
    try:
        message = parse_queue_message(body)
        if isinstance(message, ObjectArrived):
            return _file_version(message, context)
        if isinstance(message, StartWanted):
            return _retry_start(message, context)
        _log.info("message %s needs no action: %s", message_id, message)
        return Admitted()
    except ContractError as error:
        _log.error("cannot parse message %s: %s", message_id, error)
    except _REDELIVERED:
        _log.exception("could not process message %s; it will be redelivered", message_id)
    return Admitted(failed=[message_id])


def _retry_start(message: StartWanted, context: AdmitContext) -> Admitted:
    wanted = message.dataset in context.job_names and context.ledger.pending(message.dataset, 1)
    return Admitted(started={message.dataset: None} if wanted else {})


def _file_version(message: ObjectArrived, context: AdmitContext) -> FileVersion | Admitted:
    """The file version to register, or why there is none."""
    if message.bucket != context.raw_bucket:
        uri = f"s3://{message.bucket}/{message.key}"
        _log.error("refused %s: the pipeline registers objects in bucket %s only", uri, context.raw_bucket)
        return Admitted(foreign=1)
    reason = reason_to_ignore(message.key, message.size)
    if reason is not None:
        _log.info("ignored %s: %s", message.key, reason)
        return Admitted(ignored=1)
    return new_file_version(
        message.bucket,
        message.key,
        message.version_id,
        message.size,
        order_of_event(message.sequencer),
        context.clock(),
    )


def _register(arrived: Sequence[_Arrival], context: AdmitContext) -> Admitted:
    """Register them together; if that fails, each by itself, so that one that fails holds back no other."""
    files = [file for _, file in arrived]
    try:
        registered = register_all(files, context.ledger, "object created")
    except _REDELIVERED:
        if len(arrived) > 1:
            return sum((_register([one], context) for one in arrived), Admitted())
        ((message_id, file),) = arrived
        _log.exception("could not register %s; message %s will be redelivered", file.key, message_id)
        return Admitted(failed=[message_id])
    return sum(map(_registered, files, registered), Admitted())


def _registered(file: FileVersion, new: bool) -> Admitted:
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
