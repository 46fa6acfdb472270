"""Restore a recording: deploy the release's template and put back what the release had stored."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

from gluebook.aws.services import Warehouse
from gluebook.cli.deployment import STACK
from infra.roles_kit import Pipeline
from localaws.stack import LocalAws

HERE = Path(__file__).parent
ARTEFACTS = "gluebook-artefacts"
_PSEUDONYM_KEY = "gluebook-pseudonym-key"
# AWS docs: BatchExecuteStatement takes as many.
_STATEMENTS = 40


@dataclass(frozen=True)
class Recording:
    """What one release left behind."""

    path: Path

    @cached_property
    def stored(self) -> dict[str, Any]:
        """See record.py's `dump`."""
        with zipfile.ZipFile(self.path) as archive:
            return dict(json.loads(archive.read("stored.json")))

    def restore(self, aws: LocalAws, folder: Path) -> None:
        """Deploy the release's template and put back what it had stored. No event is delivered."""
        aws.faults.deliveries(lambda event, target: [])
        try:
            self._deploy(aws, folder)
            self._objects(aws)
            self._ledger(aws)
            client = aws.endpoint.client("secretsmanager")
            client.put_secret_value(SecretId=_PSEUDONYM_KEY, SecretString=self.stored["secret"])
            self._tables(aws)
        finally:
            aws.wait_idle(60)
            aws.faults.deliveries(None)

    def _deploy(self, aws: LocalAws, folder: Path) -> None:
        """The template as it was. The code isn't the release's: it never runs."""
        infra = folder / "infra"
        infra.mkdir()
        with zipfile.ZipFile(self.path) as archive:
            (infra / "pipeline.yaml").write_bytes(archive.read("pipeline.yaml"))
        (folder / "build" / "layer" / "python").mkdir(parents=True)
        (folder / "build" / "layer" / "python" / "nothing.py").touch()
        (folder / "glue").mkdir()
        for dataset in ("support_tickets", "app_logs"):
            (folder / "glue" / f"{dataset}.py").touch()
        for function in ("admit", "load", "sweep"):
            (folder / "lambda" / function).mkdir(parents=True)
            (folder / "lambda" / function / "handler.py").touch()
        package = {"ArtefactBucket": ARTEFACTS, "WheelUri": f"s3://{ARTEFACTS}/nothing.whl"}
        aws.deploy(infra / "pipeline.yaml", STACK, package, ARTEFACTS)

    def _objects(self, aws: LocalAws) -> None:
        """Under the version ids that they had: the ledger knows them by these."""
        backend = s3_backends[aws.endpoint.account]["aws"]
        with zipfile.ZipFile(self.path) as archive:
            for number, place in enumerate(self.stored["objects"]):
                body = archive.read(f"objects/{number}")
                stored = backend.put_object(place["bucket"], place["key"], body)
                stored.set_acl(backend.get_bucket(place["bucket"]).acl)
                if place["version"] != "null":
                    stored._version_id = place["version"]

    def _ledger(self, aws: LocalAws) -> None:
        dynamodb = aws.endpoint.client("dynamodb")
        for item in self.stored["ledger"]:
            dynamodb.put_item(TableName=self.stored["outputs"]["LedgerTable"], Item=item)

    def _tables(self, aws: LocalAws) -> None:
        """Made as the load function, so that its role owns them, as it did."""
        inserts = [
            _insert(name, table["columns"], row)
            for name, table in self.stored["tables"].items()
            for row in table["rows"]
        ]
        sqls, outputs = [*self.stored["schema"], *inserts], self.stored["outputs"]
        with Pipeline(aws, outputs).acting("load") as session:
            warehouse = Warehouse(outputs["Workgroup"], outputs["WarehouseDatabase"], session)
            for first in range(0, len(sqls), _STATEMENTS):
                warehouse.run(sqls[first : first + _STATEMENTS], name="restore", timeout_seconds=60)


def _insert(table: str, columns: list[str], row: list[Any]) -> str:
    values = ", ".join(_literal(value) for value in row)
    return f"insert into {table} ({', '.join(columns)}) values ({values})"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (bool, int)):
        return str(value).lower()
    text = str(value).replace("'", "''")
    return f"'{text}'"
