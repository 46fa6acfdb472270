"""Compare warehouse, lake and ledger with the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

from chaos.engine import read_rows
from chaos.oracle import Expected, FileKey, Ticket, expected
from chaos.product import LAKE
from chaos.warehouse import INNOCENT_TEXTS
from chaos.world import World
from gluebook.contracts import Contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import OPEN_STATES, BatchState, FileState, visible_state
from gluebook.operations.reconcile import drift

LOST, DOUBLED = "lost", "doubled"
_SHOWN = 3


@dataclass(frozen=True)
class Problem:
    """A difference from the oracle. `rows`: number of rows concerned, if it is about rows."""

    kind: str
    text: str
    rows: int = 0

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Found:
    """The ledger's files and batches by name."""

    files: dict[FileKey, FileVersion]
    batches: dict[str, Batch]

    def state(self, file: FileVersion) -> str:
        """The state that operators see."""
        batch = self.batches.get(file.batch_id or "")
        return visible_state(file.state, batch.state if batch else None)

    @property
    def rejected(self) -> set[FileKey]:
        """Files of batches that the gate rejected."""
        return {
            name
            for name, file in self.files.items()
            if file.batch_id and self.batches[file.batch_id].state is BatchState.REJECTED
        }


def found(world: World) -> Found:
    """Read the ledger."""
    return Found(
        {(file.key, file.version_id): file for file in world.ledger.files()},
        {batch.batch_id: batch for batch in world.ledger.batches()},
    )


def innocents(batch: Batch, world: World) -> bool:
    """Whether only this batch carries a file that must be loaded."""
    readable = {put.name for put in world.puts if put.is_readable}
    files = world.ledger.files_now(world.ledger.batch_files(batch.batch_id))
    return any(
        file.batch_id == batch.batch_id
        and (file.key, file.version_id) in readable
        and file.state is not FileState.SUPERSEDED
        for file in files
    )


def compare(world: World) -> list[Problem]:
    """All differences after everything has settled."""
    ledger = found(world)
    objectionable = {put.name for put in world.puts if put.is_objectionable and not world.fixed}
    truth = expected(world.puts, ledger.rejected | objectionable)
    return [
        *_warehouse(world, truth),
        *_loads(world, ledger),
        *_lake(world, truth),
        *_states(ledger, truth),
        *_results(world, ledger, truth),
        *_verdicts(world, ledger),
        *_drifts(world),
        *_blamed(ledger),
    ]


def _difference(where: str, got: Iterable[Hashable], wanted: Iterable[Hashable]) -> Iterator[Problem]:
    have, want = Counter(got), Counter(wanted)
    for kind, rows in ((LOST, want - have), (DOUBLED, have - want)):
        if rows:
            shown = ", ".join(map(str, sorted(rows, key=str)[:_SHOWN]))
            yield Problem(kind, f"{rows.total()} rows in the {where}: {shown}", rows.total())


def _warehouse(world: World, truth: Expected) -> Iterator[Problem]:
    logs = world.warehouse.rows("select message, _source_file, _source_version from app_logs")
    yield from _difference("warehouse's app_logs", (row[0] for row in logs), truth.logs)
    for message, *version in logs:
        if tuple(version) not in truth.live:
            yield Problem("provenance", f"{message} is under {version}, which is no live file version")
    tickets = world.warehouse.rows(
        "select ticket_id, revision, cast(extract(hour from updated_at) as integer), _row_hash, symptom "
        "from support_tickets"
    )
    yield from _difference("warehouse's support_tickets", (Ticket(*row) for row in tickets), truth.tickets)


def _loads(world: World, ledger: Found) -> Iterator[Problem]:
    """Every LOADED batch is in `etl_loads`, and every load once."""
    noted = world.warehouse.rows("select batch_id, generation from etl_loads")
    said = {(b.batch_id, b.generation) for b in ledger.batches.values() if b.state is BatchState.LOADED}
    yield from _difference("warehouse's etl_loads", noted, {*noted, *said})


