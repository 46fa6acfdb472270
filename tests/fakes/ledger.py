"""The ledger in memory: each change is checked and made under one lock, like a transaction.

The ledger's tests run against the real one and this one, so both behave alike.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from botocore.exceptions import ClientError

from gluebook.contracts.reasons import ReasonText
from gluebook.core.history import clipped_reason
from gluebook.core.model import Batch, Correction, FileVersion, NotedVerdict
from gluebook.core.states import (
    ATTENTION_STATES,
    LEASED_STATES,
    OPEN_STATES,
    BatchState,
    FileState,
    check_batch,
    check_file,
)
from gluebook.errors import Fenced

Place = tuple[str, str, str]


def _place(file: FileVersion) -> Place:
    return file.bucket, file.key, file.version_id


class FakeLedger:
    """All of `gluebook.aws.ledger.Ledger`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._files: dict[Place, FileVersion] = {}
        self._batches: dict[str, Batch] = {}
        self._claimed: dict[str, dict[str, FileVersion]] = {}
        self._corrections: dict[tuple[str, str, str], str] = {}
        self._failures: set[tuple[str, str, str]] = set()
        self._marks: dict[str, str] = {}
        self._verdicts: dict[str, NotedVerdict] = {}
        self._refused: frozenset[str] = frozenset()

    def refuse(self, *keys: str) -> None:
        """Let DynamoDB refuse the registration of these objects, and of no others any more."""
        self._refused = frozenset(keys)

    # -- file versions ---------------------------------------------------------------------------------

    def register(self, file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        self._refuse(file)
        with self._lock:
            if _place(file) in self._files:
                return False
            if correctable and self.versions(file.bucket, file.key):
                self._corrections[(file.dataset, file.bucket, file.key)] = file.file_id
            self._files[_place(file)] = file
            if file.state is FileState.FAILED:
                self._failures.add((file.dataset, file.registered_at, file.file_id))
            return True

    def _refuse(self, file: FileVersion) -> None:
        if file.key in self._refused:
            answer = {
                "Code": "ValidationException",
                "Message": "Item size has exceeded the maximum allowed size",
            }
            raise ClientError({"Error": answer}, "TransactWriteItems")

    def register_all(
        self, files: Sequence[FileVersion], cause: str, correctable: Container[str]
    ) -> list[bool]:
        for file in files:
            self._refuse(file)
        return [self.register(file, cause, correctable=file.dataset in correctable) for file in files]

    def readmit(self, file: FileVersion, cause: str) -> bool:
        check_file(FileState.FAILED, FileState.PENDING)
        with self._lock:
            current = self._files.get(_place(file))
            if current is None or (current.state, current.batch_id) != (FileState.FAILED, file.batch_id):
                return False
            if file.batch_id is not None:
                batch = self._batches.get(file.batch_id)
                if batch is None or batch.state is not BatchState.DIVIDED:
                    return False
            self._files[_place(file)] = replace(file, state=FileState.PENDING, batch_id=None, reason=None)
            return True

    def pending(self, dataset: str, limit: int) -> list[FileVersion]:
        with self._lock:
            waiting = [
                f for f in self._files.values() if f.dataset == dataset and f.state is FileState.PENDING
            ]
        return sorted(waiting, key=lambda f: (f.waits_since, f.file_id))[:limit]

    def files_now(self, files: Iterable[FileVersion]) -> list[FileVersion]:
        with self._lock:
            return [self._files[_place(file)] for file in files if _place(file) in self._files]

    def known(self, bucket: str, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FileVersion]:
        with self._lock:
            return {
                version: self._files[(bucket, *version)]
                for version in versions
                if (bucket, *version) in self._files
            }

    def versions(self, bucket: str, key: str) -> list[FileVersion]:
        with self._lock:
            found = [f for f in self._files.values() if (f.bucket, f.key) == (bucket, key)]
        return sorted(found, key=lambda file: file.order)

    def files(self) -> Iterator[FileVersion]:
        with self._lock:
            return iter(list(self._files.values()))

    def settle_file(
        self, batch: Batch, file: FileVersion, state: FileState, reason: str | None, at: str
    ) -> None:
        reason = clipped_reason(reason)
        if (file.state, file.reason) == (state, reason):
            return
        if file.state is not state:
            check_file(file.state, state)
        with self._lock:
            self._fence(batch)
            current = self._files[_place(file)]
            if (current.batch_id, current.state) != (batch.batch_id, file.state):
                raise Fenced(f"{file.key} is no longer {file.state} in batch {batch.batch_id}")
            self._files[_place(file)] = replace(current, state=state, reason=reason)
            if state is FileState.FAILED:
                self._failures.add((file.dataset, at, file.file_id))

    # -- claiming --------------------------------------------------------------------------------------

    def open_batch(self, batch: Batch) -> None:
        with self._lock:
            self._batches.setdefault(batch.batch_id, batch)
            self._claimed.setdefault(batch.batch_id, {})

    def claim(self, batch: Batch, files: list[FileVersion]) -> list[FileVersion]:
        claimed = []
        with self._lock:
            if files:
                current_batch = self.confirm(batch)
                if current_batch.state not in LEASED_STATES:
                    return []
            for file in files:
                current = self._files[_place(file)]
                waits = (current.state, current.waiting_since) == (FileState.PENDING, file.waiting_since)
                if waits:
                    taken = replace(file, state=FileState.CLAIMED, batch_id=batch.batch_id)
                    self._files[_place(file)] = taken
                    self._claimed[batch.batch_id][file.file_id] = taken
                    claimed.append(taken)
        return claimed

    def batch_files(self, batch_id: str) -> list[FileVersion]:
        with self._lock:
            found = list(self._claimed.get(batch_id, {}).values())
        return sorted(found, key=lambda file: (file.key, file.version_id))

    def release(self, batch: Batch, files: list[FileVersion], group: str, at: str) -> None:
        for file in files:
            check_file(file.state, FileState.PENDING)
            with self._lock:
                leased = self.confirm(batch).state in LEASED_STATES
                current = self._files[_place(file)]
                if leased and (current.batch_id, current.state) == (batch.batch_id, file.state):
                    self._files[_place(file)] = replace(
                        current,
                        state=FileState.PENDING,
                        batch_id=None,
                        waiting_since=at,
                        group=group,
                        reason=None,
                    )

    # -- batches ---------------------------------------------------------------------------------------

    def batches(self) -> Iterator[Batch]:
        with self._lock:
            return iter(list(self._batches.values()))

    def batch(self, batch_id: str) -> Batch | None:
        return self._batches.get(batch_id)

    def confirm(self, batch: Batch) -> Batch:
        current = self.batch(batch.batch_id)
        if current is None or current.epoch != batch.epoch:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")
        return current

    def open_batches(self, dataset: str) -> list[Batch]:
        with self._lock:
            found = [b for b in self._batches.values() if b.dataset == dataset and b.state in OPEN_STATES]
        return sorted(found, key=lambda b: (b.created_at, b.batch_id))

    def take_over(self, batch: Batch, owner: str, lease_until: int, now: int, at: str) -> Batch | None:
        check_batch(batch.state, batch.state)
        with self._lock:
            current = self._batches.get(batch.batch_id)
            if current is None or current.lease_until > now:
                return None
            return self._change(batch, batch.taken_over(owner, lease_until), at)

    def lease(self, batch: Batch, lease_until: int) -> None:
        with self._lock:
            self._batches[batch.batch_id] = replace(self.confirm(batch), lease_until=lease_until)

    def end_lease(self, batch: Batch, why: ReasonText) -> None:
        with self._lock:
            current = self.confirm(batch)
            if current.state is not batch.state:
                raise Fenced(f"batch {batch.batch_id} is {current.state}")
            reason = current.reason if batch.state is BatchState.DIVIDING else why
            self._batches[batch.batch_id] = replace(current, lease_until=0, reason=reason)

    def advance(
        self, batch: Batch, new: Batch, at: str, cause: str, verdict: NotedVerdict | None = None
    ) -> Batch:
        check_batch(batch.state, new.state)
        with self._lock:
            changed = self._changed(batch, new, at)
            if verdict is not None:
                self._verdicts[verdict.batch_id] = verdict
            return changed

    def reopen(
        self, batch: Batch, at: str, cause: str, superseded: Iterable[FileVersion] = ()
    ) -> Batch | None:
        check_batch(batch.state, BatchState.CLAIMED)
        gone = list(superseded)
        with self._lock:
            for file in gone:
                check_file(file.state, FileState.SUPERSEDED)
                current = self._files[_place(file)]
                if (current.state, current.batch_id) != (file.state, batch.batch_id):
                    return None
            changed = self._change(batch, batch.reopened(), at)
            for file in gone if changed else []:
                self._files[_place(file)] = self._files[_place(file)].superseded()
            return changed

    def note_statement(self, batch: Batch, statement_id: str, at: str) -> Batch:
        return self._changed(batch, replace(batch, statement_id=statement_id), at)

    # -- corrections, failures, marks ------------------------------------------------------------------

    def note_correction(self, dataset: str, bucket: str, key: str, token: str) -> None:
        with self._lock:
            self._corrections[(dataset, bucket, key)] = token

    def corrections(self, dataset: str) -> list[Correction]:
        with self._lock:
            return [
                Correction(bucket, key, token)
                for (of, bucket, key), token in sorted(self._corrections.items())
                if of == dataset
            ]

    def drop_correction(self, dataset: str, seen: Correction) -> bool:
        with self._lock:
            known = self._corrections.get((dataset, seen.bucket, seen.key)) == seen.token
            if known:
                del self._corrections[(dataset, seen.bucket, seen.key)]
            return known

    def count_failures(self, dataset: str, since: str) -> int:
        return sum(of == dataset and at >= since for of, at, _ in self._failures)

    def verdicts(self, dataset: str) -> list[NotedVerdict]:
        with self._lock:
            found = [noted for noted in self._verdicts.values() if noted.dataset == dataset]
        return sorted(found, key=lambda noted: noted.batch_id)

    def verdict_submitted(self, noted: NotedVerdict, statement_id: str) -> bool:
        with self._lock:
            seen = self._verdicts.get(noted.batch_id)
            if seen is None or seen.token != replace(noted, attempts=noted.attempts - 1).token:
                return False
            self._verdicts[noted.batch_id] = replace(noted, statement_id=statement_id)
            return True

    def drop_verdict(self, noted: NotedVerdict) -> bool:
        with self._lock:
            seen = self._verdicts.get(noted.batch_id)
            if seen is None or seen.token != noted.token:
                return False
            del self._verdicts[noted.batch_id]
            return True

    def mark(self, name: str) -> str | None:
        return self._marks.get(name)

    def set_mark(self, name: str, value: str) -> None:
        self._marks[name] = value

    def clear_mark(self, name: str, value: str | None = None) -> None:
        if value in (None, self._marks.get(name)):
            self._marks.pop(name, None)

    # -- plumbing --------------------------------------------------------------------------------------

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
            new = replace(new, changed_at=at, reason=clipped_reason(new.reason))
            # Only what the caller changed is written: the rest stays as others have left it.
            changes = {name: value for name, value in vars(new).items() if value != vars(old)[name]}
            self._batches[old.batch_id] = replace(current, **changes)
            if new.state in ATTENTION_STATES:
                self._failures.add((new.dataset, at, new.batch_id))
            return new
