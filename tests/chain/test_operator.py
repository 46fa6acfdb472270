"""The operator's commands on the deployed chain, by the same services and roles as everything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chain.kit import Chain
from chain.story import TABLES, TICKETS, Story, all_rows
from gluebook.cli.app import app
from gluebook.contracts import CONTRACTS
from gluebook.core.runs import proven_mark


@pytest.fixture(autouse=True)
def _no_other_laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands find the chain's laptop by the environment, as they would find AWS."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def told(*words: str) -> tuple[int, Any]:
    """Exit code and JSON of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def test_after_the_story_bucket_ledger_lake_and_warehouse_agree(chain: Chain, story: Story) -> None:
    code, found = told("reconcile")
    assert (code, found["differences"]) == (0, [])


def test_a_backfill_of_what_the_chain_has_seen_finds_nothing_new(chain: Chain, story: Story) -> None:
    before = len(chain.laptop.deployment.overview().files)
    code, found = told("backfill", "/")
    assert (code, found["registered"], found["known"]) == (0, 0, before)


def test_a_replay_on_the_deployed_chain_changes_no_row_and_no_count(chain: Chain, story: Story) -> None:
    key = f"{TICKETS}later.csv"
    rows, counts = {table: all_rows(chain, table) for table in TABLES}, chain.only(key)
    code, found = told("replay", "--file", key)
    assert code == 0, found
    chain.settle()
    again = chain.only(key)
    assert {table: all_rows(chain, table) for table in TABLES} == rows
    assert again == counts
    batches = {batch.batch_id: batch for batch in chain.laptop.deployment.overview().batches}
    assert batches[again.batch_id or ""].generation == 2


def test_what_jobs_and_functions_wrote_is_where_cloudwatch_has_it(chain: Chain, story: Story) -> None:
    code, found = told("logs", "app_logs")
    assert code == 0 and found["place"].startswith(
        "/aws-glue/jobs/output and /aws-glue/jobs/error, streams jr_"
    )
    assert any(
        "batch app_logs-" in line["text"] or "nothing was pending" in line["text"] for line in found["lines"]
    )
    for name in ("admit", "load"):
        code, found = told("logs", name)
        assert (code, found["place"]) == (0, f"/aws/lambda/gluebook-{name}")
        assert found["lines"], name
    assert set(told("logs")[1]["places"]) == {*CONTRACTS, "admit", "load", "sweep"}


def test_after_the_story_each_job_is_known_to_work_and_nothing_has_failed_last(
    chain: Chain, story: Story
) -> None:
    ledger = chain.laptop.deployment.ledger
    assert all(ledger.mark(proven_mark(dataset)) for dataset in TABLES)
    assert told("status")[1]["failures"] == []
    assert [key for key in chain.lake_keys("staging/") if "self-check" in key] == []
