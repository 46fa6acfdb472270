"""Ledger items to values and back, also those that an earlier release has written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import a_batch
from gluebook.aws.ledger.codec import BATCH_ATTRIBUTES, batch_from, batch_item, verdict_from, verdict_item
from gluebook.core.model import NotedVerdict

VERDICT = NotedVerdict("app_logs-1", "app_logs", 2, 5, 60, False, 2, "quality/x.json", 1, "statement")


def test_a_batch_and_a_verdict_come_back_as_they_were() -> None:
    batch = replace(a_batch("app_logs-1"), reported_epoch=4, epoch=5, generation=2)
    assert batch_from(batch_item(batch)) == batch
    assert verdict_from(verdict_item(VERDICT)) == VERDICT


def test_the_number_of_row_references_keeps_its_stored_name() -> None:
    item = batch_item(replace(a_batch("app_logs-1"), row_references=7))
    assert item["vouchers"] == 7
    assert set(item) <= set(BATCH_ATTRIBUTES)


def test_a_batch_of_an_earlier_release_has_results_without_an_epoch_in_their_name() -> None:
    item = batch_item(a_batch("app_logs-1"))
    del item["reported_epoch"]
    assert batch_from(item).reported_epoch == 0


@pytest.mark.parametrize(("generation", "name"), [(1, "app_logs-1"), (2, "app_logs-1.g2")])
def test_a_verdict_that_an_earlier_release_has_noted_finds_its_manifest(generation: int, name: str) -> None:
    item = verdict_item(replace(VERDICT, generation=generation))
    del item["manifest"]
    assert verdict_from(item).manifest == f"quality/app_logs/rows/{name}.json"
