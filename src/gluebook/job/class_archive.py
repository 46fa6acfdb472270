"""`python -m gluebook.job.class_archive`: let Spark's Java start in half the time (`make setup` does so).

Before it has done anything Spark loads 15,000 classes. Java keeps them in an archive that it maps into memory (class
data sharing; JDK docs, "java", -XX:ArchiveClassesAtExit). An archive fits one Java and one list of jars: Java ignores
any other, and a session then takes the time that it takes without one.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from gluebook.job.java import QUIET, class_archive, java_home
from gluebook.job.runtime import spark_session


def make_archive() -> None:
    """Write the archive of Java's own classes, and that of what a session loads; nothing if it is there.

    It is in the folder of Java itself. Takes half a minute. Raises OSError, subprocess.CalledProcessError.
    """
    archive = class_archive()
    if archive.is_file():
        return
    subprocess.run([java_home() / "bin" / "java", "-Xshare:dump"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".archive-") as folder:
        made = Path(folder) / archive.name
        _exercise(spark_session("class archive", f'-XX:ArchiveClassesAtExit="{made}" {QUIET}'))
        made.replace(archive)


def _exercise(spark: SparkSession) -> None:
    """Let Spark load what a job needs, and end its Java, which then writes the archive."""
    with tempfile.TemporaryDirectory(prefix="gluebook-classes-") as folder:
        rows = spark.range(0, 1000, 1, 2).mapInArrow(lambda batches: batches, "id bigint")
        texts = rows.selectExpr(
            *("id", "cast(id % 10 as string) as text", "timestamp_seconds(id) as at", "id % 2 = 0 as even"),
            "case when id > 5 then date '2026-01-05' end as day",
        )
        texts.write.partitionBy("text").parquet(f"{folder}/rows")
        read = spark.read.option("inferSchema", "false").parquet(f"{folder}/rows")
        few = read.groupBy("text").agg(F.min(F.struct("at", "id")).alias("first"), F.count("*").alias("rows"))
        joined = read.join(F.broadcast(few.where("rows > 1").persist()), "text", "left")
        joined.union(joined).groupBy("text", "even").count().orderBy("text").collect()
        spark.createDataFrame([(1, "a")], "id bigint, text string").unionByName(
            joined.select("id", "text")
        ).count()
    gateway = SparkContext._gateway
    assert gateway is not None
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    os.environ.pop("JAVA_HOME", None)  # another Java is not ours to write to
    make_archive()
