"""Runs an exported job script on one file that didn't come through AWS, and prints what came of each record.

Arguments: script, dataset, source, file. One JSON object per line: record, fate ("a row", "a copy" or the
reason it was rejected) and the row. Runs in a process of its own, on whatever sources PYTHONPATH says.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from unittest.mock import patch

from gluebook.job.runtime import spark_session
from gluebook.sources import source
from gluebook.transforms.frames import Part, Records, records_schema
from rows_kit import records_of
from spark.pipelines import FakeRun


def main(script: str, dataset: str, name: str, path: str) -> None:
    of = source(dataset, name)
    spark = spark_session("walk-through")
    records = spark.createDataFrame(records_of(of, "file", Path(path).read_bytes()), records_schema(of))
    run = FakeRun(spark, of.contract, Records(of.contract, (Part.of(of, records),)))
    started = type("Started", (), {"start": staticmethod(lambda **_: run)})
    with (
        patch("gluebook.job.run.BatchRun", started),
        patch.object(sys, "argv", [script, "--JOB_NAME", "job"]),
    ):
        runpy.run_path(script)
    assert run.kept is not None and run.rejects is not None
    names = of.contract.names
    found = [
        ({name: row[name] for name in names}, "a row" if row["_copy"] == 1 else "a copy")
        for row in run.kept.select("_copy", *names).collect()
    ]
    found += [
        (row.asDict(), row["_problem"]) for row in run.rejects.select("_source_record", "_problem").collect()
    ]
    for row, fate in sorted(found, key=lambda one: one[0]["_source_record"]):
        sys.stdout.write(
            json.dumps({"record": row["_source_record"], "fate": fate, "row": row}, default=str) + "\n"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
