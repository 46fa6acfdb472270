"""One notebook, every runtime, one result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from gluebook.aws.objects import Objects
from gluebook.sources import all_sources
from kernel_kit import own_kernelspec
from parity.files import FILES
from parity.runtimes import RUNTIMES, jupyter_kernel
from parity.stage import Outcome, Place, stage

SOURCES = [(each.contract.name, each.name) for each in all_sources()]
DATASETS = sorted({dataset for dataset, _ in SOURCES})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with pytest.MonkeyPatch.context() as patch, stage(*RUNTIMES, idle=("idle",)) as made:
        own_kernelspec(tmp_path_factory.mktemp("jupyter"), patch)
        yield made


@pytest.fixture(scope="module")
def outcome(places: dict[str, Place]) -> Callable[[str, str], Outcome]:
    """What a runtime has written of a dataset, which it is run on once."""

    @cache
    def found(runtime: str, dataset: str) -> Outcome:
        RUNTIMES[runtime](places[runtime], dataset)
        return places[runtime].outcome(dataset)

    return found


def test_every_source_has_files_here() -> None:
    assert set(FILES) == set(SOURCES)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_runtime_writes_the_same_parquet(outcome: Callable[[str, str], Outcome], dataset: str) -> None:
    found = {name: outcome(name, dataset) for name in RUNTIMES if name != "cluster"}
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


def test_executors_with_nothing_but_what_spark_sends_them_write_the_same_parquet(
    outcome: Callable[[str, str], Outcome],
) -> None:
    dataset = DATASETS[0]  # whether they find the package doesn't depend on it
    assert outcome("cluster", dataset) == outcome("script", dataset)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_notebook_for_which_nothing_is_pending_runs_through_all_its_cells(
    places: dict[str, Place], dataset: str
) -> None:
    jupyter_kernel(places["idle"], dataset)
    assert Objects().sizes(places["idle"].lake_bucket, "") == {}
