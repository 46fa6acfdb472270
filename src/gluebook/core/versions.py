"""Order the versions of a raw object, and decide which of them are superseded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import OPEN_STATES, BatchState, FileState

# S3 does not pad sequencers: shorter ones are padded with zeros on the right before they are compared.
_SEQUENCER_DIGITS = 40
_AFTER = re.compile(r"(?P<anchor>.*)!(?P<number>\d{6})")


def order_of_event(sequencer: str) -> str:
    """The order of a version among those of its key, from its event's sequencer (hex digits)."""
    return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")


def order_after(known: str) -> str:
    """An order right after `known` ("" for none) and before all later events.

    For a version from a listing, which has an order but no sequencer. "!" sorts before any digit, and a longer text
    sorts after its prefix.
    """
    match = _AFTER.fullmatch(known)
    anchor, number = (match["anchor"], int(match["number"])) if match else (known, 0)
    return f"{anchor}!{number + 1:06d}"


@dataclass(frozen=True)
class Resolution:
    """What to do about a key with several versions.

    withdraw    loaded file versions that a newer loaded version supersedes, by batch
    settled     no known version can supersede another any more
    """

    withdraw: Mapping[str, tuple[FileVersion, ...]] = field(default_factory=dict)
    settled: bool = True


def resolve(versions: Sequence[FileVersion], batches: Mapping[str, Batch]) -> Resolution:
    """Compare all known versions of one key of an append dataset; `batches`: those that carry them.

    A version supersedes earlier ones once it is loaded, even without rows; an unreadable version supersedes none.
    """

    def loaded(version: FileVersion) -> bool:
        batch = batches.get(version.batch_id or "")
        usable = version.state in (FileState.CLAIMED, FileState.EMPTY)
        return usable and batch is not None and batch.state is BatchState.LOADED

    newest = max((version.order for version in versions if loaded(version)), default="")
    withdraw: dict[str, tuple[FileVersion, ...]] = {}
    for version in versions:
        if version.order < newest and version.state is FileState.CLAIMED and loaded(version):
            withdraw[version.batch_id or ""] = (*withdraw.get(version.batch_id or "", ()), version)
    return Resolution(withdraw, not withdraw and not any(_under_way(v, batches) for v in versions))


def _under_way(version: FileVersion, batches: Mapping[str, Batch]) -> bool:
    if version.state is FileState.PENDING:
        return True
    batch = batches.get(version.batch_id or "")
    return batch is not None and batch.state in OPEN_STATES
