"""In-memory stand-ins with the behaviour of the real adapters, conditions and all.

The ledger's own tests run against both the real one and this one, so that the two can't drift apart.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from gluebook.aws.services import Rows, Statement
from gluebook.core.keys import file_id
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, OPEN_STATES, BatchState, FileState, check_batch, check_file
from gluebook.errors import Fenced, WarehouseBusy

_numbers = itertools.count(1)


def a_file(
    name: str = "", *, dataset: str = "app_logs", size: int = 10, at: str = "2026-01-05T10:00:00.000Z"
) -> FileVersion:
    """A pending file version, another one for every name; without a name, another one each time."""
    source = {"app_logs": "mongod", "support_tickets": "servicenow"}[dataset]
    key = f"{dataset}/{source}/dt=2026-01-05/{name or f'file-{next(_numbers)}'}"
    return FileVersion(
        file_id("raw", key, "v1"), "raw", key, "v1", size, "0A", dataset, source, "2026-01-05", at
    )


def a_batch(
    batch_id: str = "",
    *,
    dataset: str = "app_logs",
    state: BatchState = BatchState.CLAIMED,
    owner: str = "run-1",
) -> Batch:
    """A batch as it was just claimed, in `state`; without an id, another one each time."""
    return Batch(
        batch_id=batch_id or f"{dataset}-batch-{next(_numbers)}",
        dataset=dataset,
        state=state,
        owner=owner,
        epoch=1,
        lease_until=1_000,
        attempts=1,
        created_at="2026-01-05T10:00:00.000Z",
        changed_at="2026-01-05T10:00:00.000Z",
    )


class FakeClock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def seconds(self) -> int:
        return int(self.now.timestamp())


class FakeLedger:
    """The ledger in memory: each change is checked and made under one lock, as a transaction would."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._files: dict[str, FileVersion] = {}
        self._batches: dict[str, Batch] = {}
        self._marks: dict[str, str] = {}

    def register(self, file: FileVersion, cause: str) -> bool:
        with self._lock:
            new = file.file_id not in self._files
            if new:
                self._files[file.file_id] = file
            return new

    def pending(self, dataset: str, limit: int) -> list[FileVersion]:
        waiting = [f for f in self._files.values() if f.dataset == dataset and f.state is FileState.PENDING]
        return sorted(waiting, key=lambda file: (file.registered_at, file.file_id))[:limit]

    def file_state(self, file_id: str) -> FileState | None:
        file = self._files.get(file_id)
        return file.state if file else None

    def files(self) -> Iterator[FileVersion]:
        return iter(list(self._files.values()))

    def settle_file(self, batch: Batch, file: FileVersion, state: FileState, reason: str, at: str) -> None:
        check_file(FileState.CLAIMED, state)
        with self._lock:
            self._fence(batch)
            current = self._files[file.file_id]
            if current.batch_id == batch.batch_id and current.state is FileState.CLAIMED:
                self._files[file.file_id] = replace(current, state=state, reason=reason)

    def open_batch(self, batch: Batch) -> None:
        with self._lock:
            self._batches.setdefault(batch.batch_id, batch)

    def claim(self, batch: Batch, files: list[FileVersion]) -> list[FileVersion]:
        claimed = []
        with self._lock:
            if files:
                self._fence(batch)
            for file in files:
                if self._files[file.file_id].state is FileState.PENDING:
                    taken = replace(file, state=FileState.CLAIMED, batch_id=batch.batch_id)
                    self._files[file.file_id] = taken
                    claimed.append(taken)
        return claimed

    def batch_files(self, batch_id: str) -> list[FileVersion]:
        # As they were claimed: what became of each of them is noted with the file, not with the batch.
        found = [
            replace(f, state=FileState.CLAIMED, reason=None)
            for f in self._files.values()
            if f.batch_id == batch_id
        ]
        return sorted(found, key=lambda file: (file.key, file.version_id))

    def batches(self) -> Iterator[Batch]:
        return iter(list(self._batches.values()))

    def batch(self, batch_id: str) -> Batch | None:
        return self._batches.get(batch_id)

    def confirm(self, batch: Batch) -> Batch:
        current = self.batch(batch.batch_id)
        if current is None or current.epoch != batch.epoch:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")
        return current

    def open_batches(self, dataset: str) -> list[Batch]:
        found = [b for b in self._batches.values() if b.dataset == dataset and b.state in OPEN_STATES]
        return sorted(found, key=lambda b: (b.created_at, b.batch_id))

    def take_over(self, batch: Batch, owner: str, lease_until: int, now: int, at: str) -> Batch | None:
        check_batch(batch.state, batch.state)
        taken = replace(
            batch, owner=owner, epoch=batch.epoch + 1, attempts=batch.attempts + 1, lease_until=lease_until
        )
        with self._lock:
            current = self._batches.get(batch.batch_id)
            if current is None or current.lease_until > now:
                return None
            return self._change(batch, taken, at)

    def lease(self, batch: Batch, lease_until: int) -> None:
        with self._lock:
            self._batches[batch.batch_id] = replace(self.confirm(batch), lease_until=lease_until)

    def advance(self, batch: Batch, new: Batch, at: str, cause: str) -> Batch:
        check_batch(batch.state, new.state)
        return self._changed(batch, new, at)

    def note_statement(self, batch: Batch, statement_id: str, at: str) -> Batch:
        return self._changed(batch, replace(batch, statement_id=statement_id), at)

    def mark(self, name: str) -> str | None:
        return self._marks.get(name)

    def set_mark(self, name: str, value: str) -> None:
        self._marks[name] = value

    def clear_mark(self, name: str) -> None:
        self._marks.pop(name, None)

    def _fence(self, batch: Batch) -> None:
        if self.confirm(batch).state not in LEASED_STATES:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")

    def _changed(self, old: Batch, new: Batch, at: str) -> Batch:
        changed = self._change(old, new, at)
        if changed is None:
            raise Fenced(f"batch {old.batch_id} is no longer {old.state} of epoch {old.epoch}")
        return changed

    def _change(self, old: Batch, new: Batch, at: str) -> Batch | None:
        with self._lock:
            current = self._batches.get(old.batch_id)
            if current is None or (current.state, current.epoch, current.load_attempts) != (
                old.state,
                old.epoch,
                old.load_attempts,
            ):
                return None
            new = replace(new, changed_at=at)
            # Only what the caller changed is written: the rest stays as others have left it.
            changes = {name: value for name, value in vars(new).items() if value != vars(old)[name]}
            self._batches[old.batch_id] = replace(current, **changes)
            return new


