"""A rehearsal does on generated records what a job run will do, so that Java has done it once."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from gluebook.contracts import CONTRACTS, contract
from gluebook.notebook.rehearsal import rehearse
from gluebook.sample import Request, generate
from gluebook.sources import source_names
from spark.pipelines import NOTEBOOKS


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_rehearsal_has_rows_copies_and_rejects_of_each_source(spark: SparkSession, dataset: str) -> None:
    written = rehearse(dataset, NOTEBOOKS / f"{dataset}.ipynb", spark)
    assert tuple(written) == source_names(dataset)
    generated = {file.source for file in generate(Request(days=1)).files if file.dataset == dataset}
    for source, of in written.items():
        assert [sum(reasons.values()) for reasons in of.rejects.values()] >= [1]
        if source in generated:
            assert all(sum(rows.values()) for rows in (of.curated, of.duplicates)), source
            assert bool(of.row_references) == contract(dataset).append
