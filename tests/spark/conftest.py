"""One Spark session for the whole ring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from pyspark.sql import DataFrame, SparkSession

from chaos.redshift import Redshift, open_redshift
from gluebook.job.runtime import spark_session
from gluebook.sources.model import Source
from gluebook.transforms.frames import records_schema
from rows_kit import records_of
from spark.place import Place

Frame = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session("tests")
    yield session
    session.stop()


def frame_of(spark: SparkSession, source: Source, files: Mapping[str, bytes]) -> DataFrame:
    """A source's records as `BatchRun.records` gives them, from the bytes of files by name."""
    rows = [row for name, body in files.items() for row in records_of(source, name, body)]
    return spark.createDataFrame(rows, records_schema(source))


@pytest.fixture(scope="session")
def frame(spark: SparkSession) -> Frame:
    """`frame_of` with files given by keyword."""

    def make(source: Source, **files: bytes) -> DataFrame:
        return frame_of(spark, source, files)

    return make


@pytest.fixture(scope="session")
def redshift() -> Iterator[Redshift]:
    with open_redshift() as opened:
        yield opened


@pytest.fixture
def place(spark: SparkSession, redshift: Redshift) -> Place:
    return Place(spark, redshift)
