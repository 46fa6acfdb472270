"""The ledger's part about batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.base import LedgerBase
from gluebook.aws.ledger.codec import BATCH_ATTRIBUTES, batch_from, batch_item, verdict_item
from gluebook.aws.ledger.table import Item
from gluebook.contracts.reasons import ReasonText
from gluebook.core.history import clipped_reason
from gluebook.core.model import Batch, FileVersion, NotedVerdict
from gluebook.core.states import (
    ATTENTION_STATES,
    OPEN_STATES,
    REPEATABLE_STATES,
    BatchState,
    FileState,
    check_batch,
    check_file,
)
from gluebook.errors import Fenced


class BatchRecords(LedgerBase):
    """Batches: taken over, leased, advanced, reopened; each change is conditional on the state that was read."""

    def batches(self) -> Iterator[Batch]:
        """Every batch, in no order; reads the whole table, page by page."""
        return map(batch_from, self._table.scan(at_key.BATCH, BATCH_ATTRIBUTES))

    def open_batches(self, dataset: str) -> list[Batch]:
        """The open batches of a dataset, oldest first; consistent."""
        found = [self.batch(item["sk"]) for item in self._table.query(at_key.open_partition(dataset))]
        return sorted((batch for batch in found if batch), key=lambda b: (b.created_at, b.batch_id))

    def take_over(self, batch: Batch, owner: str, lease_until: int, now: int, at: str) -> Batch | None:
        """Take over a batch whose lease has expired by `now`, raising its epoch. None if another run was faster."""
        check_batch(batch.state, batch.state)
        return self._change(
            batch,
            batch.taken_over(owner, lease_until),
            at,
            f"take-over from {batch.owner}",
            " AND #lease_until <= :now",
            now=now,
        )

    def lease(self, batch: Batch, lease_until: int) -> None:
        """Extend or end the lease of the run that holds it. Raises Fenced if it has been lost."""
        # Conditional on the epoch only: the state may change while the lease is extended.
        self._lease(batch, {"lease_until": lease_until}, "#epoch = :epoch", {"epoch": batch.epoch})

    def end_lease(self, batch: Batch, why: ReasonText) -> None:
        """End the lease of a run that has ended; `why` becomes the reason, unless a DIVIDING batch has its own.

        Raises Fenced if the lease has been lost, or the batch's state has changed since it was read.
        """
        reason = {} if batch.state is BatchState.DIVIDING else {"reason": why}
        self._lease(
            batch,
            {"lease_until": 0, **reason},
            "#epoch = :epoch AND #state = :state",
            {"epoch": batch.epoch, "state": batch.state.value},
        )

    def _lease(self, batch: Batch, changes: Item, condition: str, values: Item) -> None:
        update = self._table.update_action(at_key.batch_key(batch.batch_id), changes, condition, values)
        if not self._table.transact([update]):
            raise Fenced(f"batch {batch.batch_id} was taken over from {batch.owner}")

    def advance(
        self, batch: Batch, new: Batch, at: str, cause: str, verdict: NotedVerdict | None = None
    ) -> Batch:
        """Change `batch` to `new` unless its state, epoch or load attempt has changed since it was read.

        The same transaction stores `verdict`, which replaces an unrecorded one of the batch. Raises IllegalTransition
        for an undefined transition, Fenced if another process was faster.
        """
        check_batch(batch.state, new.state)
        noted = []
        if verdict is not None:
            key = at_key.verdict_key(verdict.dataset, verdict.batch_id)
            noted.append(self._table.put_action({**verdict_item(verdict), **key}))
        changed = self._change(batch, new, at, cause, beside=noted)
        if changed is None:
            raise Fenced(f"batch {batch.batch_id} is no longer {batch.state} of epoch {batch.epoch}")
        return changed

    def reopen(
        self, batch: Batch, at: str, cause: str, superseded: Iterable[FileVersion] = ()
    ) -> Batch | None:
        """Reopen a batch in the next generation; None if another process was faster.

        The same transaction marks `superseded`, at most 90 of its files, as SUPERSEDED.
        """
        check_batch(batch.state, BatchState.CLAIMED)
        actions = []
        for file in superseded:
            check_file(file.state, FileState.SUPERSEDED)
            actions.append(
                self._table.update_action(
                    at_key.file_key(file),
                    {"state": FileState.SUPERSEDED.value, "reason": file.superseded().reason},
                    "#state = :state AND #batch_id = :batch",
                    {"state": file.state.value, "batch": batch.batch_id},
                    self._entry(at, FileState.SUPERSEDED, cause),
                )
            )
        return self._change(batch, batch.reopened(), at, cause, beside=actions)

    def note_statement(self, batch: Batch, statement_id: str, at: str) -> Batch:
        """Record the statement that loads the batch. Raises Fenced if the batch has changed since it was read."""
        noted = self._change(batch, replace(batch, statement_id=statement_id), at, f"submit {statement_id}")
        if noted is None:
            raise Fenced(f"batch {batch.batch_id} is no longer {batch.state}")
        return noted

    def _change(
        self,
        old: Batch,
        new: Batch,
        at: str,
        cause: str,
        more: str = "",
        beside: Iterable[Item] = (),
        **values: int,
    ) -> Batch | None:
        new = replace(new, changed_at=at, reason=clipped_reason(new.reason))
        before, after = batch_item(old), batch_item(new)
        update = self._table.update_action(
            at_key.batch_key(old.batch_id),
            {name: after.get(name) for name in before | after if before.get(name) != after.get(name)},
            "#state = :state AND #epoch = :epoch AND #load_attempts = :loads" + more,
            {"state": old.state.value, "epoch": old.epoch, "loads": old.load_attempts, **values},
            self._entry(at, new.state, cause),
        )
        actions = [update, *beside]
        if new.state not in OPEN_STATES:
            actions.append(self._table.delete_action(at_key.open_key(old)))
        elif old.state in REPEATABLE_STATES:
            actions.append(self._table.put_action(at_key.open_key(new)))
        if new.state in ATTENTION_STATES:
            actions.append(self._failure_marker(new.dataset, at, new.batch_id))
        return new if self._table.transact(actions) else None
