"""Which of a raw object's versions is the newest, and what follows from that for append datasets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import OPEN_STATES, BatchState, FileState

# S3 pads nothing: a shorter sequencer is to be filled up with zeros on the right before it is compared.
_SEQUENCER_DIGITS = 40
_AFTER = re.compile(r"(?P<anchor>.*)!(?P<number>\d{6})")


def order_of_event(sequencer: str) -> str:
    """The place of a version among those of its key, by its event's sequencer (hex digits)."""
    return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")


def order_after(known: str) -> str:
    """A place right after `known` ("" for none) and before whatever S3 tells of later.

    For a version that was found by listing, which knows the order and no sequencer. "!" sorts before any
    digit, and a longer text after its beginning.
    """
    match = _AFTER.fullmatch(known)
    anchor, number = (match["anchor"], int(match["number"])) if match else (known, 0)
    return f"{anchor}!{number + 1:06d}"


@dataclass(frozen=True)
class Resolution:
    """What has to be done about a key with several versions.

    withdraw    loaded file versions for which a newer one is loaded, by batch
    settled     nothing more can come of the versions that are known
    """

    withdraw: Mapping[str, tuple[FileVersion, ...]] = field(default_factory=dict)
    settled: bool = True


def resolve(versions: Sequence[FileVersion], batches: Mapping[str, Batch]) -> Resolution:
    """Look at all known versions of one key of an append dataset; `batches` are those that carry them.

    A version counts once it is loaded, be it with no row; one that can't be read takes nothing away.
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
