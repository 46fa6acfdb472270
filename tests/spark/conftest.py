"""One Spark session for the whole ring."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from chaos.redshift import Redshift, open_redshift
from gluebook.job.runtime import spark_session
from gluebook.sources.framing import Framer
from gluebook.sources.model import Source
from gluebook.sources.reading import parsed
from gluebook.transforms.frames import records_schema
from spark.place import Place

Frame = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session("tests")
    yield session
    session.stop()


def rows_of(source: Source, name: str, body: bytes) -> list[tuple[Any, ...]]:
    """The records of a file as rows of `records_schema`."""
    return [
        (
            *(r.number, name, "v1", "batch", "2026-01-05", r.raw),
            r.problem and r.problem.value,
            *map(r.fields.get, source.columns),
        )
        for r in parsed(Framer(io.BytesIO(body), source.layout), source)
    ]


def frame_of(spark: SparkSession, source: Source, files: Mapping[str, bytes]) -> DataFrame:
    """A source's records as `BatchRun.records` gives them, from the bytes of files by name."""
    rows = [row for name, body in files.items() for row in rows_of(source, name, body)]
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
