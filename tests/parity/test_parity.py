"""One notebook, every runtime, one result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gluebook.aws.objects import Objects
from gluebook.transforms.sources import SOURCES
from kernel_kit import own_kernelspec
from parity.files import FILES
from parity.runtimes import RUNTIMES, jupyter_kernel
from parity.stage import Place, stage

DATASETS = sorted({dataset for dataset, _ in SOURCES})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with pytest.MonkeyPatch.context() as patch, stage(*RUNTIMES, idle=("idle",)) as made:
        own_kernelspec(tmp_path_factory.mktemp("jupyter"), patch)
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


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_notebook_for_which_nothing_is_pending_runs_through_all_its_cells(
    places: dict[str, Place], dataset: str
) -> None:
    jupyter_kernel(places["idle"], dataset)
    assert Objects().sizes(places["idle"].lake_bucket, "") == {}