class FakeJobs:
    """Glue jobs of which one run at a time is allowed; `refusing` raises instead."""

    def __init__(self, on_start: Callable[[str], None] = lambda job: None) -> None:
        self.running: dict[str, str] = {}
        self.started: list[str] = []
        self._on_start = on_start

    def start(self, job: str) -> str | None:
        self._on_start(job)
        if job in self.running:
            return None
        self.started.append(job)
        self.running[job] = f"jr_{len(self.started)}"
        return self.running[job]

    def end(self, job: str) -> str:
        """The run of `job` is over; its id."""
        return self.running.pop(job)


@dataclass
class _Submitted:
    sqls: list[str]
    name: str
    status: str = "STARTED"
    error: str = ""
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class FakeWarehouse:
    """The Data API: a token gives the same statement again, statements end when a test says so."""

    def __init__(self) -> None:
        self.statements: dict[str, _Submitted] = {}
        self.ran: list[tuple[str, list[str]]] = []
        self.loads: dict[str, tuple[int, int]] = {}
        self.busy = False
        self._tokens: dict[str, str] = {}

    def submit(self, sqls: list[str], *, name: str, token: str) -> str:
        if self.busy:
            raise WarehouseBusy(f"statement {name} was not taken: ThrottlingException")
        if token not in self._tokens:
            self._tokens[token] = f"statement-{len(self.statements) + 1}"
            self.statements[self._tokens[token]] = _Submitted(sqls, name)
        return self._tokens[token]

    def statement(self, statement_id: str) -> Statement | None:
        found = self.statements.get(statement_id)
        return Statement(statement_id, found.status, found.error) if found else None

    def result(self, statement_id: str) -> Rows:
        statement, _, number = statement_id.partition(":")
        found = self.statements[statement]
        assert found.status == "FINISHED" and int(number) == len(found.sqls), (
            "only the last one has this result"
        )
        return Rows(("rows_merged", "rows_superseded"), found.rows)

    def run(self, sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        if self.busy:
            raise WarehouseBusy(f"{name} has not ended within {timeout_seconds:.0f} s")
        self.ran.append((name, sqls))
        return f"run-{len(self.ran)}"

    def query(self, sql: str, *, timeout_seconds: float = 600) -> Rows:
        self.ran.append(("gluebook-query", [sql]))
        rows = [(batch_id, *counts) for batch_id, counts in self.loads.items() if f"'{batch_id}'" in sql]
        return Rows(("batch_id", "rows_merged", "rows_superseded"), rows)

    # -- what tests make happen ------------------------------------------------------------------------

    @property
    def latest(self) -> str:
        """The statement that was submitted last."""
        return list(self.statements)[-1]

    def finish(self, statement_id: str, merged: int, superseded: int) -> None:
        self.statements[statement_id].status = "FINISHED"
        self.statements[statement_id].rows = [(merged, superseded)]

    def fail(self, statement_id: str, error: str, status: str = "FAILED") -> None:
        self.statements[statement_id].status = status
        self.statements[statement_id].error = error

    def forget(self, statement_id: str) -> None:
        """After 24 hours the Data API knows neither the statement nor its token."""
        self.statements[f"forgotten-{statement_id}"] = self.statements.pop(statement_id)
        self._tokens = {token: found for token, found in self._tokens.items() if found != statement_id}


class FakeCatalog:
    """The catalog and its crawlers: what is known changes only when a crawl ends."""

    def __init__(self) -> None:
        self.known: dict[str, set[str]] = {}
        self.known_columns: dict[str, tuple[str, ...]] = {}
        self.crawling: set[str] = set()
        self.crawls: list[str] = []
        self.refuses = False

    def partitions(self, table: str) -> set[str] | None:
        if self.refuses:
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetPartitions"
            )
        return self.known.get(table)

    def columns(self, table: str) -> tuple[str, ...]:
        return self.known_columns.get(table, ())

    def start_crawler(self, crawler: str) -> bool:
        if crawler in self.crawling:
            return False
        self.crawling.add(crawler)
        self.crawls.append(crawler)
        return True
