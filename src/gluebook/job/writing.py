"""Write what a job notebook leaves of a batch, and count what was written."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark.sql import DataFrame

from gluebook.contracts import Contract
from gluebook.core.model import FileVersion
from gluebook.job.counting import Written
from gluebook.job.lake_files import LakeFiles
from gluebook.job.row_counts import count_rows
from gluebook.job.row_references import row_references
from gluebook.transforms.verbs import PLACE, conform, rejects_table

_log = logging.getLogger(__name__)
# So many rows become one file per date of arrival. More are written by the tasks that hold them: Spark reads what is
# kept in parts of up to 128 MB, which is within what Redshift prefers, and no row has to be moved.
_FEW_ROWS = 200_000


@dataclass(frozen=True)
class Staging:
    """The prefixes below which a batch's curated rows, rejects and row references are staged."""

    data: str
    rejects: str
    row_references: str


def write_rows(
    lake: LakeFiles,
    contract: Contract,
    staging: Staging,
    kept: DataFrame,
    rejects: DataFrame,
    *,
    records: int,
    files: list[FileVersion],
) -> Written:
    """Stage the curated rows, the rejects and, for append datasets, the row references; what was written.

    `kept`, `rejects`: see `BatchRun.finish`; `records`: their number; `files`: the readable ones of the batch.
    """
    curated = conform(kept.where("_copy = 1"), contract)
    if records <= _FEW_ROWS:
        curated = curated.coalesce(1)
    lake.write(curated, staging.data, partition_by="dt")
    _log.info("wrote the curated rows to %s", staging.data)
    lake.write(rejects_table(rejects, contract.name).coalesce(1), staging.rejects)
    copies = kept.where("_copy > 1").select(*contract.key, *PLACE, "_copy", "_copy_of").persist()
    references = None
    if contract.append:
        frame = row_references(lake.spark, contract, files, copies)
        lake.write(frame.coalesce(1), staging.row_references)
        references = lake.read(staging.row_references, frame.schema)
    # Only the columns that identify the file; the gate validates all others.
    staged = lake.read(staging.data, "_source_file string, _source_version string")
    written = count_rows(staged, copies, lake.read(staging.rejects), references)
    copies.unpersist()
    _log.info("wrote and counted the rows in %s", staging.data)
    return written
