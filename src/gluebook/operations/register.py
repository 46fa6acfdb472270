"""Register file versions: those that an event tells of, and those that a listing of the bucket finds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.clock import Clock
from gluebook.contracts import contract
from gluebook.core.keys import OutsideConvention, file_id, not_an_arrival, parse_raw_key
from gluebook.core.model import FileVersion, ObjectVersion
from gluebook.core.stamps import stamp
from gluebook.core.states import FileState
from gluebook.core.versions import order_after
from gluebook.errors import GluebookError

_log = logging.getLogger(__name__)
_WRITERS = 16


def arrival(bucket: str, key: str, version_id: str, size: int, order: str, moment: datetime) -> FileVersion:
    """A file version as it is registered: PENDING, or FAILED at once if no pipeline takes its key."""
    parsed = parse_raw_key(key)
    at = stamp(moment)
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
    """Note a file version, once; True if it is new."""
    correctable = bool(file.dataset) and contract(file.dataset).append
    new = ledger.register(file, cause, correctable=correctable)
    if new and file.state is FileState.FAILED:
        _log.warning("%s is FAILED: %s", file.key, file.reason)
    return new


@dataclass(frozen=True)
class NotRegistered:
    """A raw object of which a version could not be registered, and the error."""

    key: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.key}: {self.error}"


@dataclass(frozen=True)
class Adopted:
    """What came of a listing: versions that were known, newly registered, and refused for their key.

    `failed`: the objects that could not be registered, which another walk tries again.
    """

    known: int = 0
    registered: int = 0
    refused: int = 0
    datasets: frozenset[str] = frozenset()
    failed: tuple[NotRegistered, ...] = ()

    def __add__(self, other: Adopted) -> Adopted:
        return Adopted(
            self.known + other.known,
            self.registered + other.registered,
            self.refused + other.refused,
            self.datasets | other.datasets,
            self.failed + other.failed,
        )


@dataclass(frozen=True)
class Adopting:
    """What adoption works with; `cause` is noted with every file version that is registered."""

    ledger: LedgerPort
    objects: ObjectsPort
    bucket: str
    clock: Clock
    cause: str


def adopt(listed: Iterable[ObjectVersion], work: Adopting) -> Adopted:
    """Register what a listing shows and the ledger doesn't know. All versions of a key must be in `listed`.

    An object that can't be registered is named in `failed`; the others are registered all the same.
    May be interrupted and repeated, and run beside events that tell of the same versions.
    """
    page = _arrivals(listed)
    known = work.ledger.known(work.bucket, map(_place, page))
    adopted = Adopted(known=len(known))
    strange = [found for found in _by_key(page) if any(_place(version) not in known for version in found)]
    with ThreadPoolExecutor(_WRITERS) as pool:
        for one in pool.map(lambda found: _adopt_or_tell(found, work), strange):
            adopted += one
    return adopted


def unregistered(listed: Iterable[ObjectVersion], bucket: str, ledger: LedgerPort) -> list[ObjectVersion]:
    """What a listing shows and the ledger doesn't know."""
    page = _arrivals(listed)
    known = ledger.known(bucket, [_place(version) for version in page])
    return [version for version in page if _place(version) not in known]


def _arrivals(listed: Iterable[ObjectVersion]) -> list[ObjectVersion]:
    return [version for version in listed if not_an_arrival(version.key, version.size) is None]


def _by_key(listed: list[ObjectVersion]) -> Iterator[list[ObjectVersion]]:
    return (list(found) for _, found in groupby(listed, key=lambda version: version.key))


def _place(version: ObjectVersion) -> tuple[str, str]:
    return version.key, version.version_id


def _adopt_or_tell(listed: list[ObjectVersion], work: Adopting) -> Adopted:
    try:
        return _adopt_key(listed, work)
    except (ClientError, BotoCoreError, GluebookError, ValueError) as error:
        key = listed[0].key
        _log.exception("%s could not be registered", key)
        error.add_note(f"while registering {key}")
        return Adopted(failed=(NotRegistered(key, error),))


def _adopt_key(listed: list[ObjectVersion], work: Adopting) -> Adopted:
    """Register the unknown of a key's versions, the oldest first: each comes right after the one before.

    The place of the one before is read back, because an event may have registered it in the meantime.
    """
    key = listed[0].key
    places = {file.version_id: file.order for file in work.ledger.versions(work.bucket, key)}
    if places.keys() - {version.version_id for version in listed}:
        # Gone, or newer than the listing? One that is made now can't be older than what is known.
        pages = work.objects.versions(work.bucket, key)
        listed = [version for page in pages for version in _arrivals(page) if version.key == key]
    adopted = Adopted()
    for index in reversed(range(len(listed))):
        version = listed[index]
        if version.version_id in places:
            continue
        order = order_after(_last_before(listed[:index], places))
        file = arrival(work.bucket, key, version.version_id, version.size, order, work.clock())
        new = register(file, work.ledger, work.cause)
        if not new:
            (file,) = work.ledger.files_now([file])
        places[version.version_id] = file.order
        outside = file.state is FileState.FAILED
        adopted += Adopted(
            known=int(not new),
            registered=int(new and not outside),
            refused=int(new and outside),
            datasets=frozenset({file.dataset} - {""}),
        )
    return adopted


def _last_before(newer: list[ObjectVersion], places: Mapping[str, str]) -> str:
    """The last place that is taken before all of `newer`, be it by a version that has been deleted for good."""
    limit = min((places[v.version_id] for v in newer if v.version_id in places), default=None)
    return max((place for place in places.values() if limit is None or place < limit), default="")
