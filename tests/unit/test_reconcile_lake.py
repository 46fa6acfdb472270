"""Reconcile: what shouldn't be in the lake is found and removed, and nothing else ever is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import a_batch
from fakes.pipeline import Pipeline
from gluebook.core.differences import Kind
from gluebook.core.keys import Lake
from gluebook.core.model import Batch, Counts
from gluebook.core.reconciling_lake import (
    BatchObjects,
    Manifest,
    ObjectName,
    batch_differences,
    parse_object_name,
)
from gluebook.core.states import LEASED_STATES, BatchState
from gluebook.operations.reconcile_lake import recheck
from gluebook.operations.repair import repair
from operator_kit import (
    arrived,
    found,
    loaded_batch,
    look,
    noted_in_warehouse,
    operations,
    repaired,
)

LAKE = Lake("lake")


@pytest.fixture
def pipeline() -> Pipeline:
    """A pipeline in which everything agrees."""
    made = Pipeline()
    loaded_batch(made)
    return made


def test_a_missing_or_truncated_published_file_is_reported(pipeline: Pipeline) -> None:
    loaded_batch(pipeline)
    gone, cut = sorted(pipeline.objects.sizes("lake", "curated/"))
    pipeline.objects.delete("lake", [gone])
    pipeline.objects.put("lake", cut, b"")
    missing = look(pipeline).differences
    assert {d.kind for d in missing} == {Kind.MISSING_FILE}
    size = len(pipeline.visible()[cut] or b"")
    told = {d.detail for d in missing}
    assert gone in told
    assert [text for text in told if text.startswith(f"{cut} has {size} bytes, the manifest says ")]
    assert len(told) == 2


def test_an_object_that_is_deleted_during_the_check_is_not_reported(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    gone = LAKE.curated_file("app_logs", "2026-01-05", batch.batch_id, 99)
    assert recheck(BatchObjects(batch.batch_id, {gone: 4}), operations(pipeline)) == []


def test_a_file_of_a_generation_that_is_still_to_come_is_never_removed(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    ahead = LAKE.curated_file("app_logs", "2026-01-05", batch.batch_id, 0, 2)
    pipeline.objects.put("lake", ahead, b"x")
    assert found(pipeline) == {"unknown-object": 1}
    repaired(pipeline)
    assert pipeline.objects.body("lake", ahead) == b"x"


def test_a_missing_manifest_is_reported_and_its_files_are_orphans(pipeline: Pipeline) -> None:
    [manifest] = pipeline.objects.sizes("lake", "manifests/")
    pipeline.objects.delete("lake", [manifest])
    kinds = found(pipeline)
    assert kinds == {"missing-file": 1, "orphan": 1}


def test_what_a_run_that_lost_its_batch_has_published_is_removed(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    orphan = LAKE.curated_file("app_logs", "2026-01-05", batch.batch_id, 99)
    pipeline.objects.put("lake", orphan, b"late")
    before = pipeline.visible()
    assert found(pipeline) == {"orphan": 1}
    assert repaired(pipeline).remaining == ()
    assert pipeline.visible() == {key: body for key, body in before.items() if key != orphan}


def test_a_manifest_of_an_earlier_generation_goes_with_its_files(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    old = pipeline.visible()
    again = pipeline.load(pipeline.curate(pipeline.again(batch)))
    noted_in_warehouse(pipeline, batch, again)
    new = pipeline.visible()
    assert found(pipeline) == {}
    for key, body in old.items():
        pipeline.objects.put("lake", key, body or b"")
    # Rows and row references: a manifest and a file of each.
    assert found(pipeline) == {"stale-manifest": 2, "orphan": 2}
    assert repaired(pipeline).remaining == ()
    assert pipeline.visible() == new


def test_an_earlier_generation_stays_when_the_next_one_fails(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    before = pipeline.visible()
    again = pipeline.again(batch)
    pipeline.advanced(again, BatchState.REJECTED)
    assert found(pipeline) == {}
    repaired(pipeline)
    assert pipeline.visible() == before


def test_leftovers_of_a_batch_at_rest_go_and_those_of_one_at_work_stay(pipeline: Pipeline) -> None:
    [batch] = pipeline.ledger.batches()
    working = pipeline.carried(arrived(pipeline))
    left = [f"{name}{batch.batch_id}/1/part" for name in ("inbox/", "staging/")]
    used = f"inbox/{working.batch_id}/1/part"
    for key in (*left, used):
        pipeline.objects.put("lake", key, b"x")
    assert found(pipeline) == {"leftover": 1}
    assert repaired(pipeline).remaining == ()
    assert {*pipeline.objects.sizes("lake", "inbox/"), *pipeline.objects.sizes("lake", "staging/")} == {used}


def test_unknown_objects_are_reported_and_never_removed(pipeline: Pipeline) -> None:
    keys = [
        "curated/app_logs/dt=2026-01-05/by-hand.parquet",
        "curated/app_logs/dt=2026-01-05/forgotten-batch-00000.parquet",
        "inbox/forgotten-batch/1/part",
    ]
    for key in keys:
        pipeline.objects.put("lake", key, b"x")
    assert found(pipeline) == {"unknown-object": 2}
    repaired(pipeline)
    assert all(pipeline.objects.body("lake", key) for key in keys)


def test_what_is_published_between_looking_and_repairing_is_not_removed(pipeline: Pipeline) -> None:
    """An orphan at the first check; then its batch is reopened."""
    [batch] = pipeline.ledger.batches()
    orphan = LAKE.curated_file("app_logs", "2026-01-05", batch.batch_id, 99)
    pipeline.objects.put("lake", orphan, b"late")
    findings = look(pipeline)
    pipeline.again(batch)
    repair(findings, operations(pipeline), lambda stage: None)
    assert pipeline.objects.body("lake", orphan) == b"late"


batch_ids = st.from_regex(r"[a-z_]{1,12}-\d{8}T\d{6}-[0-9a-f]{8}", fullmatch=True)


@given(batch_ids, st.integers(1, 12), st.integers(0, 120_000))
def test_every_name_that_a_batch_gives_is_read_back(batch_id: str, generation: int, number: int) -> None:
    names = {
        LAKE.curated_file("app_logs", "2026-01-05", batch_id, number, generation): "parquet",
        LAKE.row_references_file("app_logs", batch_id, number, generation): "parquet",
        LAKE.manifest("app_logs", batch_id, generation): "manifest",
        LAKE.row_references_manifest("app_logs", batch_id, generation): "manifest",
    }
    for name, kind in names.items():
        assert parse_object_name(name) == ObjectName(batch_id, generation, kind)
    work = f"{LAKE.staging(batch_id, generation)}data/dt=2026-01-05/part.parquet"
    assert parse_object_name(work) == ObjectName(batch_id, 1, "work")


@st.composite
def by_batch(draw: st.DrawFn) -> tuple[Batch, BatchObjects]:
    """A batch in any state, and any files and manifests of its generations up to now."""
    now = draw(st.integers(1, 3))
    curated = draw(st.integers(0, 1))
    batch = replace(
        a_batch("b", state=draw(st.sampled_from(BatchState))), generation=now, counts=Counts(curated, curated)
    )
    files = {
        LAKE.curated_file(batch.dataset, "2026-01-05", "b", number, generation): 7
        for generation in range(1, now + 1)
        for number in draw(st.sets(st.integers(0, 2)))
    }
    manifests = []
    for generation in draw(st.sets(st.integers(1, now))):
        named = draw(st.sets(st.integers(0, 2)))
        entries = {LAKE.curated_file(batch.dataset, "2026-01-05", "b", n, generation): 7 for n in named}
        manifests.append(Manifest(LAKE.manifest(batch.dataset, "b", generation), generation, entries))
    work = ("inbox/b/1/x",) if draw(st.booleans()) else ()
    return batch, BatchObjects("b", files, tuple(manifests), work)


@given(by_batch())
def test_a_repair_removes_nothing_that_a_valid_manifest_names_and_is_enough(
    drawn: tuple[Batch, BatchObjects],
) -> None:
    batch, objects = drawn
    differences = batch_differences(batch, objects, LAKE)
    removed = {key for difference in differences for key in difference.objects}
    if batch.state in LEASED_STATES:
        assert removed == set()
    published = batch.state in (BatchState.CURATED, BatchState.LOADING, BatchState.LOADED)
    for manifest in objects.manifests:
        if published and manifest.generation == batch.generation:
            assert not removed & {manifest.key, *manifest.files}
    left = BatchObjects(
        "b",
        {key: size for key, size in objects.files.items() if key not in removed},
        tuple(manifest for manifest in objects.manifests if manifest.key not in removed),
        tuple(key for key in objects.work if key not in removed),
    )
    after = batch_differences(batch, left, LAKE)
    assert {d.kind for d in after} <= {Kind.MISSING_FILE}
    assert after == [d for d in differences if d.kind is Kind.MISSING_FILE]
