"""The ledger: a DynamoDB table that knows every file version and every batch, and in which state it is.

One table, string keys `pk` and `sk`::

    FILE#<file id>              FILE              a file version
    PENDING#<dataset>#<shard>   <time>#<file id>  marker: waits to be claimed
    BATCH#<batch id>            BATCH             a batch
    BATCH#<batch id>            FILE#<file id>    a file version that the batch carries
    OPEN#<dataset>              <batch id>        marker: somebody still has to do something for this batch
    MARK#<name>                 MARK              a small fact, such as which DDL the warehouse has

Markers live in the base table, where they can be read consistently: global indexes lag. Each change is a
conditional write, or a transaction of such, so that of two who try the same only one succeeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3

from gluebook.aws.codec import batch_from, batch_item, file_from, file_item
from gluebook.aws.table import Item, Table
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import LEASED_STATES, OPEN_STATES, FileState, check_batch, check_file
from gluebook.errors import Fenced

# Spreads the pending markers of a dataset over partitions: one takes 1,000 writes a second.
_SHARDS = 4
# A transaction takes 100 items; a claim needs three a file, and one for the fence.
_FILES_PER_CLAIM = 33


class Ledger:
    """The ledger in table `table_name`. `actor` is noted with every change."""

    def __init__(self, table_name: str, actor: str, session: boto3.session.Session | None = None) -> None:
        self._table = Table(table_name, session)
        self._actor = actor

    # -- file versions ---------------------------------------------------------------------------------

    def register(self, file: FileVersion, cause: str) -> bool:
        """Note a file version, once. True if it is new. A PENDING one can be claimed from then on."""
        item = {**file_item(file), **_file_key(file.file_id)}
        item["history"] = [self._entry(file.registered_at, file.state, cause)]
        actions = [self._table.put_action(item, "attribute_not_exists(pk)")]
        if file.state is FileState.PENDING:
            actions.append(self._table.put_action({**file_item(file), **_pending_key(file)}))
        return self._table.transact(actions)

    def pending(self, dataset: str, limit: int) -> list[FileVersion]:
        """Up to `limit` file versions that wait to be claimed, oldest first; consistent."""
        found: list[FileVersion] = []
        for shard in range(_SHARDS):
            found += map(file_from, self._table.query(f"PENDING#{dataset}#{shard}", limit=limit))
        return sorted(found, key=lambda file: (file.registered_at, file.file_id))[:limit]

    def file_state(self, file_id: str) -> FileState | None:
        """The state of a file version as it is now; None if it isn't known; consistent."""
        item = self._table.get(_file_key(file_id))
        return FileState(item["state"]) if item else None

    def files(self) -> Iterator[FileVersion]:
        """Every file version, in no order; reads the whole table, page by page."""
        return map(file_from, self._table.scan("FILE"))

    def settle_file(self, batch: Batch, file: FileVersion, state: FileState, reason: str, at: str) -> None:
        """Note that a claimed file is FAILED or EMPTY; what was noted first stays. Raises Fenced."""
        check_file(FileState.CLAIMED, state)
        settle = self._table.update_action(
            _file_key(file.file_id),
            {"state": state.value, "reason": reason},
            "#batch_id = :batch AND #state = :claimed",
            {"batch": batch.batch_id, "claimed": FileState.CLAIMED.value},
            self._entry(at, state, reason),
        )
        if self._table.transact([self._fence(batch), settle]):
            return
        # Either the fence is down, or an earlier attempt has settled the file.
        if self.confirm(batch).state not in LEASED_STATES:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")

    # -- claiming --------------------------------------------------------------------------------------

    def open_batch(self, batch: Batch) -> None:
        """Note a new batch, with no file in it yet."""
        item = {**batch_item(batch), **_batch_key(batch.batch_id)}
        item["history"] = [self._entry(batch.created_at, batch.state, "claim")]
        self._table.transact(
            [
                self._table.put_action(item, "attribute_not_exists(pk)"),
                self._table.put_action(_open_key(batch)),
            ]
        )

    def claim(self, batch: Batch, files: list[FileVersion]) -> list[FileVersion]:
        """Claim pending files for `batch`; returns those that nobody else had taken. Raises Fenced."""
        claimed: list[FileVersion] = []
        for start in range(0, len(files), _FILES_PER_CLAIM):
            chunk = files[start : start + _FILES_PER_CLAIM]
            if self._claim_all(batch, chunk):
                claimed += chunk
            else:
                claimed += [file for file in chunk if self._claim_all(batch, [file])]
        if files and not claimed:
            self.confirm(batch)
        return [_carried(file, batch) for file in claimed]

    def _claim_all(self, batch: Batch, files: list[FileVersion]) -> bool:
        check_file(FileState.PENDING, FileState.CLAIMED)
        actions = [self._fence(batch)]
        for file in files:
            item = {**file_item(_carried(file, batch)), **_batch_file_key(batch.batch_id, file.file_id)}
            actions += [
                self._table.update_action(
                    _file_key(file.file_id),
                    {"state": FileState.CLAIMED.value, "batch_id": batch.batch_id},
                    "#state = :pending",
                    {"pending": FileState.PENDING.value},
                    self._entry(batch.created_at, FileState.CLAIMED, f"claim for {batch.batch_id}"),
                ),
                self._table.delete_action(_pending_key(file)),
                self._table.put_action(item),
            ]
        return self._table.transact(actions)

    def batch_files(self, batch_id: str) -> list[FileVersion]:
        """The file versions that a batch carries, by key and version; consistent."""
        items = self._table.query(f"BATCH#{batch_id}", prefix="FILE#")
        return sorted(map(file_from, items), key=lambda file: (file.key, file.version_id))

    # -- batches ---------------------------------------------------------------------------------------

    def batches(self) -> Iterator[Batch]:
        """Every batch, in no order; reads the whole table, page by page."""
        return map(batch_from, self._table.scan("BATCH"))

    def batch(self, batch_id: str) -> Batch | None:
        """The batch as it is now; consistent."""
        item = self._table.get(_batch_key(batch_id))
        return batch_from(item) if item else None

    def confirm(self, batch: Batch) -> Batch:
        """The batch as it is now. Raises Fenced if it has been taken over since `batch` was read."""
        current = self.batch(batch.batch_id)
        if current is None or current.epoch != batch.epoch:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")
        return current

    def open_batches(self, dataset: str) -> list[Batch]:
        """Batches of a dataset for which something is still to do, oldest first; consistent."""
        found = [self.batch(item["sk"]) for item in self._table.query(f"OPEN#{dataset}")]
        return sorted((batch for batch in found if batch), key=lambda b: (b.created_at, b.batch_id))

    def take_over(self, batch: Batch, owner: str, lease_until: int, now: int, at: str) -> Batch | None:
        """Take a batch whose lease has ended by `now`, raising its fence. None if another was faster."""
        check_batch(batch.state, batch.state)
        taken = replace(
            batch, owner=owner, epoch=batch.epoch + 1, attempts=batch.attempts + 1, lease_until=lease_until
        )
        return self._change(
            batch, taken, at, f"take-over from {batch.owner}", " AND #lease_until <= :now", now=now
        )

    def lease(self, batch: Batch, lease_until: int) -> None:
        """Prolong or end the lease of the run that holds it. Raises Fenced if it has been lost."""
        # Only the fence counts here: the state may move on while the lease is being prolonged beside it.
        update = self._table.update_action(
            _batch_key(batch.batch_id),
            {"lease_until": lease_until},
            "#epoch = :epoch",
            {"epoch": batch.epoch},
        )
        if not self._table.transact([update]):
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")

    def advance(self, batch: Batch, new: Batch, at: str, cause: str) -> Batch:
        """Change `batch` to `new`, if nobody has changed its state, fence or load since it was read.

        Raises IllegalTransition for a way that doesn't exist, Fenced if somebody was faster.
        """
        check_batch(batch.state, new.state)
        changed = self._change(batch, new, at, cause)
        if changed is None:
            raise Fenced(f"batch {batch.batch_id} is no longer {batch.state} of epoch {batch.epoch}")
        return changed

    def note_statement(self, batch: Batch, statement_id: str, at: str) -> Batch:
        """Remember which statement loads the batch. Raises Fenced if its state has changed since."""
        noted = self._change(batch, replace(batch, statement_id=statement_id), at, f"submit {statement_id}")
        if noted is None:
            raise Fenced(f"batch {batch.batch_id} is no longer {batch.state}")
        return noted

    def _change(
        self, old: Batch, new: Batch, at: str, cause: str, more: str = "", **values: int
    ) -> Batch | None:
        new = replace(new, changed_at=at)
        before, after = batch_item(old), batch_item(new)
        update = self._table.update_action(
            _batch_key(old.batch_id),
            {name: after.get(name) for name in before | after if before.get(name) != after.get(name)},
            "#state = :state AND #epoch = :epoch AND #load_attempts = :loads" + more,
            {"state": old.state.value, "epoch": old.epoch, "loads": old.load_attempts, **values},
            self._entry(at, new.state, cause),
        )
        actions = [update]
        if new.state not in OPEN_STATES:
            actions.append(self._table.delete_action(_open_key(old)))
        return new if self._table.transact(actions) else None

    # -- marks -----------------------------------------------------------------------------------------

    def mark(self, name: str) -> str | None:
        """The value of a mark; consistent."""
        item = self._table.get(_mark_key(name))
        return item["value"] if item else None

    def set_mark(self, name: str, value: str) -> None:
        """Set a mark."""
        self._table.put({**_mark_key(name), "value": value})

    def clear_mark(self, name: str) -> None:
        """Forget a mark."""
        self._table.delete(_mark_key(name))

    # -- plumbing --------------------------------------------------------------------------------------

    def _entry(self, at: str, state: str, cause: str) -> Item:
        return {"at": at, "state": str(state), "cause": cause, "actor": self._actor}

    def _fence(self, batch: Batch) -> Item:
        claimed, publishing = (state.value for state in sorted(LEASED_STATES))
        return self._table.check_action(
            _batch_key(batch.batch_id),
            "#epoch = :epoch AND #state IN (:claimed, :publishing)",
            {"epoch": batch.epoch, "claimed": claimed, "publishing": publishing},
        )


def _carried(file: FileVersion, batch: Batch) -> FileVersion:
    return replace(file, state=FileState.CLAIMED, batch_id=batch.batch_id)


def _file_key(file_id: str) -> Item:
    return {"pk": f"FILE#{file_id}", "sk": "FILE"}


def _pending_key(file: FileVersion) -> Item:
    shard = int(file.file_id[:4], 16) % _SHARDS
    return {"pk": f"PENDING#{file.dataset}#{shard}", "sk": f"{file.registered_at}#{file.file_id}"}


def _batch_key(batch_id: str) -> Item:
    return {"pk": f"BATCH#{batch_id}", "sk": "BATCH"}


def _batch_file_key(batch_id: str, file_id: str) -> Item:
    return {"pk": f"BATCH#{batch_id}", "sk": f"FILE#{file_id}"}


def _open_key(batch: Batch) -> Item:
    return {"pk": f"OPEN#{batch.dataset}", "sk": batch.batch_id}


def _mark_key(name: str) -> Item:
    return {"pk": f"MARK#{name}", "sk": "MARK"}
