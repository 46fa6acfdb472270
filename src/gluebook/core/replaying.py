"""Which batches have to be opened again so that chosen file versions are processed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gluebook.contracts import contract
from gluebook.core.keys import OutsideConvention, RawKey, parse_raw_key
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState, FileState


@dataclass(frozen=True)
class Refusal:
    """A file version that can't be processed again, and why."""

    file: FileVersion
    reason: str


@dataclass(frozen=True)
class Replay:
    """What processing chosen file versions again comes to. The chosen are in exactly one of the file lists.

    repeat        those that come again with their batch
    reopen        the batches that carry them, to be opened one generation further
    riding        file versions that come again only because they share such a batch
    readmit       those that no batch will bring again, as they are to wait: refused for their key with a source
                  now, or FAILED in a batch that was divided without them (`batch_id` names it)
    under_way     those that wait, or whose batch is being worked on: there is nothing to open
    superseded    those for which a newer version is loaded; they stay out
    refused       those for whose key there is no source, or whose batch the ledger lacks
    """

    repeat: tuple[FileVersion, ...] = ()
    reopen: tuple[Batch, ...] = ()
    riding: tuple[FileVersion, ...] = ()
    readmit: tuple[FileVersion, ...] = ()
    under_way: tuple[FileVersion, ...] = ()
    superseded: tuple[FileVersion, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def chosen(self) -> int:
        """How many file versions were chosen."""
        lists = (self.repeat, self.readmit, self.under_way, self.superseded, self.refused)
        return sum(map(len, lists))

    @property
    def datasets(self) -> tuple[str, ...]:
        """Whose jobs have something to do."""
        found = {batch.dataset for batch in self.reopen}
        found |= {file.dataset for file in (*self.readmit, *self.under_way)}
        return tuple(sorted(found))


def arrived_within(
    files: Iterable[FileVersion], dataset: str, since: str | None, until: str | None
) -> list[FileVersion]:
    """The file versions of a dataset by date of arrival (`YYYY-MM-DD`, both ends included).

    A file version that was refused for its key belongs to the dataset that its key names now.
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
    """Decide about each of `chosen`, as they are now.

    `batches` are those that carry them; `carried`: all file versions of each such batch, as they are now.
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
        elif file.batch_id is None or _was_left_behind(file, batch):
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
    riding = [
        file
        for batch_id in reopen
        for file in carried.get(batch_id, ())
        if file.file_id not in known and file.state is not FileState.SUPERSEDED and file.batch_id == batch_id
    ]
    oldest_first = sorted(reopen.values(), key=lambda batch: (batch.created_at, batch.batch_id))
    return Replay(
        reopen=tuple(oldest_first),
        riding=tuple(riding),
        refused=tuple(refused),
        **{name: tuple(files) for name, files in parts.items()},
    )


def _was_left_behind(file: FileVersion, batch: Batch | None) -> bool:
    """Whether it stayed, as unusable, with a batch that was divided, and that nobody will take up again.

    In any other state it waits by now, and was read before the division let it go.
    """
    return batch is not None and batch.state is BatchState.DIVIDED and file.state is FileState.FAILED


def readmitted(file: FileVersion, at: str) -> FileVersion | Refusal:
    """A FAILED file version that no batch will bring again, as it is to wait; or why its key is refused (again).

    It waits apart from any group: it is to be read anew, beside whatever else has arrived.
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
    """File versions that may come to count, or to bring rows, where they didn't: who supersedes whom is open again.

    Only append datasets know of that. What is CLAIMED in a LOADED batch counts already.
    """
    states = {batch.batch_id: batch.state for batch in replay.reopen}
    files = (*replay.repeat, *replay.riding, *replay.readmit)
    return [
        file
        for file in files
        if contract(file.dataset).append
        and not (file.state is FileState.CLAIMED and states.get(file.batch_id or "") is BatchState.LOADED)
    ]
