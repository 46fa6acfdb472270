"""Record what a release leaves behind, as a zip file that test_upgrade.py brings back to life.

Run it with the release's own code, in a checkout of that release, whose .venv is set up:

    PYTHONPATH=src:tests .venv/bin/python <here>/tests/upgrade/record.py <here>/tests/upgrade/<commit>.zip

It deploys the release to a laptop, loads files, leaves at least one batch of each dataset in every open state by
losing every event from then on, and writes down what is stored. A recording is made once, when a release goes out,
and never again: what is stored outlives the code that stored it.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import Binary

from chain.kit import Chain, log_line, ticket_file, ticket_record
from gluebook.aws.invoking import Functions
from gluebook.aws.objects import Objects
from gluebook.cli.laptop import laptop
from gluebook.clock import utc_now
from gluebook.contracts import CONTRACTS
from gluebook.contracts.reasons import ReasonText
from gluebook.core.keys import Lake
from gluebook.core.model import Batch
from gluebook.core.sql.schema import schema_sql
from gluebook.core.states import BatchState
from gluebook.core.timestamps import utc_timestamp
from gluebook.job.claim import fail_or_divide
from gluebook.job.context import JobContext
from localaws.errors import ApiError
from localaws.faults import RoleCall, When

TICK: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
TICKETS, LOGS = "support_tickets/servicenow/dt=2026-01-05/", "app_logs/mongod/dt=2026-01-05/"
TABLES = ("support_tickets", "app_logs", "etl_loads", "etl_files", "app_logs_echoes", "dq_results")
Refusal = Callable[[RoleCall], bool]


def tickets(*rows: tuple[str, int, str]) -> bytes:
    """A ticket file of (number, revision, state)."""
    return ticket_file(
        *(
            ticket_record(number, revision, state, f"5/1/2026 10:0{revision}")
            for number, revision, state in rows
        )
    )


def logs(*codes: int) -> bytes:
    """A log file with one line of each code."""
    return b"".join(log_line(code) for code in codes)


class Recorder:
    """The chain of the release, and what must be in the warehouse once everything has come to its end."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.aws = chain.laptop.aws
        self.ledger = chain.laptop.deployment.ledger

    def both(self, name: str, ticket_body: bytes, log_body: bytes) -> None:
        """Send one file of each dataset."""
        self.chain.send(f"{TICKETS}{name}.csv", ticket_body)
        self.chain.send(f"{LOGS}{name}.jsonl", log_body)

    def wait(self) -> None:
        """Until nobody has anything to do."""
        assert self.aws.wait_idle(600), "the chain is still busy"

    def open(self, state: BatchState) -> list[Batch]:
        """The open batches in a state, of both datasets."""
        return [b for dataset in CONTRACTS for b in self.ledger.open_batches(dataset) if b.state is state]

    @contextmanager
    def refusing(self, refused: Refusal) -> Iterator[None]:
        """Requests of roles that are refused, as if by a policy."""

        def decide(call: RoleCall, when: When) -> ApiError | None:
            wrong = when == "before" and refused(call)
            return ApiError("AccessDenied", "Access Denied", 403) if wrong else None

        self.aws.faults.api(decide)
        try:
            yield
        finally:
            self.aws.faults.api(None)

    def play(self) -> None:
        """From finished batches to one in each open state."""
        self._finished()
        # From now on no event reaches load or sweep; arrivals do reach admit, which starts the jobs.
        self.aws.faults.deliveries(lambda event, target: [0.0] if ":sqs:" in target else [])
        self._loading()
        self.both("curated", tickets(("T5", 1, "New"), ("T1", 4, "Closed")), logs(50, 51))
        self.wait()
        for place, state in (("/manifests/", BatchState.PUBLISHING), ("/staging/", BatchState.CLAIMED)):
            name = state.value.lower()
            number = 6 if state is BatchState.PUBLISHING else 7
            with self.refusing(partial(_puts, place)):
                self.both(name, tickets((f"T{number}", 1, "New")), logs(number * 10))
                self.wait()
        self._dividing()
        self._again()
        with self.refusing(lambda call: call.operation == "StartJobRun"):
            self.both("pending", tickets(("T9", 1, "New")), logs(90))
            self.both("corrected", tickets(("T3", 2, "Closed")), logs(31, 32))
            self._until(lambda: sum(len(self.ledger.pending(d, 10)) for d in CONTRACTS) >= 4)

    def _finished(self) -> None:
        self.both("loaded", tickets(("T1", 2, "Active"), ("T2", 1, "New")), logs(10, 11))
        self.wait()
        self.both("corrected", tickets(("T3", 1, "New")), logs(30, 31))
        self.both("empty", tickets(), b"\n")
        self.chain.send(f"{TICKETS}broken.csv.gz", gzip.compress(tickets(("T0", 1, "New")))[:-9])
        self.wait()
        self.both("rejected", tickets(("", 1, "New"), ("", 2, "New")), b"no log line\nneither\n")
        self.wait()
        self.chain.settle()

    def _loading(self) -> None:
        """One whose statement ran to its end and was never told of, and one whose statement was never sent."""
        self.both("loading", tickets(("T4", 1, "New"), ("T1", 3, "Resolved")), logs(40))
        self.wait()
        Functions().invoke(self.chain.laptop.deployment.output("LoadFunction"), TICK)
        self.wait()
        self.both("unsent", tickets(("T4", 2, "Active")), logs(41))
        self.wait()
        for batch in self.open(BatchState.CURATED):
            noted = replace(batch, state=BatchState.LOADING, load_attempts=1, statement_id=None)
            self.ledger.advance(batch, noted, utc_timestamp(utc_now()), "load 1")

    def _dividing(self) -> None:
        before = {batch.batch_id for batch in self.open(BatchState.CLAIMED)}
        with self.refusing(lambda call: call.operation == "StartJobRun"):
            self.both("dividing-1", tickets(("T8", 1, "New")), logs(80))
            self.both("dividing-2", tickets(("T8", 2, "Active")), logs(81))
            self._until(lambda: sum(len(self.ledger.pending(d, 10)) for d in CONTRACTS) == 4)
        with self.refusing(lambda call: call.operation == "PutObject" and "/staging/" in call.path):
            self.wait()
        context = JobContext(self.ledger, Objects(), Lake(""), utc_now)
        for batch in self.open(BatchState.CLAIMED):
            if batch.batch_id not in before:
                reason = f"attempts_used_up: 3 runs ended before it was published, the last {batch.owner}"
                fail_or_divide(context, batch, ReasonText(reason), utc_timestamp(utc_now()))

    def _again(self) -> None:
        """The first batch of each dataset is to be processed again."""
        for dataset in CONTRACTS:
            loaded = [
                b for b in self.ledger.batches() if b.dataset == dataset and b.state is BatchState.LOADED
            ]
            self.ledger.reopen(min(loaded, key=lambda b: b.created_at), utc_timestamp(utc_now()), "replay")

    def _until(self, done: Callable[[], bool]) -> None:
        self.aws.wait_idle(5)  # what is refused is asked for again all the time, so it never is
        assert done(), "the chain isn't where it should be"

    def dump(self) -> dict[str, Any]:
        """What is stored, and the SQL that makes the tables. Objects' bodies are left to `bodies`."""
        outputs = self.chain.laptop.deployment.outputs
        client = self.aws.endpoint.client
        secret = client("secretsmanager").get_secret_value(SecretId="gluebook-pseudonym-key")["SecretString"]
        items: list[dict[str, Any]] = []
        for page in client("dynamodb").get_paginator("scan").paginate(TableName=outputs["LedgerTable"]):
            items += page["Items"]
        return {
            "outputs": outputs,
            "objects": [place for place, _ in self.bodies()],
            "ledger": items,
            "secret": secret,
            "schema": list(schema_sql(tuple(CONTRACTS.values()))),
            "tables": {table: self._table(table) for table in TABLES},
            "states": sorted(f"{b.dataset}: {b.state}" for b in self.ledger.batches()),
        }

    def _table(self, table: str) -> dict[str, Any]:
        rows = self.chain.laptop.deployment.warehouse.query(f"select * from {table}")
        return {"columns": list(rows.columns), "rows": [list(row) for row in rows.rows]}

    def bodies(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Every object version, oldest first: where it is, and its bytes."""
        s3 = self.aws.endpoint.client("s3")
        outputs = self.chain.laptop.deployment.outputs
        for bucket in (outputs["RawBucket"], outputs["LakeBucket"]):
            versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
            for one in sorted(versions, key=lambda v: v["LastModified"]):
                version = {} if one["VersionId"] == "null" else {"VersionId": one["VersionId"]}
                body = s3.get_object(Bucket=bucket, Key=one["Key"], **version)["Body"].read()
                yield {"bucket": bucket, "key": one["Key"], "version": one["VersionId"]}, body


def plain(value: Any) -> Any:
    """What JSON doesn't know: DynamoDB's bytes don't occur, everything else is its text."""
    assert not isinstance(value, (bytes, Binary)), "bytes in the ledger"
    return str(value)


def _puts(place: str, call: RoleCall) -> bool:
    return call.operation == "PutObject" and place in call.path


def main(target: Path) -> None:
    """Play, and write the recording."""
    with laptop(lambda stage: None) as running:
        recorder = Recorder(Chain(running))
        recorder.play()
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        stored = {"commit": commit.stdout.strip(), **recorder.dump()}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("stored.json", json.dumps(stored, indent=1, default=plain))
            archive.write("infra/pipeline.yaml", "pipeline.yaml")
            for number, (_, body) in enumerate(recorder.bodies()):
                archive.writestr(f"objects/{number}", body)
    sys.stdout.write("\n".join(stored["states"]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
