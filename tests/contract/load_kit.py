"""Loads as the pipeline submits them, on PostgreSQL through the laptop's Data API; and what they leave behind."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from contract.redshift_fixtures import ADMIN, ROLE, Warehouse, open_warehouse, plain, s3
from gluebook.contracts import CONTRACTS, PROVENANCE, TYPES, Column, Contract
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.core.sql.load import LoadRequest, drift_sql, load_sql, reference_columns
from gluebook.core.sql.schema import WarehouseUsers, schema_sql
from localaws.endpoint import DEPLOYER, Credentials, Endpoint
from localaws.redshift import Postgres

Row = dict[str, Any]


@dataclass(frozen=True)
class OneClient(Endpoint):
    """Makes each client once: to make one takes longer than to load a few rows."""

    clients: dict[tuple[str, Credentials], Any] = field(default_factory=dict)

    def client(self, service: str, credentials: Credentials = DEPLOYER) -> Any:
        if (service, credentials) not in self.clients:
            self.clients[service, credentials] = super().client(service, credentials)
        return self.clients[service, credentials]


ALL_CONTRACTS = tuple(CONTRACTS.values())


@dataclass
class Loads:
    """A warehouse with the schema, and loads into it."""

    warehouse: Warehouse
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def manifest(self, columns: Sequence[Column], rows: Sequence[Row]) -> str:
        """Uploads rows as one Parquet file; the URI of its manifest, which doesn't exist if there are none."""
        number = next(self._numbers)
        if not rows:
            return f"s3://lake/manifests/{number}-missing.json"
        table = pa.table(
            {
                column.name: pa.array(
                    [row.get(column.name) for row in rows], pa.type_for_alias(TYPES[column.type].arrow)
                )
                for column in columns
            }
        )
        entry = self.warehouse.put_parquet(f"curated/{number}.parquet", table)
        return self.warehouse.put_manifest(f"manifests/{number}.json", [entry])

    def request(
        self,
        contract: Contract,
        batch: str,
        rows: Sequence[Row],
        row_references: Sequence[Row] = (),
        generation: int = 1,
    ) -> LoadRequest:
        """Uploads what a load needs."""
        return LoadRequest(
            batch_id=batch,
            manifest_uri=self.manifest(contract.columns, rows),
            copy_role_arn=ROLE,
            rows=len(rows),
            generation=generation,
            row_references_uri=self.manifest(reference_columns(contract), row_references)
            if row_references
            else "",
            row_references=len(row_references),
        )

    def run(self, contract: Contract, request: LoadRequest, *questions: str) -> list[list[list[Any]]]:
        """Loads, in one call with `questions` behind it; the rows of the load's last statement and of each."""
        sqls = load_sql(contract, request)
        described = self.warehouse.ok(*sqls, *questions)
        return [
            plain(
                self.warehouse.api("GetStatementResult", {"Id": f"{described['Id']}:{len(sqls) + n}"}, ADMIN)
            )
            for n in range(len(questions) + 1)
        ]

    def load(self, contract: Contract, request: LoadRequest) -> tuple[int, int, int]:
        """Loads; rows merged, superseded, retracted."""
        [[counts]] = self.run(contract, request)
        return (counts[0], counts[1], counts[2])

    def error(self, contract: Contract, request: LoadRequest) -> str:
        return self.warehouse.error(*load_sql(contract, request))

    def drift(self, contract: Contract) -> list[Any]:
        [found] = self.warehouse.rows(drift_sql(contract))
        return found

    def empty(self) -> None:
        """Forget everything; quicker than another database."""
        names = ["etl_loads", "etl_files", *CONTRACTS]
        extra_references = [f"{contract.name}_echoes" for contract in ALL_CONTRACTS if contract.append]
        self.warehouse.ok(*(f"delete from {name}" for name in (*names, *extra_references)))


@contextmanager
def open_loads() -> Iterator[Loads]:
    """A PostgreSQL, an S3, a Data API, and in it the pipeline's tables."""
    with Postgres.start() as postgres, s3() as endpoint:
        warehouse = open_warehouse(postgres.uri, OneClient(endpoint.url))
        try:
            # The tables belong to the administrator; loads and queries use a role that may load.
            users = WarehouseUsers(loaders=("IAMR:load",))
            warehouse.as_admin(*schema_sql(ALL_CONTRACTS, users))
            yield Loads(warehouse)
        finally:
            warehouse.api.close()


def log(key: str, file: str, version: str, batch: str, message: str = "", record: int = 1) -> Row:
    """A row of `app_logs`."""
    return {
        "source": "mongod",
        "log_id": key,
        "occurred_at": dt.datetime(2026, 1, 5, 10),
        "level": "info",
        "is_error": False,
        "service": "mongod",
        "message": message,
    } | provenance(file, version, batch, record)


def ticket(
    key: str, revision: int, batch: str, day: int = 1, fingerprint: str = "x", category: str | None = None
) -> Row:
    """A row of `support_tickets`."""
    return {
        "source": "servicenow",
        "ticket_id": key,
        "revision": revision,
        "status": "new",
        "category": category,
        "updated_at": dt.datetime(2026, 1, day),
        "_row_hash": fingerprint,
    } | provenance("tickets.csv", "1", batch)


def provenance(file: str, version: str, batch: str, record: int = 1) -> Row:
    return dict(zip((column.name for column in PROVENANCE), (file, version, record, batch), strict=True))


def of_file(file: str, version: str, order: str) -> Row:
    """The reference that registers a file version."""
    return {"_source_file": file, "_source_version": version, "version_order": order}


def extra_reference(key: str, file: str, version: str, record: int = 1) -> Row:
    """A reference to a row that another file version also contains."""
    return {
        "source": "mongod",
        "log_id": key,
        "_source_file": file,
        "_source_version": version,
        "_source_record": record,
    }


__all__ = [
    "APP_LOGS",
    "SUPPORT_TICKETS",
    "Loads",
    "Row",
    "extra_reference",
    "log",
    "of_file",
    "open_loads",
    "provenance",
]
