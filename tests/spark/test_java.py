"""How Spark's Java starts on a laptop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from gluebook.job.class_archive import make_archive
from gluebook.job.java import class_archive, java_options


def test_a_session_maps_archived_classes_instead_of_loading_them(spark: SparkSession) -> None:
    """`make setup` has made the archive."""
    assert class_archive().is_file()
    jvm: Any = spark.sparkContext._jvm
    assert "sharing" in jvm.java.lang.System.getProperty("java.vm.info")
    made = class_archive().stat().st_mtime_ns
    make_archive()
    assert class_archive().stat().st_mtime_ns == made


def test_without_an_archive_java_is_told_of_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "SharedArchiveFile" not in java_options()
    (tmp_path / "lib" / "server").mkdir(parents=True)
    class_archive().touch()
    assert f'-XX:SharedArchiveFile="{tmp_path}/lib/server/spark-' in java_options()
