"""Admit: register what arrived in the raw bucket, once per file version, and try to start a job run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.ledger import Ledger
from gluebook.aws.services import Jobs
from gluebook.clock import Clock, stamp
from gluebook.core.events import ObjectArrived, parse_queue_message
from gluebook.core.keys import OutsideConvention, file_id, parse_raw_key
from gluebook.core.model import FileVersion
from gluebook.core.states import FileState
from gluebook.errors import ContractError

_log = logging.getLogger(__name__)


@dataclass
class Admitted:
    """What a delivery came to. `failed` holds the ids of messages to be delivered again."""

    registered: int = 0
    known: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    started: dict[str, str | None] = field(default_factory=dict)


def admit(
    messages: Iterable[tuple[str, str]],
    ledger: Ledger,
    jobs: Jobs,
    job_names: Mapping[str, str],
    clock: Clock,
) -> Admitted:
    """Register the file versions that `messages` (id, body) tell of, then try to start their datasets' jobs.

    A job that is running already is fine: its end starts the next run if anything is pending by then. Starting
    comes after registering, so whatever the started run doesn't see, its end does.
    """
    admitted = Admitted()
    datasets: set[str] = set()
    for message_id, body in messages:
        try:
            arrived = parse_queue_message(body)
            if isinstance(arrived, ObjectArrived):
                dataset = _register(arrived, ledger, admitted, clock)
                datasets |= {dataset} if dataset else set()
            else:
                _log.info("message %s asks for nothing: %s", message_id, arrived)
        except ContractError as error:
            _log.error("message %s can't be understood: %s", message_id, error)
            admitted.failed.append(message_id)
        except (ClientError, BotoCoreError):
            _log.exception("message %s could not be registered; it will be delivered again", message_id)
            admitted.failed.append(message_id)
    for dataset in sorted(datasets):
        admitted.started[dataset] = jobs.start(job_names[dataset])
    return admitted


def _register(arrived: ObjectArrived, ledger: Ledger, admitted: Admitted, clock: Clock) -> str | None:
    """The dataset that has something pending now, if so."""
    parsed = parse_raw_key(arrived.key)
    outside = isinstance(parsed, OutsideConvention)
    file = FileVersion(
        file_id=file_id(arrived.bucket, arrived.key, arrived.version_id),
        bucket=arrived.bucket,
        key=arrived.key,
        version_id=arrived.version_id,
        size=arrived.size,
        sequencer=arrived.sequencer,
        dataset="" if isinstance(parsed, OutsideConvention) else parsed.dataset,
        source="" if isinstance(parsed, OutsideConvention) else parsed.source,
        dt="" if isinstance(parsed, OutsideConvention) else parsed.dt.isoformat(),
        registered_at=stamp(clock()),
        state=FileState.FAILED if outside else FileState.PENDING,
        reason=parsed.reason if isinstance(parsed, OutsideConvention) else None,
    )
    if not ledger.register(file, "object created"):
        admitted.known += 1
        # Delivered again: whoever registered it may have died before it could start a run.
        return None if outside else file.dataset
    if outside:
        _log.warning("%s is FAILED: %s", file.key, file.reason)
        admitted.refused += 1
        return None
    admitted.registered += 1
    return file.dataset
