"""Every source's golden files come to the rows, rejects and counts that lie beside them."""

from __future__ import annotations

import io

import pytest
from pyspark.sql import SparkSession

from gluebook.sources import all_sources
from gluebook.sources.framing import Framer
from gluebook.sources.model import Source
from spark.golden import GOLDEN, expected, folder_of, inputs, outcome, write


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: f"{source.contract.name}/{source.name}")
def test_golden_files_come_to_what_lies_beside_them(spark: SparkSession, source: Source) -> None:
    folder = folder_of(source)
    found = outcome(spark, source, inputs(folder))
    wanted = expected(folder)
    if wanted is None:
        write(folder, found)
        pytest.fail(
            f"{folder} had no expected.json; this is what came of its files: read it, and keep it if right"
        )
    assert found == wanted
    for file, body in inputs(folder).items():
        framer = Framer(io.BytesIO(body), source.layout)
        assert found[file]["counts"]["read"] == sum(1 for _ in framer)


def test_all_golden_files_are_a_sources() -> None:
    known = {folder_of(source) for source in all_sources()}
    assert {folder for folder in GOLDEN.glob("*/*") if any(folder.iterdir())} == known