def _lake(world: World, truth: Expected) -> Iterator[Problem]:
    """By its manifests: exactly the live rows, and no file that no manifest names."""
    rows = list(_lake_rows(world, APP_LOGS, ("message", "_source_file", "_source_version")))
    yield from _difference("lake's app_logs", {row[0] for row in rows}, truth.logs)
    for message, *version in rows:
        if tuple(version) not in truth.live:
            yield Problem("lake", f"{message} is there under {version}, which is no live file version")
    columns = ("ticket_id", "revision", "updated_at", "_row_hash", "symptom")
    revisions = {
        Ticket(number, revision, int(written[11:13]), digest, text)
        for number, revision, written, digest, text in _lake_rows(world, SUPPORT_TICKETS, columns)
    }
    yield from _difference("lake's support_tickets", revisions, truth.revisions)
    for contract in (APP_LOGS, SUPPORT_TICKETS):
        places = list(_lake_rows(world, contract, ("_source_file", "_source_version", "_source_record")))
        yield from _difference(f"lake's {contract.name}, by place", places, set(places))
        yield from _strays(world, contract.name)


def _manifests(world: World, dataset: str) -> Iterator[tuple[str, list[str]]]:
    for key in world.objects.sizes(LAKE, f"manifests/{dataset}/"):
        entries = world.objects.get_json(LAKE, key)["entries"]
        yield key, [entry["url"].removeprefix(f"s3://{LAKE}/") for entry in entries]


