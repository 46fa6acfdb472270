"""The ledger: a DynamoDB table that knows every file version and every batch, and in which state it is.

One table, string keys `pk` and `sk`::

    FILE#<bucket>/<key>         VERSION#<version>  a file version
    FILE#<bucket>/<key>         TALLY              how many versions of it there are, of append datasets
    PENDING#<dataset>#<shard>   <time>#<file id>   marker: waits to be claimed
    BATCH#<batch id>            BATCH              a batch
    BATCH#<batch id>            FILE#<file id>     a file version that the batch has claimed
    OPEN#<dataset>              <batch id>         marker: somebody still has to do something for this batch
    CORRECTED#<dataset>         <bucket>/<key>     marker: there are several versions of this raw object
    TROUBLE#<dataset>           <time>#<id>        marker: a file or batch failed then
    VERDICT#<dataset>           <batch id>         what the gate said, until the warehouse has it
    MARK#<name>                 MARK               a small fact, such as which DDL the warehouse has

A sort key that would be longer than DynamoDB's 1,024 bytes has a hash in the place of the object's key or the
version's id. Files and batches keep a `history` of their first and last changes.

Markers live in the base table, where they can be read consistently: global indexes lag. Each change is a
conditional write, or a transaction of such, so that of two who try the same only one succeeds.
"""

from __future__ import annotations

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.batches import BatchRecords
from gluebook.aws.ledger.claims import ClaimRecords
from gluebook.aws.ledger.files import FileRecords
from gluebook.aws.ledger.verdicts import VerdictRecords
from gluebook.core.model import Correction


class Ledger(FileRecords, ClaimRecords, BatchRecords, VerdictRecords):
    """The ledger in table `table_name`. `actor` is noted with every change."""

    def note_correction(self, dataset: str, bucket: str, key: str, token: str) -> None:
        """Have somebody see to a raw object with several versions again, as `register` does for a new one."""
        self._table.put(at_key.correction_item(dataset, bucket, key, token))

    def corrections(self, dataset: str) -> list[Correction]:
        """The raw objects of a dataset that somebody still has to see to; consistent."""
        items = self._table.query(at_key.corrections_partition(dataset))
        return [Correction(item["bucket"], item["key"], item["token"]) for item in items]

    def drop_correction(self, dataset: str, seen: Correction) -> bool:
        """Forget a correction, unless one more version has come since it was read."""
        return self._table.delete_if(
            at_key.correction_key(dataset, seen.bucket, seen.key), "token", seen.token
        )

    def troubles(self, dataset: str, since: str) -> int:
        """How many files and batches of a dataset ("": outside the convention) have failed since then."""
        return self._table.count(at_key.troubles_partition(dataset), since)

    def mark(self, name: str) -> str | None:
        """The value of a mark; consistent."""
        item = self._table.get(at_key.mark_key(name))
        return item["value"] if item else None

    def set_mark(self, name: str, value: str) -> None:
        """Set a mark."""
        self._table.put({**at_key.mark_key(name), "value": value})

    def clear_mark(self, name: str, value: str | None = None) -> None:
        """Remove a mark; with `value` only if it still has that value."""
        if value is None:
            self._table.delete(at_key.mark_key(name))
        else:
            self._table.delete_if(at_key.mark_key(name), "value", value)
