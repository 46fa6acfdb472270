"""One notebook, every runtime, one result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gluebook.transforms.sources import SOURCES
from parity.files import FILES
from parity.runtimes import RUNTIMES
from parity.stage import Place, stage

DATASETS = sorted({dataset for dataset, _ in SOURCES})


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, Place]]:
    with stage(*RUNTIMES) as made:
        yield made


def test_every_source_has_files_here() -> None:
    assert set(FILES) == set(SOURCES)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_runtime_writes_the_same_parquet(places: dict[str, Place], dataset: str) -> None:
    found = {}
    for name, run in RUNTIMES.items():
        run(places[name], dataset)
        found[name] = places[name].outcome(dataset)
    script = found["script"]
    assert script.counts["curated"] and script.counts["rejected"], "the files don't show much"
    assert {row["source"] for row in script.curated.select(["source"]).to_pylist()} == {
        source for of, source in SOURCES if of == dataset
    }
    for name, other in found.items():
        assert other.curated.schema == script.curated.schema, name
        assert other.curated.equals(script.curated), name
        assert other.rejects == script.rejects, name
        assert other.counts == script.counts, name
