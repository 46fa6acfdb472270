"""The gate in a job run: validate the staged Parquet, and store the report for people and the warehouse."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gluebook.aws.ports import ObjectsPort
from gluebook.clock import Clock
from gluebook.contracts import TYPES, Contract
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts
from gluebook.core.plan import PublishedFile, copy_manifest
from gluebook.core.sql.quality import DQ_COLUMNS
from gluebook.core.timestamps import utc_timestamp
from gluebook.job.lake_files import LakeFiles
from gluebook.quality.gate import run_gate
from gluebook.quality.report import GateReport
from gluebook.quality.suites import load_suites

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gate:
    """Validates staged Parquet and stores the report."""

    contract: Contract
    objects: ObjectsPort
    lake: Lake
    lakefiles: LakeFiles
    clock: Clock

    def __call__(
        self, batch: Batch, staged: str, files: int, counts: Counts, arrived: str | None
    ) -> GateReport:
        """Validate the Parquet below the prefix `staged`, and store the report whatever its result.

        `files`, `counts`: of the batch; `arrived`: its last date of arrival. Raises ContractError.
        """
        report = run_gate(
            self.lakefiles.spark,
            # Without a schema, to validate the files as they are.
            self.lakefiles.read(staged).drop("dt") if counts.curated else None,
            self.contract,
            load_suites(self.contract),
            batch=batch,
            files=files,
            counts=counts,
            arrived=arrived,
            at=utc_timestamp(self.clock()),
        )
        _log.info("gate validated batch %s: %d rows", batch.batch_id, report.rows)
        if report.failed:
            _log.warning("batch %s: %s", batch.batch_id, report.summary())
        self._store(report, batch.epoch)
        return report

    def _store(self, report: GateReport, epoch: int) -> None:
        """Store under keys that no other run writes; the ledger says which report is the batch's."""
        lake, of = self.lake, (report.dataset, report.batch_id, epoch)
        self.objects.put_json(lake.bucket, lake.quality(*of), report.to_json())
        schema = pa.schema(
            [
                pa.field(c.name, pa.type_for_alias(TYPES[c.type].arrow), nullable=c.nullable)
                for c in DQ_COLUMNS
            ]
        )
        key = lake.quality_rows(*of)
        with tempfile.TemporaryDirectory(prefix="gluebook-gate-") as folder:
            path = Path(folder) / "outcomes.parquet"
            pq.write_table(pa.Table.from_pylist(report.rows_for_warehouse(), schema), path)
            self.objects.upload(path, lake.bucket, key)
            size = path.stat().st_size
        manifest = copy_manifest((PublishedFile("", key, size),), lake)
        self.objects.put_json(lake.bucket, lake.quality_manifest(*of), manifest)
