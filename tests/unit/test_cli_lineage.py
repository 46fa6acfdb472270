"""`gluebook lineage`: the events of all batches into a file, or to whom OpenLineage's client is set up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes import FakeObjects, a_batch
from gluebook.cli import lineage
from gluebook.cli.app import app
from gluebook.cli.deployment import Deployment
from gluebook.core.model import Batch, Counts
from gluebook.core.states import BatchState
from gluebook.operations.status import Overview

OUTPUTS = {"RawBucket": "raw", "LakeBucket": "lake", "Workgroup": "w", "WarehouseDatabase": "analytics"}
NOBODY = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT__TYPE")


def a_loaded(number: int, day: str) -> Batch:
    return replace(
        a_batch(f"app_logs-{number}"),
        state=BatchState.LOADED,
        counts=Counts(3, 3),
        merged=3,
        created_at=f"{day}T10:00:00.000Z",
        changed_at=f"{day}T10:05:00.000Z",
    )


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    batches = (a_loaded(1, "2026-01-05"), a_loaded(2, "2026-01-06"))
    monkeypatch.setattr(Deployment, "overview", lambda self: Overview((), batches))
    monkeypatch.setattr(lineage, "connect", lambda: Deployment(OUTPUTS))
    monkeypatch.setattr(lineage, "Objects", FakeObjects)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in NOBODY:
        monkeypatch.delenv(name, raising=False)
    # Nor is a configuration file of the caller's looked at.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def said(*words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["lineage", *words])
    return done.exit_code, done


def test_every_batch_is_told_into_a_file_that_is_made_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "lineage" / "events.jsonl"
    for _ in range(2):
        code, done = said("-o", str(file), "--json")
        assert code == 0, done.output
        assert json.loads(done.stdout) == {
            "to": str(file),
            "batches": 2,
            "events": {"START": 4, "COMPLETE": 4},
        }
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(events) == 8
    assert list(file.parent.iterdir()) == [file]


def test_days_choose_among_the_batches(tmp_path: Path) -> None:
    _, done = said("-o", str(tmp_path / "e"), "--from", "2026-01-06", "--to", "2026-01-06", "--json")
    assert json.loads(done.stdout)["batches"] == 1
    _, done = said("-o", str(tmp_path / "e"), "--dataset", "support_tickets", "--json")
    assert json.loads(done.stdout)["batches"] == 0
    assert (tmp_path / "e").read_text(encoding="utf-8") == ""


def test_a_catalogue_that_does_not_answer_is_reported_and_no_file_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    code, done = said("-o", str(tmp_path / "e"))
    assert code != 0
    assert "lineage events could not be sent to http transport" in str(done.exception)
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("words", [("--dataset", "invoices"), ("--from", "2026-01-06", "--to", "2026-01-05")])
def test_what_there_isnt_is_refused(words: tuple[str, ...]) -> None:
    code, done = said(*words)
    assert code != 0 and done.exception is not None
