"""What a release has stored outlives its code: deployed above it, the working tree finishes all that was open.

The recording holds a batch of each dataset in every open state, pending files, a correction and verdicts. Whatever is
stored in S3, the ledger and the warehouse by that release must be read for as long as somebody may upgrade from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest
from pyspark.sql import SparkSession

from chain.kit import Chain, log_line, ticket_file, ticket_record
from gluebook.cli.laptop import laptop
from gluebook.contracts import CONTRACTS
from gluebook.core.states import OPEN_STATES, BatchState
from gluebook.operations.replay import replay, replay_of_files
from localaws.stack import LocalAws
from notebook_kit import read_cells
from spark.pipelines import NOTEBOOKS
from spark.place import files_here
from upgrade.restore import HERE, Recording

RECORDINGS = sorted(HERE.glob("*.zip"))
TICKETS, LOGS = "support_tickets/servicenow/dt=2026-01-05/", "app_logs/mongod/dt=2026-01-05/"
# The newest revision of each ticket, and every log line under a file version that isn't superseded: what record.py
# has sent, and what the test sends.
TICKET_ROWS = [
    ("T1", 4, "closed"),
    ("T2", 3, "closed"),
    ("T3", 2, "closed"),
    ("T4", 2, "active"),
    ("T5", 1, "new"),
    ("T6", 1, "new"),
    ("T7", 1, "new"),
    ("T8", 2, "active"),
    ("T9", 1, "new"),
]
LOG_CODES = [11, 12, 31, 32, 40, 41, 50, 51, 60, 70, 80, 81, 90]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def upgraded(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chain]:
    """The working tree, deployed above what the release has stored."""
    recording = Recording(request.param)

    def restore(aws: LocalAws) -> None:
        recording.restore(aws, tmp_path_factory.mktemp("release"))

    with laptop(lambda stage: None, before_deployment=restore) as running:
        chain = Chain(running)
        with _runs_in(spark, chain):
            yield chain


def test_what_was_open_replayed_and_corrected_ends_without_a_lost_or_doubled_row(upgraded: Chain) -> None:
    deployment = upgraded.laptop.deployment
    was_open = {batch.state for batch in deployment.ledger.batches() if batch.state in OPEN_STATES}
    assert was_open == OPEN_STATES
    loaded = [f"{TICKETS}empty.csv", f"{LOGS}empty.jsonl"]
    replayed = replay(replay_of_files(loaded, None, deployment.operations()), deployment.operations())
    assert {batch.dataset for batch in replayed.reopened} == {*CONTRACTS}
    upgraded.send(f"{LOGS}loaded.jsonl", log_line(11) + log_line(12))
    upgraded.send(f"{TICKETS}loaded.csv", ticket_file(ticket_record("T2", 3, "Closed", "5/1/2026 10:03")))
    settle(upgraded)

    found = upgraded.rows("select ticket_id, revision, status from support_tickets order by ticket_id")
    assert found == TICKET_ROWS
    logs = [code for (code,) in upgraded.rows("select event_code from app_logs order by event_code")]
    assert logs == sorted(row["event_code"] for row in upgraded.curated("app_logs")) == LOG_CODES
    seen = deployment.overview()
    unusable = {file.key for file in seen.files if file.state in ("FAILED", "REJECTED")}
    assert unusable <= {f"{TICKETS}broken.csv.gz", f"{TICKETS}rejected.csv", f"{LOGS}rejected.jsonl"}
    loads = [batch for batch in seen.batches if batch.state is BatchState.LOADED]
    assert all(batch.counts.curated == batch.merged + batch.superseded for batch in loads)
    check_that_a_revision_of_before_stays_one(upgraded)


def check_that_a_revision_of_before_stays_one(chain: Chain) -> None:
    """T4's second revision was loaded under a fingerprint of the first format, and arrives again, written otherwise.

    The first copy takes the row over, once and with the new format; the next one changes nothing.
    """
    where = "select _row_hash, _source_file, status from support_tickets where ticket_id = 'T4'"
    [(before, _, _)] = chain.rows(where)
    assert not before.startswith("v2:")
    for name, time in (("dashes", "05-01-2026 10:02"), ("iso", "2026-01-05T12:02+02")):
        chain.send(f"{TICKETS}{name}.csv", ticket_file(ticket_record("T4", 2, "ACTIVE", time)))
        settle(chain)
        [(mark, file, status)] = chain.rows(where)
        assert (mark[:3], file, status) == ("v2:", f"{TICKETS}dashes.csv", "active")


def settle(chain: Chain) -> None:
    """Let the schedule fire until nothing is open, nothing waits and every verdict is recorded."""
    ledger, aws = chain.laptop.deployment.ledger, chain.laptop.aws
    for _ in range(40):
        aws.schedule.fire_now("gluebook-sweep-time")
        assert aws.wait_idle(600), "the chain is still busy"
        left = [
            [*ledger.open_batches(d), *ledger.pending(d, 10), *ledger.corrections(d), *ledger.verdicts(d)]
            for d in CONTRACTS
        ]
        if not any(left):
            return
    raise AssertionError(f"the chain doesn't come to rest: {left}")


def _runs_in(spark: SparkSession, chain: Chain) -> ExitStack:
    """Job runs happen in this process, whose Spark is warm, instead of one of their own; all else is deployed."""

    def execute(job: Any, run: Any) -> tuple[str, str]:
        run.change("RUNNING")
        arguments = {**job.default_arguments, **(run.arguments or {})}
        dataset = arguments["--dataset"]
        given = {name.removeprefix("--"): value for name, value in arguments.items() if "-" not in name[2:]}
        names: dict[str, Any] = {}
        try:
            for cell in read_cells(NOTEBOOKS / f"{dataset}.ipynb"):
                if cell.role in ("parameters", "job"):
                    exec(compile(cell.source, f"{dataset} cell {cell.number}", "exec"), names)
                if cell.role == "parameters":
                    names |= {
                        name: type(names[name])(value) for name, value in given.items() if name in names
                    }
        except Exception as error:  # noqa: BLE001 - as a process that dies would
            return "FAILED", f"{type(error).__name__}: {error}"
        return "SUCCEEDED", ""

    stack = ExitStack()
    stack.enter_context(patch.object(chain.laptop.aws.jobs, "_execute", execute))
    # Spark's workers have the environment of when the session was started, without this laptop's.
    stack.enter_context(files_here())
    return stack
