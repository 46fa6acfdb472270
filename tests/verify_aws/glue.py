"""Glue: does the package that `--extra-py-files` names reach the executors, as a zip and as a wheel?"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

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
            told = str(probe_package.answer())
        except ImportError as error:
            told = type(error).__name__
        yield pa.RecordBatch.from_pydict({"told": [told] * batch.num_rows})


options = getResolvedOptions(sys.argv, ["bucket", "answer"])
spark = SparkSession.builder.getOrCreate()
told = {row["told"] for row in spark.range(8).repartition(4).mapInArrow(ask, "told string").collect()}
boto3.client("s3").put_object(Bucket=options["bucket"], Key=options["answer"], Body=",".join(sorted(told)).encode())
"""


def probes(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    deployed.put("job.py", _SCRIPT.encode())
    packages = {"zip": ("package/probe_package.zip", _PACKAGE)}
    packages["wheel"] = ("package/probe_package-1-py3-none-any.whl", _WHEEL)
    for kind, (key, files) in packages.items():
        uri = deployed.put(key, _archive(files))
        yield f"glue: a package as {kind} in the executors", _run(deployed, uri, f"answers/{kind}")


def _run(deployed: Deployed, package: str, answer: str) -> str:
    place = deployed.place
    glue, job = place.client("glue"), place.name
    arguments = {"--extra-py-files": package, "--bucket": deployed.bucket, "--answer": answer}
    run = place.until(
        "a start of the job", lambda: glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
    )

    def state() -> str | None:
        found = str(glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"])
        return found if found in _ENDED else None

    ended = place.until(f"run {run}", state)
    if ended != "SUCCEEDED":
        return str(ended)
    body = place.client("s3").get_object(Bucket=deployed.bucket, Key=answer)["Body"]
    return str(body.read().decode())


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
