"""Bring a recording back: the release's template is deployed, and what it had stored lies where it lay."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

from gluebook.cli.deployment import STACK
from localaws.stack import LocalAws

HERE = Path(__file__).parent
ARTEFACTS = "gluebook-artefacts"
_PSEUDONYM_KEY = "gluebook-pseudonym-key"


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
        """Deploy the release's template and put back what it had stored. Nobody is told of an event."""
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
        """Made by the load function's role, as they were, so that they are its own."""
        role = f"arn:aws:iam::{aws.endpoint.account}:role/gluebook-load"
        credentials = aws.authorizer.assume(role, "lambda.amazonaws.com", "gluebook-load")
        warehouse = _AsRole(aws.endpoint.client("redshift-data", credentials), self.stored["outputs"])
        inserts = [
            _insert(name, table["columns"], row)
            for name, table in self.stored["tables"].items()
            for row in table["rows"]
        ]
        warehouse.run([*self.stored["schema"], *inserts])


class _AsRole:
    """Statements of the load function, forty at once, which is as many as the Data API takes."""

    def __init__(self, client: Any, outputs: dict[str, str]) -> None:
        self._client = client
        self._outputs = outputs

    def run(self, statements: list[str]) -> None:
        """Run them all. Fails with the first error."""
        for first in range(0, len(statements), 40):
            statement = self._client.batch_execute_statement(
                Sqls=statements[first : first + 40],
                WorkgroupName=self._outputs["Workgroup"],
                Database=self._outputs["WarehouseDatabase"],
            )["Id"]
            while (found := self._client.describe_statement(Id=statement))["Status"] not in (
                "FINISHED",
                "FAILED",
                "ABORTED",
            ):
                pass
            assert found["Status"] == "FINISHED", found.get("Error")


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
