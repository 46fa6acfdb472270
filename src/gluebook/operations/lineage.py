"""Lineage as OpenLineage events: which files went through which runs into which table, and with how many rows.

Derived from the ledger afterwards, as often as needed: the ids of runs are derived from the batch, so the same
batch gives the same events. Source: OpenLineage's specification and its naming conventions for S3 and Redshift.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    schema_dataset,
)
from openlineage.client.generated.base import InputDatasetFacet, OutputDatasetFacet, RunFacet, set_producer
from openlineage.client.naming.dataset import S3, Redshift

from gluebook.contracts import contract
from gluebook.core.keys import Lake
from gluebook.core.model import Batch
from gluebook.core.states import ATTENTION_STATES, REPEATABLE_STATES, BatchState
from gluebook.operations.status import FileStatus
from gluebook.quality.report import GateReport

PRODUCER = "https://pypi.org/project/gluebook"
_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
_PORT = "5439"


@dataclass(frozen=True)
class PipelineNames:
    """The deployed names, which become part of the names of datasets and jobs."""

    raw_bucket: str
    lake: Lake
    workgroup: str
    database: str
    region: str

    def table(self, name: str) -> Redshift:
        """A table of the warehouse."""
        return Redshift(self.workgroup, self.region, _PORT, self.database, "public", name)


def lineage(
    batch: Batch, files: Sequence[FileStatus], report: GateReport | None, at: PipelineNames
) -> list[RunEvent]:
    """The events of a finished batch: of its job run, and of its load if there was one; none for other batches.

    `files`: those that the batch carries; `report`: the gate's report, if there is one.
    """
    if batch.state not in REPEATABLE_STATES:  # still open, or divided: its files are in other batches
        return []
    set_producer(PRODUCER)  # of every facet; the default names the client and its version
    curated_at = report.checked_at if report else batch.changed_at
    curated = _curated(batch, at)
    failed = batch.state in ATTENTION_STATES
    outputs = [] if failed or not batch.counts.curated else [curated]
    events = _run(
        "curate",
        batch,
        at,
        (batch.created_at, curated_at),
        [_raw(file, at) for file in files],
        [*outputs, *_quarantine(batch, at)],
        (batch.reason or batch.state.value) if failed else None,
    )
    if batch.state is BatchState.LOADED:
        checked = InputDataset(
            namespace=curated.namespace,
            name=curated.name,
            facets=curated.facets,
            inputFacets=_assertions(report),
        )
        events += _run(
            "load", batch, at, (curated_at, batch.changed_at), [checked], [_table(batch, at)], None
        )
    return events


def _run(
    step: str,
    batch: Batch,
    at: PipelineNames,
    times: tuple[str, str],
    inputs: list[InputDataset],
    outputs: list[OutputDataset],
    error: str | None,
) -> list[RunEvent]:
    """The start and the end of one run."""
    run_id = str(uuid.uuid5(_RUNS, f"{batch.batch_id}/{batch.generation}/{step}"))
    kind = job_type_job.JobTypeJobFacet("BATCH", "SPARK" if step == "curate" else "REDSHIFT", "JOB")
    job = Job(f"glue://{at.lake.bucket}", f"{batch.dataset}.{step}", {"jobType": kind})
    facets: dict[str, RunFacet] = {}
    if error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(error, "Python")
    return [
        RunEvent(
            eventType=RunState.START,
            eventTime=times[0],
            run=Run(run_id),
            job=job,
            producer=PRODUCER,
            inputs=inputs,
            outputs=[],
        ),
        RunEvent(
            eventType=RunState.FAIL if error else RunState.COMPLETE,
            eventTime=times[1],
            run=Run(run_id, facets),
            job=job,
            producer=PRODUCER,
            inputs=inputs,
            outputs=outputs,
        ),
    ]


def _raw(file: FileStatus, at: PipelineNames) -> InputDataset:
    name = S3(at.raw_bucket, file.key)
    facet = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        rowCount=file.counts.read, fileCount=1
    )
    read: dict[str, InputDatasetFacet] = {"inputStatistics": facet}
    return InputDataset(namespace=name.get_namespace(), name=name.get_name(), inputFacets=read)


def _curated(batch: Batch, at: PipelineNames) -> OutputDataset:
    name = S3(at.lake.bucket, at.lake.curated(batch.dataset).rstrip("/"))
    return OutputDataset(
        namespace=name.get_namespace(),
        name=name.get_name(),
        facets={"schema": _schema(batch.dataset)},
        outputFacets=_written(batch.counts.curated),
    )


def _quarantine(batch: Batch, at: PipelineNames) -> Iterable[OutputDataset]:
    if batch.counts.rejected:
        name = S3(at.lake.bucket, at.lake.quarantined(batch.dataset).rstrip("/"))
        yield OutputDataset(
            namespace=name.get_namespace(),
            name=name.get_name(),
            outputFacets=_written(batch.counts.rejected),
        )


def _table(batch: Batch, at: PipelineNames) -> OutputDataset:
    name = at.table(batch.dataset)
    return OutputDataset(
        namespace=name.get_namespace(),
        name=name.get_name(),
        facets={"schema": _schema(batch.dataset)},
        outputFacets=_written(batch.merged),
    )


def _written(rows: int) -> dict[str, OutputDatasetFacet]:
    return {
        "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    }


def _schema(dataset: str) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(column.name, column.redshift_type, column.description)
            for column in contract(dataset).columns
        ]
    )


def _assertions(
    report: GateReport | None,
) -> dict[str, InputDatasetFacet]:
    if report is None:
        return {}
    made = [
        data_quality_assertions_dataset.Assertion(
            assertion=outcome.expectation,
            success=outcome.passed,
            column=outcome.column or None,
            severity="error" if outcome.severity == "critical" else "warn",
        )
        for outcome in report.outcomes
    ]
    return {"dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(made)}
