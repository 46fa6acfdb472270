"""The publishing plan: values that outlive the run that made them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch
from gluebook.core.keys import Lake
from gluebook.core.model import Counts, FileResult
from gluebook.core.plan import (
    PublishedFile,
    PublishPlan,
    copy_manifest,
    keys_in_manifest,
    plan_files,
    reconcile_counts,
)
from gluebook.core.states import FileState
from gluebook.errors import CountMismatch

NUMBERS = st.integers(0, 10**12)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
COUNTS = st.builds(Counts, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
RECONCILED = st.builds(lambda c, d, r: Counts(c + d + r, c, d, r), NUMBERS, NUMBERS, NUMBERS)


def results(counts: st.SearchStrategy[Counts]) -> st.SearchStrategy[FileResult]:
    return st.builds(
        FileResult,
        file_id=TEXTS,
        key=TEXTS,
        version_id=TEXTS,
        counts=counts,
        reject_reasons=st.dictionaries(TEXTS, NUMBERS, max_size=3),
        problem=st.none() | TEXTS,
        state=st.sampled_from(FileState),
    )


PLANS = st.builds(
    PublishPlan,
    files=st.lists(st.builds(PublishedFile, TEXTS, TEXTS, NUMBERS), max_size=4).map(tuple),
    results=st.lists(results(COUNTS), max_size=4).map(tuple),
    partitions=st.lists(TEXTS, max_size=3).map(tuple),
    counts=COUNTS,
    row_references=st.lists(st.builds(PublishedFile, TEXTS, TEXTS, NUMBERS), max_size=2).map(tuple),
    row_reference_rows=NUMBERS,
)


@given(PLANS)
def test_a_plan_survives_being_written_as_json(plan: PublishPlan) -> None:
    assert PublishPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_the_row_references_of_a_stored_plan_keep_their_names() -> None:
    file = PublishedFile("staged", "final", 1)
    plan = PublishPlan((), (), (), Counts(), row_references=(file,), row_reference_rows=3)
    stored = plan.to_json()
    assert ([one["staged"] for one in stored["vouchers"]], stored["voucher_rows"]) == (["staged"], 3)


@given(st.lists(results(RECONCILED), max_size=6))
def test_files_whose_rows_are_all_accounted_for_add_up(found: list[FileResult]) -> None:
    total = reconcile_counts(found, "b")
    assert total.reconciles
    assert total.read == sum(result.counts.read for result in found)
    assert total.curated == sum(result.counts.curated for result in found)
    assert total.duplicates == sum(result.counts.duplicates for result in found)
    assert total.rejected == sum(result.counts.rejected for result in found)


@given(results(RECONCILED), results(RECONCILED), st.integers(-5, 5).filter(bool))
def test_a_row_that_is_gone_from_one_file_is_not_made_up_for_by_another(
    one: FileResult, other: FileResult, off: int
) -> None:
    def shifted(result: FileResult, by: int) -> FileResult:
        c = result.counts
        return FileResult("id", "a/key", "v", Counts(c.read + by, c.curated, c.duplicates, c.rejected))

    with pytest.raises(CountMismatch, match="batch b, a/key: read"):
        reconcile_counts([shifted(one, off), shifted(other, -off)], "b")


def test_a_mismatch_tells_every_count() -> None:
    wrong = FileResult("id", "k", "v", Counts(10, 5, 3, 1))
    with pytest.raises(CountMismatch) as caught:
        reconcile_counts([wrong], "b-1")
    assert str(caught.value) == "batch b-1, k: read 10 is not curated 5 + duplicates 3 + rejected 1"


LAKE = Lake("lake")
PREFIX = LAKE.staging("b", 2) + "data/"
STAGED = {
    f"{PREFIX}dt=2026-01-06/part-00000-x.parquet": 30,
    f"{PREFIX}dt=2026-01-05/part-00001-x.parquet": 20,
    f"{PREFIX}dt=2026-01-05/part-00000-x.parquet": 10,
}


def test_published_names_depend_on_the_batch_only() -> None:
    files, partitions = plan_files(STAGED, PREFIX, LAKE, a_batch("b"))
    assert partitions == ("2026-01-05", "2026-01-06")
    assert [(file.final, file.size) for file in files] == [
        ("curated/app_logs/dt=2026-01-05/b-00000.parquet", 10),
        ("curated/app_logs/dt=2026-01-05/b-00001.parquet", 20),
        ("curated/app_logs/dt=2026-01-06/b-00002.parquet", 30),
    ]
    assert {file.staged: file.size for file in files} == STAGED


@given(st.randoms(use_true_random=False))
def test_published_names_do_not_depend_on_the_order_of_listing(order: random.Random) -> None:
    listed = list(STAGED.items())
    order.shuffle(listed)
    assert plan_files(dict(listed), PREFIX, LAKE, a_batch("b")) == plan_files(
        STAGED, PREFIX, LAKE, a_batch("b")
    )


def test_every_generation_publishes_under_names_of_its_own() -> None:
    generations = [replace(a_batch("b"), generation=number) for number in (1, 2, 3, 12)]
    named = [{file.final for file in plan_files(STAGED, PREFIX, LAKE, batch)[0]} for batch in generations]
    assert len(set().union(*named)) == len(STAGED) * len(generations)
    assert "curated/app_logs/dt=2026-01-05/b.g2-00000.parquet" in named[1]


def test_nothing_staged_is_nothing_published() -> None:
    assert plan_files({}, PREFIX, LAKE, a_batch("b")) == ((), ())


def test_the_manifest_has_each_file_once_mandatory_with_its_length() -> None:
    files, _ = plan_files(STAGED, PREFIX, LAKE, a_batch("b"))
    manifest = copy_manifest(files, LAKE)
    entries = manifest["entries"]
    assert [entry["url"] for entry in entries] == [f"s3://lake/{file.final}" for file in files]
    assert len({entry["url"] for entry in entries}) == 3
    assert all(entry["mandatory"] is True for entry in entries)
    assert [entry["meta"] for entry in entries] == [{"content_length": size} for size in (10, 20, 30)]


def test_a_manifest_tells_the_keys_it_was_made_of() -> None:
    files, _ = plan_files(STAGED, PREFIX, LAKE, a_batch("b"))
    assert keys_in_manifest(copy_manifest(files, LAKE), LAKE) == [file.final for file in files]
    assert keys_in_manifest(copy_manifest([], LAKE), LAKE) == []
