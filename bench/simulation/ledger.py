"""The product's own ledger over DynamoDB in memory: requests are metered, held back at limits, and take time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from bench.simulation.clock import SimulatedClock
from bench.simulation.meter import Meter
from gluebook.aws.ledger import Ledger
from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.codec import batch_from, file_from
from gluebook.core.model import Batch, FileVersion, NotedVerdict
from gluebook.core.states import BatchState, FileState
from localaws.dynamodb.limits import MOST_PAGE_BYTES
from localaws.dynamodb.memory import Dynamo, Item

_WRITE_UNIT, _READ_UNIT = 1024, 4096
# DynamoDB guide, "Read and write operations": a transaction's write takes twice the units.
_TRANSACTION = 2
_BATCH_READ = 100


class MeteredDynamo(Dynamo):
    """Counts units and requests. An item of a file stands for `files_of_each` items, in as many transactions."""

    def __init__(
        self, clock: SimulatedClock, meter: Meter, request_seconds: float, files_of_each: int
    ) -> None:
        super().__init__(lambda _what, _writes, call: call())
        self._clock, self._meter = clock, meter
        self._request_seconds = request_seconds
        self._files_of_each = files_of_each
        self.units: Counter[str] = Counter()
        self.requests = 0

    def get_item(self, TableName: str, Key: Item, ConsistentRead: bool) -> Item:  # noqa: N803
        answer = super().get_item(TableName, Key, ConsistentRead)
        of_each = self._of_each(Key)
        self._read(Key["pk"], self._size(Key) if answer else 1, of_each)
        return answer

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Item:  # noqa: N803
        answer = super().batch_get_item(RequestItems)
        for items in answer["Responses"].values():
            for item in items:
                self._use("reads", item["pk"], math.ceil(self._size(item) / _READ_UNIT) * self._of_each(item))
        keys = [key for asked in RequestItems.values() for key in asked["Keys"]]
        self._answered(math.ceil(sum(map(self._of_each, keys)) / _BATCH_READ))
        return answer

    def put_item(self, TableName: str, Item: Item) -> None:  # noqa: N803
        super().put_item(TableName, Item)
        self._use("writes", Item["pk"], math.ceil(self._size(Item) / _WRITE_UNIT))
        self._answered(1)

    def delete_item(self, TableName: str, Key: Item) -> None:  # noqa: N803
        super().delete_item(TableName, Key)
        self._use("writes", Key["pk"], 1)
        self._answered(1)

    def query(self, TableName: str, **request: Any) -> Item:  # noqa: N803
        answer = super().query(TableName, **request)
        pk = request["ExpressionAttributeValues"][":pk"]
        size = sum(self._size(item) * self._of_each(item) for item in answer.get("Items", []))
        self._use("reads", pk, max(1, math.ceil(size / _READ_UNIT)))
        self._answered(max(1, math.ceil(size / MOST_PAGE_BYTES)))
        return answer

    def transact_write_items(self, TransactItems: list[Item]) -> None:  # noqa: N803
        try:
            super().transact_write_items(TransactItems)
        finally:
            # A refused transaction takes its units, too. What stands for many files is as many transactions, each
            # with the check of the batch.
            keys = [part.get("Item") or part["Key"] for action in TransactItems for part in action.values()]
            requests = max(map(self._of_each, keys))
            for key in keys:
                units = _TRANSACTION * math.ceil(self._size(key, 1) / _WRITE_UNIT)
                self._use("writes", key["pk"], units * requests)
            self._answered(requests)

    def _size(self, key: Item, otherwise: int = 0) -> int:
        return self._sizes.get((key["pk"], key["sk"]), otherwise)

    def batches(self, ids: list[str]) -> list[Item]:
        """As so many calls of `get_item`, for items that nobody changes in place."""
        found = [self._partitions[at_key.batch_partition(each)][at_key.BATCH] for each in ids]
        units = sum(math.ceil(self._size(item) / _READ_UNIT) for item in found)
        self._use("reads", "FILE#", units)  # each of another partition
        self._answered(len(found))
        return found

    def _of_each(self, key: Item) -> int:
        pk, sk = key["pk"], key["sk"]
        of_file = pk.startswith(("FILE#", "PENDING#", "CORRECTED#")) or sk.startswith(at_key.BATCH_FILE)
        return self._files_of_each if of_file else 1

    def _read(self, pk: str, size: int, times: int) -> None:
        self._use("reads", pk, max(1, math.ceil(size / _READ_UNIT)) * times)
        self._answered(times)

    def _use(self, kind: str, pk: str, units: int) -> None:
        self.units[kind] += units
        clock, meter = self._clock, self._meter
        waits = meter.take(f"ledger {kind}", clock.time, units)
        # The items of a raw object are a partition key of their own: DynamoDB spreads them.
        if not pk.startswith("FILE#"):
            # A batch's id is another one in every run of the simulation.
            shown = "BATCH#<batch>" if pk.startswith("BATCH#") else pk
            waits = max(waits, meter.take(f"partition {kind}", clock.time, units, pk, shown))
        if waits:
            clock.wait(waits)

    def _answered(self, requests: int) -> None:
        self.requests += requests
        self._clock.spend(requests * self._request_seconds)


def remembering() -> Callable[[Item], FileVersion]:
    """The product's `file_from`, which parses the marker of a pending file once: a marker never changes."""
    known: dict[str, FileVersion] = {}

    def parse(item: Item) -> FileVersion:
        if not item["pk"].startswith("PENDING#"):
            return file_from(item)
        if item["sk"] not in known:
            known[item["sk"]] = file_from(item)
        return known[item["sk"]]

    return parse


