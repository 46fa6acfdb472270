"""The ledger: a DynamoDB table with every file version and every batch, and their states.

One table, string keys `pk` and `sk`::

    FILE#<bucket>/<key>         VERSION#<version>  a file version
    FILE#<bucket>/<key>         TALLY              number of its versions, for append datasets
    PENDING#<dataset>#<shard>   <time>#<file id>   marker: waits to be claimed
    BATCH#<batch id>            BATCH              a batch
    BATCH#<batch id>            FILE#<file id>     a file version that the batch has claimed
    OPEN#<dataset>              <batch id>         marker: the batch is open
    CORRECTED#<dataset>         <bucket>/<key>     marker: this raw object has several versions
    TROUBLE#<dataset>           <time>#<id>        marker: a file or batch failed then
    VERDICT#<dataset>           <batch id>         the gate's verdict, until the warehouse has it
    MARK#<name>                 MARK               a named value, such as the fingerprint of the warehouse's DDL

If a sort key would exceed DynamoDB's 1,024 bytes, a hash replaces the object's key or the version's id in it. Files
and batches keep a `history` of their first and last changes.

Markers are in the base table, which can be read consistently; global indexes lag. Each change is a conditional
write, or a transaction of them, so only one of two concurrent changes succeeds.
"""

from __future__ import annotations

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.batches import BatchRecords
from gluebook.aws.ledger.claims import ClaimRecords
from gluebook.aws.ledger.files import FileRecords
from gluebook.aws.ledger.verdicts import VerdictRecords
from gluebook.core.model import Correction


class Ledger(FileRecords, ClaimRecords, BatchRecords, VerdictRecords):
    """The ledger in table `table_name`. `actor` is recorded with every change."""

    def note_correction(self, dataset: str, bucket: str, key: str, token: str) -> None:
        """Mark a raw object with several versions as corrected, as `register` does for a new version."""
        self._table.put(at_key.correction_item(dataset, bucket, key, token))

    def corrections(self, dataset: str) -> list[Correction]:
        """The corrected raw objects of a dataset that are not settled; consistent."""
        items = self._table.query(at_key.corrections_partition(dataset))
        return [Correction(item["bucket"], item["key"], item["token"]) for item in items]

    def drop_correction(self, dataset: str, seen: Correction) -> bool:
        """Delete a correction, unless another version was registered since it was read."""
        return self._table.delete_if(
            at_key.correction_key(dataset, seen.bucket, seen.key), "token", seen.token
        )

    def count_failures(self, dataset: str, since: str) -> int:
        """Number of files and batches of a dataset ("": outside the convention) that failed since then."""
        return self._table.count(at_key.failures_partition(dataset), since)

    def mark(self, name: str) -> str | None:
        """The value of a mark; consistent."""
        item = self._table.get(at_key.mark_key(name))
        return item["value"] if item else None

    def set_mark(self, name: str, value: str) -> None:
        """Set a mark."""
        self._table.put({**at_key.mark_key(name), "value": value})

    def clear_mark(self, name: str, value: str | None = None) -> None:
        """Delete a mark; with `value` only if it still has that value."""
        if value is None:
            self._table.delete(at_key.mark_key(name))
        else:
            self._table.delete_if(at_key.mark_key(name), "value", value)
