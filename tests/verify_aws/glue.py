"""Glue: does the package that `--extra-py-files` names reach the executors, as a zip and as a wheel?"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from verify_aws.stack import Deployed

_ENDED = ("SUCCEEDED", "FAILED", "ERROR", "TIMEOUT", "STOPPED")
_PACKAGE = {"probe_package/__init__.py": "def answer():\n    return 42\n"}
_WHEEL = {
    **_PACKAGE,
    "probe_package-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: probe-package\nVersion: 1\n",
    "probe_package-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "probe_package-1.dist-info/RECORD": "",
}
# Spark Connect has mapInArrow; the package is imported where the rows are.
_SCRIPT = """
import sys
import boto3
import pyarrow as pa
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession


def ask(batches):
    for batch in batches:
        try:
            import probe_package
            found = str(probe_package.answer())
        except ImportError as error:
            found = type(error).__name__
        yield pa.RecordBatch.from_pydict({"found": [found] * batch.num_rows})


options = getResolvedOptions(sys.argv, ["bucket", "answer"])
spark = SparkSession.builder.getOrCreate()
found = {row["found"] for row in spark.range(8).repartition(4).mapInArrow(ask, "found string").collect()}
boto3.client("s3").put_object(Bucket=options["bucket"], Key=options["answer"], Body=",".join(sorted(found)).encode())
"""


def probes(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    deployed.put("job.py", _SCRIPT.encode())
    packages = {"zip": ("package/probe_package.zip", _PACKAGE)}
    packages["wheel"] = ("package/probe_package-1-py3-none-any.whl", _WHEEL)
    for kind, (key, files) in packages.items():
        uri = deployed.put(key, _archive(files))
        yield f"glue: a package as {kind} in the executors", _answer(deployed, uri, f"answers/{kind}")


def _answer(deployed: Deployed, package: str, answer: str) -> str:
    arguments = {"--extra-py-files": package, "--bucket": deployed.bucket, "--answer": answer}
    ended = run_job(deployed, deployed.place.name, arguments)
    return deployed.place.text(deployed.bucket, answer) if ended == "SUCCEEDED" else ended


def run_job(deployed: Deployed, job: str, arguments: Mapping[str, str]) -> str:
    """Start a run and wait for it; the state in which it ends."""
    place = deployed.place
    glue = place.client("glue")
    run = place.until(
        "a start of the job", lambda: glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
    )

    def state() -> str | None:
        found = str(glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"])
        return found if found in _ENDED else None

    return str(place.until(f"run {run}", state))


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
