"""Curate: from a claimed batch to a published one. The transformation of rows is the caller's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from gluebook.contracts import Contract
from gluebook.contracts.reasons import Reason
from gluebook.core.keys import ROW_REFERENCES_PREFIX
from gluebook.core.model import Batch, Counts, FileResult, FileVersion, NotedVerdict
from gluebook.core.plan import PublishedFile, PublishPlan, plan_files, reconcile_counts
from gluebook.core.states import LEASED_STATES, BatchState, FileState
from gluebook.core.timestamps import utc_timestamp
from gluebook.errors import Fenced
from gluebook.job.claim import Claimant, acquire, fail_or_divide
from gluebook.job.context import JobContext
from gluebook.job.counting import Checked, Written, file_results, settlement
from gluebook.job.divide import divide
from gluebook.job.publish import begin_publishing, finish_publishing, has_plan, remove_work_files
from gluebook.quality.report import GateReport

_log = logging.getLogger(__name__)


def next_batch(context: JobContext, who: Claimant) -> Batch | None:
    """The batch whose rows this run must curate. Finishes other batches whose outcome is already known."""
    _remove_leftovers(context, who.dataset)
    while (batch := acquire(context, who)) is not None:
        if batch.state is BatchState.PUBLISHING and not has_plan(context, batch):
            fail_or_divide(
                context, batch, Reason.PLAN_IS_GONE.because(str(batch.plan)), utc_timestamp(context.clock())
            )
        elif batch.state is BatchState.PUBLISHING:
            remove_work_files(context, finish_publishing(context, batch))
        elif batch.state is BatchState.DIVIDING:
            remove_work_files(context, divide(context, batch))
        else:
            return batch
    return None


def _remove_leftovers(context: JobContext, dataset: str) -> None:
    """Delete the work files of runs that died after their last change of the ledger, or lost their batch."""
    for place in ("inbox/", "staging/"):
        for folder in context.objects.folders(context.lake.bucket, f"{place}{dataset}-"):
            batch = context.ledger.batch(folder.removeprefix(place))
            if batch is not None and batch.state not in LEASED_STATES:
                remove_work_files(context, batch)


class Curation:
    """One batch that one run works on. Every change is fenced: Fenced means that another run has the batch."""

    def __init__(self, context: JobContext, contract: Contract, batch: Batch) -> None:
        self.batch = batch
        self._context = context
        self._contract = contract
        claimed = context.ledger.batch_files(batch.batch_id)
        now = sorted(context.ledger.files_now(claimed), key=lambda file: (file.key, file.version_id))
        # Superseded versions take no part.
        self._superseded = [file for file in now if file.state is FileState.SUPERSEDED]
        self.files = [file for file in now if file.state is not FileState.SUPERSEDED]
        self._checked: Mapping[int, Checked] = {}

    def check(self, checked: Mapping[int, Checked]) -> None:
        """Record the results of the check, by index in `files`, and mark unusable files in the ledger."""
        self._checked = checked
        at = utc_timestamp(self._context.clock())
        for index, file in enumerate(self.files):
            state, reason = settlement(file, checked[index]) or (FileState.CLAIMED, None)
            if reason is not None:
                _log.warning("%s is %s: %s", file.key, state, reason)
            self._context.ledger.settle_file(self.batch, file, state, reason, at)

    @property
    def records(self) -> int:
        """Number of records in all files."""
        return sum(checked.records for checked in self._checked.values())

    def readable(self, source: str) -> list[tuple[int, FileVersion, Checked]]:
        """The readable files of `source` with records, with their index."""
        return [
            (index, file, self._checked[index])
            for index, file in enumerate(self.files)
            if file.source == source and settlement(file, self._checked[index]) is None
        ]

    @property
    def read(self) -> list[FileVersion]:
        """The readable files with records."""
        return [
            file for index, file in enumerate(self.files) if settlement(file, self._checked[index]) is None
        ]

    @property
    def usable(self) -> list[FileVersion]:
        """The readable files, with or without records: they supersede earlier versions."""
        settled = [settlement(file, self._checked[index]) for index, file in enumerate(self.files)]
        return [
            file
            for file, end in zip(self.files, settled, strict=True)
            if end is None or end[0] is FileState.EMPTY
        ]

    @property
    def data_prefix(self) -> str:
        """Where the curated rows are staged, below `dt=`."""
        return f"{self._staging}data/"

    @property
    def rejects_prefix(self) -> str:
        """Where the rejects are staged."""
        return f"{self._staging}rejects/"

    @property
    def row_references_prefix(self) -> str:
        """Where the row references of append datasets are staged."""
        return f"{self._staging}{ROW_REFERENCES_PREFIX}"

    @property
    def inbox(self) -> str:
        """Where the numbered records are."""
        return self._context.lake.inbox(self.batch.batch_id, self.batch.epoch)

    @property
    def _staging(self) -> str:
        return self._context.lake.staging(self.batch.batch_id, self.batch.epoch)

    def finish(self, written: Written, gate: Callable[[Counts], GateReport]) -> tuple[Batch, Counts]:
        """Count, ask the gate and publish by its verdict; returns the batch in its new state, and its counts.

        Nothing is visible outside before the batch is PUBLISHING, a change that only one run can make; its owner
        then does the rest.

        The gate is asked if any record was read, even if none was curated: a file whose records are all rejected must
        not supersede an earlier version of it unchecked.
        Raises CountMismatch unless every row is exactly one of curated, duplicate and reject.
        """
        context, batch = self._context, self.batch
        results = (
            *file_results(self.files, self._checked, written),
            *(_left_out(file) for file in self._superseded),
        )
        counts = reconcile_counts(results, batch.batch_id)
        context.ledger.confirm(batch)
        rejects = self._rejects(written)
        report = gate(counts) if counts.read else None
        plan = PublishPlan(
            files=(),
            results=results,
            partitions=(),
            counts=counts,
            rejects=rejects,
            epoch=batch.epoch,
        )
        if report is not None and not report.passed:
            plan = replace(plan, outcome=BatchState.REJECTED, reason=Reason.GATE.because(report.summary()))
        elif not counts.curated and not self._must_be_loaded:
            plan = replace(plan, outcome=BatchState.EMPTY, reason=Reason.NO_ROWS.because())
        else:
            plan = self._with_rows(plan, written)
        publishing = begin_publishing(context, batch, plan, self._noted(report))
        done = finish_publishing(context, publishing)
        remove_work_files(context, done)
        return done, counts

    def _noted(self, report: GateReport | None) -> NotedVerdict | None:
        """The verdict for the warehouse; without outcomes, one that deletes that of an earlier generation."""
        batch = self.batch
        noted = NotedVerdict(batch.batch_id, batch.dataset, batch.generation, batch.epoch, rows=0)
        if report is None or not report.outcomes:
            return noted if batch.generation > 1 else None
        return replace(
            noted,
            rows=len(report.outcomes),
            passed=report.passed,
            failed=len(report.failed),
            manifest=self._context.lake.quality_manifest(batch.dataset, batch.batch_id, batch.epoch),
        )

    @property
    def _must_be_loaded(self) -> bool:
        """Whether a batch without rows must still be loaded, because it can retract rows."""
        return self.batch.generation > 1 or (self._contract.append and bool(self.usable))

    def _rejects(self, written: Written) -> tuple[PublishedFile, ...]:
        """Raises Fenced if the written rejects are gone: the run that took over the batch has deleted them."""
        lake, batch = self._context.lake, self.batch
        if not written.rejects:
            return ()
        staged = self._staged(self.rejects_prefix)
        if not staged:
            raise Fenced(f"the staged files of batch {batch.batch_id}, epoch {batch.epoch}, are gone")
        return tuple(
            PublishedFile(
                key,
                lake.quarantine_file(batch.dataset, batch.batch_id, batch.epoch, number),
                staged[key],
            )
            for number, key in enumerate(sorted(staged))
        )

    def _with_rows(self, plan: PublishPlan, written: Written) -> PublishPlan:
        lake, batch = self._context.lake, self.batch
        files, partitions = plan_files(self._staged(self.data_prefix), self.data_prefix, lake, batch)
        row_references = self._staged(self.row_references_prefix) if self._contract.append else {}
        named = tuple(
            PublishedFile(
                key,
                lake.row_references_file(batch.dataset, batch.batch_id, number, batch.generation),
                row_references[key],
            )
            for number, key in enumerate(sorted(row_references))
        )
        return replace(
            plan,
            files=files,
            partitions=partitions,
            row_references=named,
            row_reference_rows=written.row_references,
        )

    def _staged(self, prefix: str) -> dict[str, int]:
        sizes = self._context.objects.sizes(self._context.lake.bucket, prefix)
        return {key: size for key, size in sizes.items() if key.endswith(".parquet")}


def _left_out(file: FileVersion) -> FileResult:
    return FileResult(
        file.file_id, file.key, file.version_id, Counts(), problem=file.reason, state=FileState.SUPERSEDED
    )
