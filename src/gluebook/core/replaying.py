"""Decide which batches to reopen so that chosen file versions are processed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gluebook.contracts import contract
from gluebook.core.keys import OutsideConvention, RawKey, parse_raw_key
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState, FileState


@dataclass(frozen=True)
class Refusal:
    """A file version that cannot be processed again, and the reason."""

    file: FileVersion
    reason: str


@dataclass(frozen=True)
class Replay:
    """The plan of a replay. Each chosen file version is in exactly one of the file lists.

    repeat        chosen: processed again with their batch
    reopen        the batches of `repeat`, to be reopened in the next generation
    included      not chosen: processed again because they share such a batch
    readmit       chosen, in no batch that can be reopened, and so PENDING again: their key was refused and has a
                  source now, or they are FAILED in a batch that was divided without them (`batch_id` names it)
    under_way     chosen: PENDING, or in a batch that a run works on; nothing to do
    superseded    chosen: a newer version is loaded; they stay out
    refused       chosen: their key has no source, or the ledger lacks their batch
    """

    repeat: tuple[FileVersion, ...] = ()
    reopen: tuple[Batch, ...] = ()
    included: tuple[FileVersion, ...] = ()
    readmit: tuple[FileVersion, ...] = ()
    under_way: tuple[FileVersion, ...] = ()
    superseded: tuple[FileVersion, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def chosen(self) -> int:
        """Number of chosen file versions."""
        lists = (self.repeat, self.readmit, self.under_way, self.superseded, self.refused)
        return sum(map(len, lists))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets whose jobs have work."""
        found = {batch.dataset for batch in self.reopen}
        found |= {file.dataset for file in (*self.readmit, *self.under_way)}
        return tuple(sorted(found))


def arrived_within(
    files: Iterable[FileVersion], dataset: str, since: str | None, until: str | None
) -> list[FileVersion]:
    """The file versions of a dataset by date of arrival (`YYYY-MM-DD`, both ends included).

    A file version whose key was refused belongs to the dataset that its key names now.
    """
    chosen = []
    for file in files:
        place = (file.dataset, file.dt) if file.dataset else _place_now(file)
        if place[0] == dataset and (since or "") <= place[1] and (not until or place[1] <= until):
            chosen.append(file)
    return chosen


def _place_now(file: FileVersion) -> tuple[str, str]:
    parsed = parse_raw_key(file.key)
    return (parsed.dataset, parsed.dt.isoformat()) if isinstance(parsed, RawKey) else ("", "")


def plan_replay(
    chosen: Sequence[FileVersion],
    batches: Mapping[str, Batch],
    carried: Mapping[str, Sequence[FileVersion]],
    at: str,
) -> Replay:
    """Decide for each of `chosen`, in their present state.

    `batches`: those that carry them; `carried`: all file versions of each such batch, in their present state.
    """
    parts: dict[str, list[FileVersion]] = {"repeat": [], "readmit": [], "under_way": [], "superseded": []}
    refused: list[Refusal] = []
    reopen: dict[str, Batch] = {}
    for file in chosen:
        batch = batches.get(file.batch_id or "")
        if file.state is FileState.SUPERSEDED:
            parts["superseded"].append(file)
        elif file.state is FileState.PENDING:
            parts["under_way"].append(file)
        elif file.batch_id is None or _failed_in_divided_batch(file, batch):
            again = readmitted(file, at)
            if isinstance(again, Refusal):
                refused.append(again)
            else:
                parts["readmit"].append(again)
        elif batch is None:
            lost = f"batch_unknown: the ledger has no batch {file.batch_id}; upload the file again"
            refused.append(Refusal(file, lost))
        elif batch.repeatable:
            parts["repeat"].append(file)
            reopen[batch.batch_id] = batch
        else:
            parts["under_way"].append(file)
    known = {file.file_id for file in chosen}
    included = [
        file
        for batch_id in reopen
        for file in carried.get(batch_id, ())
        if file.file_id not in known and file.state is not FileState.SUPERSEDED and file.batch_id == batch_id
    ]
    oldest_first = sorted(reopen.values(), key=lambda batch: (batch.created_at, batch.batch_id))
    return Replay(
        reopen=tuple(oldest_first),
        included=tuple(included),
        refused=tuple(refused),
        **{name: tuple(files) for name, files in parts.items()},
    )


def _failed_in_divided_batch(file: FileVersion, batch: Batch | None) -> bool:
    """Whether the file version is FAILED in a DIVIDED batch, which no run will process again.

    In any other state the division has released it since it was read.
    """
    return batch is not None and batch.state is BatchState.DIVIDED and file.state is FileState.FAILED


def readmitted(file: FileVersion, at: str) -> FileVersion | Refusal:
    """The PENDING version of a FAILED file version; or a refusal, if its key is (again) refused.

    It belongs to no group, so it can be claimed together with any other file.
    """
    parsed = parse_raw_key(file.key)
    if isinstance(parsed, OutsideConvention):
        return Refusal(file, parsed.reason)
    return replace(
        file,
        state=FileState.PENDING,
        dataset=parsed.dataset,
        source=parsed.source,
        dt=parsed.dt.isoformat(),
        waiting_since=at,
        group=None,
        reason=None,
    )


def may_change_versions(replay: Replay) -> list[FileVersion]:
    """File versions that may supersede others, or be superseded, once they are processed again.

    Append datasets only. A version that is CLAIMED in a LOADED batch already counts.
    """
    states = {batch.batch_id: batch.state for batch in replay.reopen}
    files = (*replay.repeat, *replay.included, *replay.readmit)
    return [
        file
        for file in files
        if contract(file.dataset).append
        and not (file.state is FileState.CLAIMED and states.get(file.batch_id or "") is BatchState.LOADED)
    ]
