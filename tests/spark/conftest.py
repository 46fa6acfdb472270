"""One Spark session for the whole ring."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession

from chaos.redshift import Redshift, open_redshift
from gluebook.job.run import RECORDS_SCHEMA
from gluebook.job.runtime import spark_session
from gluebook.sources.framing import Framer, Layout
from spark.place import Place

Frame = Callable[..., tuple[DataFrame, list[str]]]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session("tests")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def frame(spark: SparkSession) -> Frame:
    """Records as `BatchRun.records` gives them, from the bytes of files by name; and their headers."""

    def make(layout: Layout, **files: bytes) -> tuple[DataFrame, list[str]]:
        rows, headers = [], set()
        for name, body in files.items():
            framer = Framer(io.BytesIO(body), layout)
            about = (name, "v1")
            rows += [
                (*about, r.number, "batch", "2026-01-05", framer.header, r.raw, r.problem) for r in framer
            ]
            headers |= {framer.header} - {None}
        return spark.createDataFrame(rows, RECORDS_SCHEMA), sorted(headers)

    return make


@pytest.fixture(scope="session")
def redshift() -> Iterator[Redshift]:
    with open_redshift() as opened:
        yield opened


@pytest.fixture
def place(spark: SparkSession, redshift: Redshift) -> Place:
    return Place(spark, redshift)
