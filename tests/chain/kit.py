"""What the chain's tests share: files with something wrong with them, and ways to ask."""

from __future__ import annotations

import gzip
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gluebook.aws.objects import Objects
from gluebook.cli.laptop import Laptop
from gluebook.core.keys import raw_key
from gluebook.core.plan import keys_in_manifest
from gluebook.operations.status import FileStatus
from gluebook.sample import Request, SampleFile, generate
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW

PATIENCE_SECONDS = 600
TEN_MEGABYTES = 10_000_000
REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real(path: str) -> Path:
    """A real input file; the test is skipped, visibly, where there is none."""
    found = REAL_DATA / path
    if not found.is_file():
        pytest.skip(f"real data {path} is not on this machine")
    return found


def sample_file(dataset: str, seed: int = 7) -> SampleFile:
    """A messy file with a known truth."""
    files = generate(Request(seed=seed, tickets=60, log_lines=400, days=1, files_per_day=2)).files
    return next(file for file in files if file.dataset == dataset)


def ticket_record(number: str, revision: int, state: str, updated: str, **more: str) -> str:
    """One CSV record of ServiceNow's layout; what isn't given is null."""
    values = {"number": number, "sys_mod_count": str(revision), "incident_state": state}
    values |= {"sys_updated_at": updated, **more}
    return ",".join(values.get(column, "?") for column in SERVICENOW.columns)


def ticket_file(*records: str) -> bytes:
    """A CSV file of ServiceNow's layout."""
    return ("\n".join([",".join(SERVICENOW.columns), *records]) + "\n").encode()


def log_line(number: int, text: str = "") -> bytes:
    """One line of MongoDB's log, different for each number."""
    line = {
        "t": {"$date": f"2026-01-05T10:00:{number % 60:02d}.{number:03d}+00:00"},
        "s": "I",
        "c": "TEST",
        "id": number,
        "ctx": "main",
        "msg": text or f"line {number}",
    }
    return json.dumps(line).encode() + b"\n"


def truncated(body: bytes) -> bytes:
    """A gzip file of which the last bytes never arrived."""
    return gzip.compress(body, mtime=0)[:-20]


@dataclass
class Chain:
    """A laptop AWS with the pipeline on it, and what has been sent there."""

    laptop: Laptop

    def send(self, key: str, body: bytes) -> str:
        """Put an object into the raw bucket; its key."""
        bucket = self.laptop.deployment.outputs["RawBucket"]
        self.laptop.aws.endpoint.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return key

    def send_sample(self, file: SampleFile) -> str:
        """Put a sample's file where it belongs."""
        return self.send(raw_key(file.dataset, file.source, file.dt, file.name), file.body)

    def settle(self) -> None:
        """Wait until nobody has anything to do; fails if that takes too long or leaves something undone."""
        assert self.laptop.aws.wait_idle(PATIENCE_SECONDS), "the chain is still busy"
        seen = self.laptop.deployment.overview()
        assert seen.settled, [file for file in seen.files if file.state == "PENDING"]

    def versions(self, key: str) -> list[FileStatus]:
        """What became of the versions of a key, oldest first."""
        return [file for file in self.laptop.deployment.overview().files if file.key == key]

    def only(self, key: str) -> FileStatus:
        """What became of a key of which there is one version."""
        (file,) = self.versions(key)
        return file

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        return self.laptop.deployment.warehouse.query(sql).rows

    def json(self, key: str) -> Any:
        """A JSON document of the lake."""
        return Objects().get_json(self.laptop.deployment.lake.bucket, key)

    def curated(self, dataset: str) -> list[dict[str, Any]]:
        """A dataset's rows in the lake, as whoever reads by manifest sees them."""
        objects, lake = Objects(), self.laptop.deployment.lake
        rows: list[dict[str, Any]] = []
        for manifest in self.lake_keys(f"manifests/{dataset}/"):
            for key in keys_in_manifest(self.json(manifest), lake):
                with tempfile.NamedTemporaryFile() as file:
                    objects.download(lake.bucket, key, Path(file.name))
                    rows += pq.ParquetFile(file.name).read().to_pylist()
        return rows

    def lake_keys(self, prefix: str) -> list[str]:
        """Keys in the lake."""
        return sorted(Objects().sizes(self.laptop.deployment.lake.bucket, prefix))