class SimulatedLedger(Ledger):
    """The real ledger. `failed` is told of the key of a FAILED file, `loaded` of the id of a LOADED batch.

    parsed   batches by id, as they were stored and as they were parsed; shared by all actors
    """

    def __init__(
        self,
        actor: str,
        dynamo: MeteredDynamo,
        files_of_each: int,
        parsed: dict[str, tuple[Item, Batch]],
        failed: Callable[[str], None],
        loaded: Callable[[str], None],
    ) -> None:
        super().__init__("ledger", actor, cast(Any, dynamo))
        self._dynamo, self._parsed = dynamo, parsed
        self._files_of_each, self._failed, self._loaded = files_of_each, failed, loaded

    def pending(self, dataset: str, limit: int) -> list[FileVersion]:
        """`limit` is a number of files."""
        return super().pending(dataset, max(1, limit // self._files_of_each))

    def open_batches(self, dataset: str) -> list[Batch]:
        """As the real one, which reads them one by one; a batch that is stored as before is not parsed again."""
        ids = [item["sk"] for item in self._table.query(at_key.open_partition(dataset))]
        found = []
        for item in self._dynamo.batches(ids):
            stored, parsed = self._parsed.get(item["batch_id"], (None, None))
            if stored is not item or parsed is None:
                parsed = batch_from(item)
                self._parsed[item["batch_id"]] = (item, parsed)
            found.append(parsed)
        return sorted(found, key=lambda batch: (batch.created_at, batch.batch_id))

    def settle_file(
        self, batch: Batch, file: FileVersion, state: FileState, reason: str | None, at: str
    ) -> None:
        """As the real one."""
        super().settle_file(batch, file, state, reason, at)
        if state is FileState.FAILED:
            self._failed(file.key)

    def advance(
        self, batch: Batch, new: Batch, at: str, cause: str, verdict: NotedVerdict | None = None
    ) -> Batch:
        """As the real one."""
        changed = super().advance(batch, new, at, cause, verdict)
        if changed.state is BatchState.LOADED:
            self._loaded(changed.batch_id)
        return changed
