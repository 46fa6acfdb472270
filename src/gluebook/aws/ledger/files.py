"""The ledger's part about file versions."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from gluebook.aws.ledger import keys as at_key
from gluebook.aws.ledger.base import LedgerBase
from gluebook.aws.ledger.codec import FILE_ATTRIBUTES, file_from, file_item
from gluebook.aws.ledger.table import Item
from gluebook.core.history import clipped_reason
from gluebook.core.model import Batch, FileVersion
from gluebook.core.states import BatchState, FileState, check_file
from gluebook.errors import Fenced

# A transaction takes 100 items; a registration needs up to three for each file.
_FILES_PER_REGISTRATION = 33


class FileRecords(LedgerBase):
    """File versions: registered once, read, settled."""

    def register(self, file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        """Register a file version once. True if it is new. A PENDING one can be claimed from then on.

        If files of its dataset are `correctable`, the second and later versions of a file also mark it as corrected,
        in the same transaction. A tally of the versions decides, so two concurrent registrations see each other.
        """
        actions = self._registration(file, cause)
        if not correctable:
            return self._table.transact(actions)
        # It is nearly always the first version of its file, so that is tried before the tally is read.
        tally = self._first_in_tally(file)
        while not self._table.transact([*actions, *tally]):
            if self._table.get(at_key.file_key(file)) is not None:
                return False
            counted = self._table.get(at_key.tally_key(file.bucket, file.key))
            tally = self._next_in_tally(file, int(counted["versions"])) if counted else tally
        return True

    def register_all(
        self, files: Sequence[FileVersion], cause: str, correctable: Container[str]
    ) -> list[bool]:
        """`register` each file version, many in a request; whether each is new.

        `correctable`: the datasets whose files are.
        """
        new: list[bool] = []
        for start in range(0, len(files), _FILES_PER_REGISTRATION):
            some = files[start : start + _FILES_PER_REGISTRATION]
            new += self._register_at_once(some, cause, correctable) or [
                self.register(file, cause, correctable=file.dataset in correctable) for file in some
            ]
        return new

    def _register_at_once(
        self, files: Sequence[FileVersion], cause: str, correctable: Container[str]
    ) -> list[bool]:
        """True for each, if each is new and the first version of its object; else nothing is registered."""
        if len(files) == 1 or len({(file.bucket, file.key) for file in files}) < len(files):
            return []
        actions = []
        for file in files:
            actions += self._registration(file, cause)
            actions += self._first_in_tally(file) if file.dataset in correctable else []
        return [True] * len(files) if self._table.transact(actions) else []

    def _registration(self, file: FileVersion, cause: str) -> list[Item]:
        item = {**file_item(file), **at_key.file_key(file)}
        item["history"] = [self._entry(file.registered_at, file.state, cause)]
        actions = [self._table.put_action(item, "attribute_not_exists(pk)")]
        if file.state is FileState.PENDING:
            actions.append(self._table.put_action({**file_item(file), **at_key.pending_key(file)}))
        if file.state is FileState.FAILED:
            actions.append(self._failure_marker(file.dataset, file.registered_at, file.file_id))
        return actions

    def _first_in_tally(self, file: FileVersion) -> list[Item]:
        key = at_key.tally_key(file.bucket, file.key)
        return [self._table.put_action({**key, "versions": 1}, "attribute_not_exists(pk)")]

    def _next_in_tally(self, file: FileVersion, counted: int) -> list[Item]:
        """Increment the tally, unless it has changed since it was read, and mark the file as corrected."""
        return [
            self._table.update_action(
                at_key.tally_key(file.bucket, file.key),
                {"versions": counted + 1},
                "#versions = :counted",
                {"counted": counted},
            ),
            self._table.put_action(at_key.correction_item(file.dataset, file.bucket, file.key, file.file_id)),
        ]

    def readmit(self, file: FileVersion, cause: str) -> bool:
        """Make a FAILED file version PENDING; False if it has changed since it was read.

        `file`: in its new state, but with the `batch_id` that was read: None if no batch has carried it, or that of a
        batch that was DIVIDED without it. Any other batch can still be reopened with it.
        """
        check_file(FileState.FAILED, FileState.PENDING)
        waiting = replace(file, state=FileState.PENDING, batch_id=None, reason=None)
        of_batch, known = "attribute_not_exists(#batch_id)", {"failed": FileState.FAILED.value}
        if file.batch_id is not None:
            of_batch, known = "#batch_id = :batch", {**known, "batch": file.batch_id}
        update = self._table.update_action(
            at_key.file_key(file),
            {**dict.fromkeys(("batch_id", "group", "reason")), **file_item(waiting)},
            f"#state = :failed AND {of_batch}",
            known,
            self._entry(file.waiting_since, FileState.PENDING, cause),
        )
        marker = self._table.put_action({**file_item(waiting), **at_key.pending_key(waiting)})
        actions = [update, marker]
        if file.batch_id is not None:
            divided = {"divided": BatchState.DIVIDED.value}
            key = at_key.batch_key(file.batch_id)
            actions.append(self._table.check_action(key, "#state = :divided", divided))
        return self._table.transact(actions)

    def pending(self, dataset: str, limit: int) -> list[FileVersion]:
        """Up to `limit` PENDING file versions, those that have waited longest first; consistent."""
        found: list[FileVersion] = []
        for shard in range(at_key.SHARDS):
            found += map(file_from, self._table.query(at_key.pending_partition(dataset, shard), limit=limit))
        return sorted(found, key=lambda file: (file.waits_since, file.file_id))[:limit]

    def files_now(self, files: Iterable[FileVersion]) -> list[FileVersion]:
        """The same file versions in their present state, in no order; consistent."""
        return [file_from(item) for item in self._table.get_all([at_key.file_key(file) for file in files])]

    def known(self, bucket: str, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FileVersion]:
        """The registered ones of these (key, version id); consistent."""
        keys = [at_key.version_key(bucket, *version) for version in versions]
        found = map(file_from, self._table.get_all(keys))
        return {(file.key, file.version_id): file for file in found}

    def versions(self, bucket: str, key: str) -> list[FileVersion]:
        """All file versions of a raw object, oldest first; consistent."""
        items = self._table.query(at_key.versions_partition(bucket, key), prefix=at_key.VERSION)
        return sorted(map(file_from, items), key=lambda file: file.order)

    def files(self) -> Iterator[FileVersion]:
        """Every file version, in no order; reads the whole table, page by page."""
        return map(file_from, self._table.scan(at_key.VERSION, FILE_ATTRIBUTES))

    def settle_file(
        self, batch: Batch, file: FileVersion, state: FileState, reason: str | None, at: str
    ) -> None:
        """Record a run's check of a file of its batch: FAILED, EMPTY, or CLAIMED if it is usable. Raises Fenced.

        `file`: in its present state. Nothing is written if state and reason are unchanged.
        """
        reason = clipped_reason(reason)
        if (file.state, clipped_reason(file.reason)) == (state, reason):
            return
        if file.state is not state:
            check_file(file.state, state)
        settle = self._table.update_action(
            at_key.file_key(file),
            {"state": state.value, "reason": reason},
            "#batch_id = :batch AND #state = :known",
            {"batch": batch.batch_id, "known": file.state.value},
            self._entry(at, state, reason or "readable"),
        )
        actions = [self._fence(batch), settle]
        if state is FileState.FAILED:
            actions.append(self._failure_marker(file.dataset, at, file.file_id))
        if not self._table.transact(actions):
            raise Fenced(f"{file.key} is no longer {file.state} in batch {batch.batch_id} of {batch.owner}")
