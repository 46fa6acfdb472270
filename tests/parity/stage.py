"""The same files for every runtime: one raw bucket, and for each runtime a ledger and a lake of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.core.keys import Lake, raw_key
from gluebook.core.plan import keys_in_manifest
from gluebook.deployment.build import Artefacts, build, project_root
from gluebook.operations.register import RegisterContext, register_missing
from ledger_kit import make_ledger_table
from localaws.stack import LocalAws
from parity.files import FILES

ROOT = project_root()
_RAW, _ARTEFACTS, _SECRET = "parity-raw", "parity-artefacts", "parity-key"
ROLE = "parity-job"
_DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """What a run has written. `curated`, `rejects`: one row per line of the table, in order; without batch ids."""

    curated: pa.Table
    rejects: list[dict[str, Any]]
    counts: dict[str, int]


@dataclass(frozen=True)
class Place:
    """Where one runtime works."""

    runtime: str
    aws: LocalAws = field(repr=False)
    # The URI of the built package.
    package: str

    @property
    def ledger_table(self) -> str:
        return f"parity-{self.runtime}".replace("_", "-")

    @property
    def lake_bucket(self) -> str:
        return f"{self.ledger_table}-lake"

    def parameters(self, dataset: str) -> dict[str, str]:
        """What a run gets, in every runtime; everything else stays at its default."""
        return {
            "dataset": dataset,
            "ledger_table": self.ledger_table,
            "lake_bucket": self.lake_bucket,
            "pseudonym_secret": _SECRET,
        }

    def script(self, dataset: str) -> str:
        """The URI of the exported script."""
        return f"s3://{_ARTEFACTS}/{dataset}.py"

    def environment(self) -> dict[str, str]:
        """This process's environment, with the laptop's AWS in it for everything that speaks to AWS."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return {**ours, **nowhere, **self.aws.endpoint.environment()}

    def outcome(self, dataset: str) -> Outcome:
        """What the run has published, read by manifest, and its rejects. Fails if not all of them are found."""
        s3 = self.aws.endpoint.client("s3")
        [batch] = Ledger(self.ledger_table, "test").open_batches(dataset)
        assert batch.state.value == "CURATED", batch
        lake = Lake(self.lake_bucket)

        def body(key: str) -> bytes:
            found: bytes = s3.get_object(Bucket=self.lake_bucket, Key=key)["Body"].read()
            return found

        keys = keys_in_manifest(json.loads(body(lake.manifest(dataset, batch.batch_id))), lake)
        tables = [pq.read_table(pa.BufferReader(body(key))) for key in keys]
        quarantined = Objects().sizes(self.lake_bucket, lake.quarantine(dataset, batch.batch_id))
        rejects = [
            {**row, "_batch_id": ""}
            for key in quarantined
            for row in pq.read_table(pa.BufferReader(body(key))).to_pylist()
        ]
        assert len(rejects) == batch.counts.rejected, f"{len(rejects)} rejects, {batch.counts}"
        place = [("_source_file", "ascending"), ("_source_record", "ascending")]
        return Outcome(
            pa.concat_tables(tables).drop_columns("_batch_id").sort_by(place),
            sorted(rejects, key=lambda row: (row["_source_file"], row["_source_record"])),
            {name: getattr(batch.counts, name) for name in ("read", "curated", "duplicates", "rejected")},
        )


@contextmanager
def stage(*runtimes: str, idle: tuple[str, ...] = ()) -> Iterator[dict[str, Place]]:
    """A laptop AWS with the fixed inputs pending for each of `runtimes`; its environment is this process's.

    `idle`: places for which nothing is pending.
    """
    with LocalAws() as aws, pytest.MonkeyPatch.context() as patch:
        made = build(ROOT)
        package = f"s3://{_ARTEFACTS}/{made.package_key}"
        places = {runtime: Place(runtime, aws, package) for runtime in (*runtimes, *idle)}
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in places[runtimes[0]].environment().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        _set_up(aws, made)
        for place in places.values():
            _prepare(place)
        for runtime in runtimes:
            _register(places[runtime])
        yield places


def _set_up(aws: LocalAws, made: Artefacts) -> None:
    s3 = aws.endpoint.client("s3")
    for bucket in (_RAW, _ARTEFACTS):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=_RAW, VersioningConfiguration={"Status": "Enabled"})
    for (dataset, source), bodies in FILES.items():
        for name, body in bodies.items():
            s3.put_object(Bucket=_RAW, Key=raw_key(dataset, source, _DAY.date(), name), Body=body)
    s3.upload_file(str(made.package), _ARTEFACTS, made.package_key)
    for script in (*(ROOT / "glue").glob("*.py"), Path(__file__).with_name("cluster.py")):
        s3.upload_file(str(script), _ARTEFACTS, script.name)
    aws.endpoint.client("secretsmanager").create_secret(Name=_SECRET, SecretString="a key for tests")
    _role(aws, ROLE)


def _role(aws: LocalAws, name: str) -> None:
    """A role for jobs and sessions that may do what jobs do; what exactly is another test's matter."""
    iam = aws.endpoint.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": ["s3:*", "dynamodb:*", "secretsmanager:*"], "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=_policy(may))


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _prepare(place: Place) -> None:
    """Make the runtime's ledger and lake."""
    aws = place.aws
    aws.endpoint.client("s3").create_bucket(Bucket=place.lake_bucket)
    make_ledger_table(aws.endpoint.client("dynamodb"), place.ledger_table)


def _register(place: Place) -> None:
    """Make all files pending in the runtime's ledger."""
    ledger, objects = Ledger(place.ledger_table, "test"), Objects()
    work = RegisterContext(ledger=ledger, objects=objects, bucket=_RAW, clock=lambda: _DAY, cause="a test")
    for page in objects.versions(_RAW, ""):
        register_missing(page, work)


def notebook(dataset: str) -> Path:
    """The job notebook of a dataset."""
    return ROOT / "notebooks" / "jobs" / f"{dataset}.ipynb"
