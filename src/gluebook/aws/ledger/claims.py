"""The ledger's part about the file versions that each batch carries."""

from __future__ import annotations

from dataclasses import replace

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.base import LedgerBase
from gluebook.aws.ledger.codec import batch_item, file_from, file_item
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import FileState, check_file

# A transaction takes 100 items; a claim needs three for each file, and one for the fence.
_FILES_PER_CLAIM = 33


class ClaimRecords(LedgerBase):
    """Claims: a PENDING file version goes to one batch, and is released when that batch is divided."""

    def open_batch(self, batch: Batch) -> None:
        """Create a batch without files."""
        item = {**batch_item(batch), **at_key.batch_key(batch.batch_id)}
        item["history"] = [self._entry(batch.created_at, batch.state, "claim")]
        self._table.transact(
            [
                self._table.put_action(item, "attribute_not_exists(pk)"),
                self._table.put_action(at_key.open_key(batch)),
            ]
        )

    def claim(self, batch: Batch, files: list[FileVersion]) -> list[FileVersion]:
        """Claim pending files for `batch`; returns the claimed ones, by key and version. Raises Fenced.

        The result is read from the table, because the SDK repeats a claim whose response was lost, and DynamoDB
        refuses the repetition although the claim was made.
        """
        for start in range(0, len(files), _FILES_PER_CLAIM):
            chunk = files[start : start + _FILES_PER_CLAIM]
            if not self._claim_all(batch, chunk):
                for file in chunk:
                    self._claim_one(batch, file)
        claimed = self.batch_files(batch.batch_id)
        if files and not claimed:
            self.confirm(batch)
        return claimed

    def _claim_one(self, batch: Batch, file: FileVersion) -> None:
        if self._claim_all(batch, [file]):
            return
        current = self._table.get(at_key.file_key(file))
        waits = current is not None and current["state"] == FileState.PENDING.value
        if current is None or not waits or current.get("waiting_since") != file.waiting_since:
            # A stale marker: runs would find it and fail to claim the file forever.
            self._table.delete(at_key.pending_key(file))

    def _claim_all(self, batch: Batch, files: list[FileVersion]) -> bool:
        check_file(FileState.PENDING, FileState.CLAIMED)
        actions = [self._fence(batch)]
        for file in files:
            item = {**file_item(_carried(file, batch)), **at_key.batch_file_key(batch.batch_id, file.file_id)}
            actions += [
                self._table.update_action(
                    at_key.file_key(file),
                    {"state": FileState.CLAIMED.value, "batch_id": batch.batch_id},
                    # The same wait that was read: since then the file may have been claimed and released.
                    "#state = :pending AND #waiting_since = :since",
                    {"pending": FileState.PENDING.value, "since": file.waiting_since},
                    self._entry(batch.created_at, FileState.CLAIMED, f"claim for {batch.batch_id}"),
                ),
                self._table.delete_action(at_key.pending_key(file)),
                self._table.put_action(item),
            ]
        return self._table.transact(actions)

    def batch_files(self, batch_id: str) -> list[FileVersion]:
        """The file versions of a batch as they were claimed, by key and version; consistent."""
        items = self._table.query(at_key.batch_partition(batch_id), prefix=at_key.BATCH_FILE)
        return sorted(map(file_from, items), key=lambda file: (file.key, file.version_id))

    def release(self, batch: Batch, files: list[FileVersion], group: str, at: str) -> None:
        """Release files of a DIVIDING batch to PENDING, as one group. Raises Fenced.

        `files`: in their present state. Files that the batch no longer carries are skipped, so this is idempotent.
        """
        for file in files:
            check_file(file.state, FileState.PENDING)
            waiting = replace(
                file, state=FileState.PENDING, batch_id=None, waiting_since=at, group=group, reason=None
            )
            actions = [
                self._fence(batch),
                self._table.update_action(
                    at_key.file_key(file),
                    {
                        "state": FileState.PENDING.value,
                        "batch_id": None,
                        "waiting_since": at,
                        "group": group,
                        "reason": None,
                    },
                    "#batch_id = :batch AND #state = :known",
                    {"batch": batch.batch_id, "known": file.state.value},
                    self._entry(at, FileState.PENDING, f"division of {batch.batch_id}"),
                ),
                self._table.put_action({**file_item(waiting), **at_key.pending_key(waiting)}),
            ]
            if not self._table.transact(actions):
                self.confirm(batch)


def _carried(file: FileVersion, batch: Batch) -> FileVersion:
    return replace(file, state=FileState.CLAIMED, batch_id=batch.batch_id)
