"""The ledger's part about verdicts that are not recorded in the warehouse yet: an outbox."""

from __future__ import annotations

from dataclasses import replace

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.base import LedgerBase
from gluebook.aws.ledger.codec import verdict_from
from gluebook.core.model import NotedVerdict


class VerdictRecords(LedgerBase):
    """Verdicts: stored with the change that they cause, and deleted once the warehouse has them."""

    def verdicts(self, dataset: str) -> list[NotedVerdict]:
        """The unrecorded verdicts of a dataset; consistent."""
        return [verdict_from(item) for item in self._table.query(at_key.verdicts_partition(dataset))]

    def verdict_submitted(self, noted: NotedVerdict, statement_id: str) -> bool:
        """Store the statement that records it. False if another verdict or statement has replaced it."""
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
        """Delete a recorded verdict, unless another one has replaced it."""
        return self._table.delete_if(at_key.verdict_key(noted.dataset, noted.batch_id), "token", noted.token)
