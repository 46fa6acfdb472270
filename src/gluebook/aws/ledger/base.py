"""The shared base of the ledger's parts: the table, the actor, the fence."""

from __future__ import annotations

from boto3.session import Session

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.codec import batch_from
from gluebook.aws.ledger.table import Item, Table
from gluebook.core.history import change_entry
from gluebook.core.model import Batch
from gluebook.core.states import LEASED_STATES
from gluebook.errors import Fenced


class LedgerBase:
    """The ledger in table `table_name`. `actor` is recorded with every change."""

    def __init__(self, table_name: str, actor: str, session: Session | None = None) -> None:
        self._table = Table(table_name, session)
        self._actor = actor

    def batch(self, batch_id: str) -> Batch | None:
        """The batch in its present state; consistent."""
        item = self._table.get(at_key.batch_key(batch_id))
        return batch_from(item) if item else None

    def confirm(self, batch: Batch) -> Batch:
        """The batch in its present state. Raises Fenced if it has been taken over since `batch` was read."""
        current = self.batch(batch.batch_id)
        if current is None or current.epoch != batch.epoch:
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")
        return current

    def _entry(self, at: str, state: str, cause: str) -> Item:
        return change_entry(at, state, cause, self._actor)

    def _fence(self, batch: Batch) -> Item:
        leased = {state.value.lower(): state.value for state in LEASED_STATES}
        return self._table.check_action(
            at_key.batch_key(batch.batch_id),
            f"#epoch = :epoch AND #state IN ({', '.join(f':{name}' for name in sorted(leased))})",
            {"epoch": batch.epoch, **leased},
        )

    def _failure_marker(self, dataset: str, at: str, what: str) -> Item:
        return self._table.put_action(at_key.failure_key(dataset, at, what))
