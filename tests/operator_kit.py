"""The operator's commands around a pipeline of fakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fakes import a_file
from fakes.pipeline import RAW, Pipeline
from gluebook.core.model import Batch, FileVersion
from gluebook.core.reconciling import loads_sql
from gluebook.core.statements import Rows
from gluebook.core.states import BatchState
from gluebook.operations.context import OperationsContext
from gluebook.operations.reconcile import Findings, reconcile
from gluebook.operations.repair import Repaired, repair

JOBS = {"app_logs": "job-logs", "support_tickets": "job-tickets"}


@dataclass
class FakeFunctions:
    """Functions that record their invocations; those in `broken` fail."""

    invoked: list[str] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        assert event["detail-type"] == "Scheduled Event"
        if name in self.broken:
            raise self.broken[name]
        self.invoked.append(name)


def operations(
    pipeline: Pipeline, ledger: Any = None, objects: Any = None, functions: FakeFunctions | None = None
) -> OperationsContext:
    """`ledger`, `objects`, `functions`: proxies or fakes that replace the pipeline's own."""
    return OperationsContext(
        ledger=ledger or pipeline.ledger,
        objects=objects or pipeline.objects,
        jobs=pipeline.jobs,
        warehouse=pipeline.warehouse,
        functions=functions or FakeFunctions(),
        lake=pipeline.lake,
        raw_bucket=RAW,
        job_names=JOBS,
        sweep_function="sweep",
        load_function="load",
        clock=pipeline.clock,
    )


def noted_in_warehouse(pipeline: Pipeline, *batches: Batch) -> None:
    """The warehouse has the tables, and notes exactly these loads, as the ledger has them."""
    pipeline.ledger.set_mark("warehouse-schema", "made")
    rows = [
        (b.batch_id, b.generation, b.dataset, b.counts.curated, b.merged, b.superseded, b.retracted)
        for b in batches
    ]
    pipeline.warehouse.answers[loads_sql()] = Rows((), rows)
    for dataset in JOBS:
        mine = [b for b in batches if b.dataset == dataset]
        noted = sum(b.merged for b in mine)
        pipeline.warehouse.drifts[dataset] = (noted, noted if mine else None, len(mine), 0, 0)


def arrived(pipeline: Pipeline, name: str = "") -> FileVersion:
    """A file version that is in the bucket, and not in the ledger."""
    file = a_file(name)
    return replace(file, version_id=pipeline.objects.put(RAW, file.key, b"{}"))


def loaded_batch(pipeline: Pipeline, count: int = 1) -> Batch:
    """A batch that is in the ledger, the lake and the bucket; and in the warehouse."""
    batch = pipeline.load(pipeline.curate(pipeline.carried(*(arrived(pipeline) for _ in range(count)))))
    noted_in_warehouse(pipeline, *(b for b in pipeline.ledger.batches() if b.state is BatchState.LOADED))
    return batch


def look(pipeline: Pipeline) -> Findings:
    return reconcile(operations(pipeline), lambda stage: None)


def found(pipeline: Pipeline) -> dict[str, int]:
    """How many differences there are of each kind."""
    return dict(Counter(d.kind.value for d in look(pipeline).differences))


def repaired(pipeline: Pipeline, functions: FakeFunctions | None = None) -> Repaired:
    return repair(look(pipeline), operations(pipeline, functions=functions), lambda stage: None)