def _lake_rows(world: World, contract: Contract, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    at = [contract.names.index(name) for name in columns]
    for _, keys in _manifests(world, contract.name):
        for key in keys:
            for row in read_rows(world.objects.body(LAKE, key) or b""):
                yield tuple(row[place] for place in at)


def _strays(world: World, dataset: str) -> Iterator[Problem]:
    """A listing of `curated/` must match the manifests, once no batch is open."""
    there = set(world.objects.sizes(LAKE, f"curated/{dataset}/"))
    for manifest, keys in _manifests(world, dataset):
        gone = [key for key in keys if key not in there]
        if gone:
            yield Problem(LOST, f"{manifest} names {', '.join(gone)}, which isn't there", len(gone))
        there -= set(keys)
    for key in sorted(there):
        yield Problem("stray", f"{key} is in no manifest")


def _states(ledger: Found, truth: Expected) -> Iterator[Problem]:
    for name, fate in truth.fates.items():
        file = ledger.files.get(name)
        state = ledger.state(file) if file else "UNKNOWN"
        if state not in fate.states:
            reason = file.reason if file else None
            yield Problem("state", f"{name} is {state} ({reason}), not {' or '.join(sorted(fate.states))}")
    for batch in ledger.batches.values():
        loaded = batch.state is BatchState.LOADED
        if loaded and batch.counts.curated != batch.merged + batch.superseded:
            yield Problem(
                "counts", f"{batch.batch_id}: {batch.counts} isn't {batch.merged} + {batch.superseded}"
            )


def _results(world: World, ledger: Found, truth: Expected) -> Iterator[Problem]:
    """By file: read = curated + duplicates + rejected, as the oracle counts; and the stored rejects."""
    for batch in ledger.batches.values():
        yield from _sums(world, batch)
    kept: Counter[FileKey] = Counter()
    for key in world.objects.sizes(LAKE, "quarantine/"):
        kept.update((row[0], row[1]) for row in read_rows(world.objects.body(LAKE, key) or b""))
    for name, fate in truth.fates.items():
        file = ledger.files.get(name)
        if file is None or ledger.state(file) not in ("LOADED", "EMPTY") or "LOADED" not in fate.states:
            continue
        document = _results_of(world, ledger.batches[file.batch_id or ""])
        counts = [r["counts"] for r in document["files"] if (r["key"], r["version_id"]) == name]
        sums = [(c["read"], c["curated"] + c["duplicates"], c["rejected"]) for c in counts]
        if sums != [(fate.read, fate.kept, fate.rejected)]:
            yield Problem("counts", f"{name}: {sums} isn't {fate}")
        if kept[name] != fate.rejected:
            yield Problem("quarantine", f"{name}: {kept[name]} rejects are kept, not {fate.rejected}")


def _sums(world: World, batch: Batch) -> Iterator[Problem]:
    """All results of a batch belong to one generation: results and rejects add up to the ledger's counts."""
    if batch.state in OPEN_STATES:
        return
    document, counts = _results_of(world, batch), asdict(batch.counts)
    said = {
        name: sum(r["counts"][name] for r in document["files"]) if document else 0
        for name in asdict(Counts())
    }
    prefix = Lake(LAKE).quarantine(batch.dataset, batch.batch_id)
    bodies = [world.objects.body(LAKE, key) or b"" for key in world.objects.sizes(LAKE, prefix)]
    aside = sum(len(read_rows(body)) for body in bodies)
    # A failed batch has both from an earlier generation, or neither.
    taken_back = batch.state in (BatchState.DIVIDED, BatchState.FAILED) and document is None
    if said != counts and not taken_back:
        yield Problem("counts", f"{batch.batch_id}: its results say {said}, not {counts}")
    if aside != (0 if taken_back else batch.counts.rejected):
        yield Problem("quarantine", f"{batch.batch_id}: {aside} rejects are kept, and it is {batch}")


def _results_of(world: World, batch: Batch) -> Any:
    """The results that the ledger names for the batch."""
    return world.objects.get_json(
        LAKE, Lake(LAKE).result(batch.dataset, batch.batch_id, batch.reported_epoch)
    )


def _verdicts(world: World, ledger: Found) -> Iterator[Problem]:
    """The warehouse has the latest verdict of each finished batch, once; none of a divided one."""
    recorded = world.warehouse.rows(
        "select batch_id, generation, rows_read, rows_curated, rows_duplicates, rows_rejected from dq_results"
    )
    wanted = []
    for batch in ledger.batches.values():
        c = batch.counts
        if batch.state in (BatchState.LOADED, BatchState.EMPTY, BatchState.REJECTED) and c.read:
            wanted.append((batch.batch_id, batch.generation, c.read, c.curated, c.duplicates, c.rejected))
    # The verdict of an open batch may be recorded already. A batch that failed in a later generation keeps the
    # previous verdict, or has none if that was deleted.
    open_ends = {b.batch_id for b in ledger.batches.values() if b.state in OPEN_STATES}
    given_up = {
        b.batch_id: (b.counts.read, b.counts.curated, b.counts.duplicates, b.counts.rejected)
        for b in ledger.batches.values()
        if b.state is BatchState.FAILED and b.generation > 1
    }
    shown = [tuple(row) for row in recorded if row[0] not in open_ends]
    kept = [row for row in shown if row[2:] == given_up.get(row[0])]
    yield from _difference("warehouse's dq_results", shown, [*wanted, *set(kept)])


def _blamed(ledger: Found) -> Iterator[Problem]:
    """No batch is divided or FAILED because of the environment."""
    for batch in ledger.batches.values():
        ended = batch.state in (BatchState.DIVIDING, BatchState.DIVIDED, BatchState.FAILED)
        if ended and any(text in (batch.reason or "") for text in INNOCENT_TEXTS):
            yield Problem("blamed", f"{batch.batch_id} is {batch.state}: {batch.reason}")


def _drifts(world: World) -> Iterator[Problem]:
    for contract in (APP_LOGS, SUPPORT_TICKETS):
        apart = drift(contract, cast(Any, world.warehouse), timeout_seconds=1)
        if apart.rows_apart:
            yield Problem("drift", f"{contract.name}: {apart}")
