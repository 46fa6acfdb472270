"""The status of a file whose batch cannot be loaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakes import a_file
from fakes.pipeline import Pipeline, statement_ended
from gluebook.cli.screens import needs_a_look
from gluebook.core.events import Tick
from gluebook.core.states import BatchState
from gluebook.operations.status import FileStatus, overview

DENIED = "ERROR: S3ServiceException:Access Denied,Status 403"


def shown(pipeline: Pipeline) -> FileStatus:
    ledger: Any = pipeline.ledger
    objects: Any = pipeline.objects
    [file] = overview(ledger, objects, pipeline.lake).files
    return file


def test_a_file_whose_load_fails_is_shown_with_the_error_and_the_time_of_the_next_one() -> None:
    pipeline = Pipeline()
    batch = pipeline.curate(pipeline.carried(a_file()))
    file = shown(pipeline)
    assert (file.failed_loads, file.reason, needs_a_look(file)) == (0, None, False)
    pipeline.handle(Tick())
    for attempt in (1, 2):
        pipeline.warehouse.fail(pipeline.warehouse.latest, DENIED)
        pipeline.handle(statement_ended(batch, attempt, "FAILED"))
    file = shown(pipeline)
    due = pipeline.now(batch).retry_at
    assert (file.state, file.failed_loads, file.next_load, file.given_up) == ("CURATED", 2, due, False)
    assert file.reason == f"2 loads failed, the next one is due at {due}: load_failed: {DENIED}"
    assert needs_a_look(file)


def test_a_file_with_exhausted_retries_is_shown_with_the_remedy() -> None:
    pipeline = Pipeline()
    batch = pipeline.batch(BatchState.LOADING)
    given_up = replace(batch, state=BatchState.CURATED, reason=f"load_failed: {DENIED}", given_up=True)
    pipeline.ledger.advance(batch, given_up, "2026-01-06T00:00:00.000Z", "failed")
    file = shown(pipeline)
    assert (file.given_up, file.next_load) == (True, None)
    assert "gluebook replay" in (file.reason or "") and DENIED in (file.reason or "")
    assert needs_a_look(file)
