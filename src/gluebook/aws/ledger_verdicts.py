"""The ledger's part about verdicts of the gate that the warehouse hasn't got yet: an outbox."""

from __future__ import annotations

from dataclasses import replace

from gluebook.aws import ledger_keys as at_key
from gluebook.aws.ledger_base import LedgerBase
from gluebook.aws.table import Item
from gluebook.core.model import Batch, NotedVerdict
from gluebook.errors import Fenced


class VerdictRecords(LedgerBase):
    """Verdicts: noted by the job, recorded in the warehouse by whoever comes next, then forgotten here."""

    def note_verdict(self, batch: Batch, noted: NotedVerdict) -> None:
        """Have a batch's verdict recorded, in the place of one that still waits. Raises Fenced."""
        if not self._table.transact([self._fence(batch), self._table.put_action(_item(noted))]):
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")

    def verdicts(self, dataset: str) -> list[NotedVerdict]:
        """The verdicts of a dataset that aren't recorded yet; consistent."""
        return [_verdict(item) for item in self._table.query(at_key.verdicts_partition(dataset))]

    def verdict_submitted(self, noted: NotedVerdict, statement_id: str) -> bool:
        """Remember which statement records it. False if another verdict or statement has taken its place."""
        submitted = replace(noted, statement_id=statement_id)
        update = self._table.update_action(
            at_key.verdict_key(noted.dataset, noted.batch_id),
            {
                "statement_id": statement_id,
                "attempts": noted.attempts,
                "retry_at": noted.retry_at,
                "token": submitted.token,
            },
            "#token = :seen",
            {"seen": replace(noted, attempts=noted.attempts - 1).token},
        )
        return self._table.transact([update])

    def drop_verdict(self, noted: NotedVerdict) -> bool:
        """Forget a verdict that is recorded, unless another one has taken its place."""
        return self._table.delete_if(at_key.verdict_key(noted.dataset, noted.batch_id), "token", noted.token)


def _item(noted: NotedVerdict) -> Item:
    values = {name: value for name, value in vars(noted).items() if value is not None}
    return {**values, **at_key.verdict_key(noted.dataset, noted.batch_id), "token": noted.token}


def _verdict(item: Item) -> NotedVerdict:
    return NotedVerdict(
        batch_id=item["batch_id"],
        dataset=item["dataset"],
        generation=int(item["generation"]),
        epoch=int(item["epoch"]),
        rows=int(item["rows"]),
        passed=bool(item["passed"]),
        failed=int(item["failed"]),
        attempts=int(item["attempts"]),
        statement_id=item.get("statement_id"),
        retry_at=item.get("retry_at", ""),
    )
