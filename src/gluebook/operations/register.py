"""Register file versions: those in events, and those that a listing of the bucket finds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.parallel import in_parallel
from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.clock import Clock
from gluebook.contracts import CONTRACTS
from gluebook.core.keys import OutsideConvention, file_id, parse_raw_key, reason_to_ignore
from gluebook.core.model import FileVersion, ObjectVersion
from gluebook.core.states import FileState
from gluebook.core.timestamps import utc_timestamp
from gluebook.core.versions import order_after
from gluebook.errors import GluebookError

_log = logging.getLogger(__name__)


def new_file_version(
    bucket: str, key: str, version_id: str, size: int, order: str, moment: datetime
) -> FileVersion:
    """A file version to register: PENDING, or FAILED at once if no source accepts its key."""
    parsed = parse_raw_key(key)
    at = utc_timestamp(moment)
    outside = isinstance(parsed, OutsideConvention)
    return FileVersion(
        file_id=file_id(bucket, key, version_id),
        bucket=bucket,
        key=key,
        version_id=version_id,
        size=size,
        order=order,
        dataset="" if isinstance(parsed, OutsideConvention) else parsed.dataset,
        source="" if isinstance(parsed, OutsideConvention) else parsed.source,
        dt="" if isinstance(parsed, OutsideConvention) else parsed.dt.isoformat(),
        registered_at=at,
        waiting_since=at,
        state=FileState.FAILED if outside else FileState.PENDING,
        reason=parsed.reason if isinstance(parsed, OutsideConvention) else None,
    )


def register(file: FileVersion, ledger: LedgerPort, cause: str) -> bool:
    """Register a file version once; True if it is new."""
    (new,) = register_all([file], ledger, cause)
    return new


def register_all(files: Sequence[FileVersion], ledger: LedgerPort, cause: str) -> list[bool]:
    """Register each file version once; whether each is new."""
    correctable = {name for name, contract in CONTRACTS.items() if contract.append}
    registered = ledger.register_all(files, cause, correctable)
    for file, new in zip(files, registered, strict=True):
        if new and file.state is FileState.FAILED:
            _log.warning("%s is FAILED: %s", file.key, file.reason)
    return registered


@dataclass(frozen=True)
class NotRegistered:
    """The key of a raw object with a version that could not be registered, and the error."""

    key: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.key}: {self.error}"


@dataclass(frozen=True)
class Registrations:
    """The result of registering a listing: numbers of known, newly registered and refused (by key) versions.

    `failed`: the objects that could not be registered; the next listing retries them.
    """

    known: int = 0
    registered: int = 0
    refused: int = 0
    datasets: frozenset[str] = frozenset()
    failed: tuple[NotRegistered, ...] = ()

    def __add__(self, other: Registrations) -> Registrations:
        return Registrations(
            self.known + other.known,
            self.registered + other.registered,
            self.refused + other.refused,
            self.datasets | other.datasets,
            self.failed + other.failed,
        )


@dataclass(frozen=True)
class RegisterContext:
    """Adapters and names for `register_missing`; `cause` is recorded with every registered file version."""

    ledger: LedgerPort
    objects: ObjectsPort
    bucket: str
    clock: Clock
    cause: str


def register_missing(listed: Iterable[ObjectVersion], context: RegisterContext) -> Registrations:
    """Register the listed versions that the ledger lacks. `listed` must hold all versions of a key.

    An object that cannot be registered is in `failed`; the others are still registered. Safe to interrupt, to repeat
    and to run while events register the same versions.
    """
    page = _arrivals(listed)
    known = context.ledger.known(context.bucket, map(_version_key, page))
    registrations = Registrations(known=len(known))
    missing = [
        found for found in _by_key(page) if any(_version_key(version) not in known for version in found)
    ]
    for one in in_parallel(lambda found: _try_to_register(found, context), missing):
        registrations += one
    return registrations


def unregistered(listed: Iterable[ObjectVersion], bucket: str, ledger: LedgerPort) -> list[ObjectVersion]:
    """The listed versions that the ledger lacks."""
    page = _arrivals(listed)
    known = ledger.known(bucket, [_version_key(version) for version in page])
    return [version for version in page if _version_key(version) not in known]


def _arrivals(listed: Iterable[ObjectVersion]) -> list[ObjectVersion]:
    return [version for version in listed if reason_to_ignore(version.key, version.size) is None]


def _by_key(listed: list[ObjectVersion]) -> Iterator[list[ObjectVersion]]:
    return (list(found) for _, found in groupby(listed, key=lambda version: version.key))


def _version_key(version: ObjectVersion) -> tuple[str, str]:
    return version.key, version.version_id


def _try_to_register(listed: list[ObjectVersion], context: RegisterContext) -> Registrations:
    try:
        return _register_key(listed, context)
    except (ClientError, BotoCoreError, GluebookError, ValueError) as error:
        key = listed[0].key
        _log.exception("could not register %s", key)
        error.add_note(f"while registering {key}")
        return Registrations(failed=(NotRegistered(key, error),))


def _register_key(listed: list[ObjectVersion], context: RegisterContext) -> Registrations:
    """Register the unknown versions of a key, the oldest first, each right after the previous one in order.

    The order of a version is read back after its registration, because an event may have registered it meanwhile.
    """
    key = listed[0].key
    orders = {file.version_id: file.order for file in context.ledger.versions(context.bucket, key)}
    if orders.keys() - {version.version_id for version in listed}:
        # The ledger has versions that the listing lacks: deleted since, or newer. A new listing tells which.
        pages = context.objects.versions(context.bucket, key)
        listed = [version for page in pages for version in _arrivals(page) if version.key == key]
    registrations = Registrations()
    for index in reversed(range(len(listed))):
        version = listed[index]
        if version.version_id in orders:
            continue
        order = order_after(_last_order_before(listed[:index], orders))
        file = new_file_version(context.bucket, key, version.version_id, version.size, order, context.clock())
        new = register(file, context.ledger, context.cause)
        if not new:
            (file,) = context.ledger.files_now([file])
        orders[version.version_id] = file.order
        outside = file.state is FileState.FAILED
        registrations += Registrations(
            known=int(not new),
            registered=int(new and not outside),
            refused=int(new and outside),
            datasets=frozenset({file.dataset} - {""}),
        )
    return registrations


def _last_order_before(newer: list[ObjectVersion], orders: Mapping[str, str]) -> str:
    """The last known order before all of `newer`, including the order of deleted versions."""
    limit = min((orders[v.version_id] for v in newer if v.version_id in orders), default=None)
    return max((order for order in orders.values() if limit is None or order < limit), default="")
