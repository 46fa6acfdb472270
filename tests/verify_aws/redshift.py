"""Redshift: what COPY needs and takes, how values compare, who may see what, two loads of one batch at once."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gluebook.contracts import CONTRACTS, TYPES
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.core.sql.load import LOADS, LoadRequest, load_sql
from gluebook.core.sql.schema import schema_sql
from verify_aws.kit import allow, answer_of
from verify_aws.stack import Deployed

ENDED = ("FINISHED", "FAILED", "ABORTED")
# What an error is about, from its first line and the context of COPY's report; another text is shown as it is.
_KINDS = {
    r"not authorized|access ?denied|403": "access denied",
    r"incompatible Parquet schema": "incompatible Parquet schema",
    r"permission denied": "permission denied",
    r"null byte|invalid byte|0x00": "NUL refused",
    r"too long|longer than": "value too long",
    r"null value|insert a null": "null refused",
    r"invalid digit|invalid input syntax": "invalid digit",
}
_CONTEXT = re.compile(r"context:\s*(.*)")
_OWNER = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}


@dataclass(frozen=True)
class Warehouse:
    """The probes' workgroup, as one of its users."""

    deployed: Deployed
    keys: Mapping[str, str] | None = None

    def run(self, *sql: str) -> str:
        """`FINISHED`, or what the error is about."""
        return self.ended(self.submit(*sql))

    def submit(self, *sql: str) -> str:
        """The id of a statement; several are one transaction."""
        client = self.client
        common: dict[str, Any] = {"WorkgroupName": self.deployed.place.name, "Database": "probe"}
        if len(sql) == 1:
            return str(client.execute_statement(Sql=sql[0], **common)["Id"])
        return str(client.batch_execute_statement(Sqls=list(sql), **common)["Id"])

    def ended(self, statement: str) -> str:
        """The same of a statement that was submitted."""
        client, place = self.client, self.deployed.place

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = client.describe_statement(Id=statement)
            return found if found["Status"] in ENDED else None

        found = place.until(f"statement {statement}", look)
        return "FINISHED" if found["Status"] == "FINISHED" else f"FAILED: {_kind(found.get('Error', ''))}"

    def value(self, sql: str) -> str:
        """The first value of a query's first row, as text."""
        statement = self.submit(sql)
        if (ended := self.ended(statement)) != "FINISHED":
            return ended
        (first, *_), *_ = self.client.get_statement_result(Id=statement)["Records"]
        return str(next(iter(first.values())))

    @property
    def client(self) -> Any:
        """The Data API as this user."""
        return self.deployed.place.client("redshift-data", self.keys)


def probes(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer)"""
    admin = Warehouse(deployed)
    yield from _copies(deployed, admin)
    yield from _comparisons(admin)
    yield from _two_loads(deployed, admin)
    yield from _identities(deployed, admin)


def _copies(deployed: Deployed, admin: Warehouse) -> Iterator[tuple[str, str]]:
    lists, lists_not = deployed.outputs["Lists"], deployed.outputs["ListsNot"]
    cases: dict[str, tuple[str, pa.Array]] = {
        "a text of 65,535 bytes": ("varchar(65535)", pa.array(["x" * 65_535])),
        "more bytes than characters allow": ("varchar(3)", pa.array(["\u00fc\u00fc"])),
        "a NUL in a text": ("varchar(10)", pa.array(["a\0b"])),
        "a time of the year 1": ("timestamp", _times("0001-01-01T00:00:00")),
        "a time of the year 9999": ("timestamp", _times("9999-12-31T23:59:59.999999")),
        "int64 into integer": ("integer", pa.array([1], pa.int64())),
        "a null into not null": ("varchar(10) not null", pa.array([None], pa.string())),
    }
    for number, (case, (column, values)) in enumerate(cases.items()):
        table = f"copied_{number}"
        manifest = _manifest(deployed, f"case-{number}", {"v": values})
        made = admin.run(f"create table {table} (v {column})")
        copied = admin.run(_copy(table, manifest, lists))
        yield f"redshift: copy {case}", copied if made == "FINISHED" else made
    manifest = _manifest(deployed, "grants", {"v": pa.array(["x"])})
    admin.run("create table copied_grants (v varchar(10))")
    yield (
        "redshift: copy with GetObject, ListBucket and GetBucketLocation",
        admin.run(_copy("copied_grants", manifest, lists)),
    )
    yield "redshift: copy with GetObject only", admin.run(_copy("copied_grants", manifest, lists_not))


def _comparisons(admin: Warehouse) -> Iterator[tuple[str, str]]:
    admin.run("create table blanks (a varchar(10), b varchar(10))")
    admin.run("insert into blanks values ('a', 'a ')")
    yield "redshift: 'a' = 'a ' in varchar columns", admin.value("select count(*) from blanks where a = b")
    admin.run("create table unkeyed (k varchar(10), primary key (k))")
    admin.run("insert into unkeyed values ('a'), ('a')")
    yield "redshift: two rows of one primary key", admin.value("select count(*) from unkeyed")
    admin.run("create table source (k varchar(10)); ", "insert into source values ('n'), ('n')")
    yield (
        "redshift: merge of two source rows that match nothing",
        admin.run(
            "merge into unkeyed using source on unkeyed.k = source.k "
            "when matched then update set k = source.k when not matched then insert values (source.k)"
        ),
    )
    yield "redshift: a cast that fails", admin.run("select cast('too many rows' as integer)")


def _two_loads(deployed: Deployed, admin: Warehouse) -> Iterator[tuple[str, str]]:
    """The product's own load of one batch, twice at once: as after a statement whose answer was lost."""
    for statement in schema_sql(tuple(CONTRACTS.values())):
        admin.run(statement)
    schema = _arrow_schema()
    row = {**dict.fromkeys(SUPPORT_TICKETS.names), **_required_values()}
    manifest = _manifest(deployed, "load", {name: pa.array([row[name]], schema[name]) for name in row})
    request = LoadRequest(
        batch_id="probe",
        generation=1,
        manifest_uri=manifest,
        copy_role_arn=deployed.outputs["Lists"],
        rows=1,
        row_references_uri="",
        row_references=0,
    )
    sql = load_sql(SUPPORT_TICKETS, request)
    both = [admin.submit(*sql), admin.submit(*sql)]
    ended = sorted(admin.ended(statement) for statement in both)
    rows = admin.value("select count(*) from support_tickets")
    loads = admin.value(f"select count(*) from {LOADS}")
    yield "redshift: two loads of one batch at once", f"{rows} row, {loads} load"
    yield "redshift: at least one of them finishes", str("FINISHED" in ended)


def _identities(deployed: Deployed, admin: Warehouse) -> Iterator[tuple[str, str]]:
    place = deployed.place
    workgroup = deployed.outputs["WorkgroupArn"]
    run = allow(
        [
            "redshift-data:ExecuteStatement",
            "redshift-data:BatchExecuteStatement",
            "redshift-serverless:GetCredentials",
        ],
        workgroup,
    )
    follow = allow(["redshift-data:DescribeStatement", "redshift-data:GetStatementResult"], "*", **_OWNER)
    other = Warehouse(deployed, place.role("reader", run, follow))
    place.eventually(lambda: other.run("select 1"))
    name = admin.value(f"select usename from pg_user where usename like '%{place.name}-reader'")
    yield "redshift: the database user of a role", name.replace(place.name, "<name>")
    yield "redshift: a table of another user", other.value("select count(*) from blanks")
    admin.run(f'grant select on blanks to "{name}"')
    yield "redshift: the same after a grant", other.value("select count(*) from blanks")
    mine = admin.submit("select 1")
    admin.ended(mine)
    yield (
        "redshift: describe another user's statement",
        answer_of(lambda: other.client.describe_statement(Id=mine)),
    )
    yield (
        "redshift: describe a statement that is not known",
        answer_of(lambda: admin.client.describe_statement(Id=str(uuid.uuid4()))),
    )


def _kind(error: str) -> str:
    first = error.strip().splitlines()[0] if error.strip() else "no text"
    context = _CONTEXT.search(error)
    text = f"{first} {context[1]}" if context else first
    return next((kind for pattern, kind in _KINDS.items() if re.search(pattern, text, re.I)), text)


def _times(text: str) -> pa.Array:
    return pa.array([datetime.fromisoformat(text)], pa.timestamp("us"))


def _copy(table: str, manifest: str, role: str) -> str:
    return f"copy {table} from '{manifest}' iam_role '{role}' format as parquet manifest"


def _manifest(deployed: Deployed, name: str, columns: Mapping[str, pa.Array]) -> str:
    """Upload one Parquet file; the URI of a manifest of it."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer)
    body = buffer.getvalue()
    url = deployed.put(f"data/{name}.parquet", body)
    entry = {"url": url, "mandatory": True, "meta": {"content_length": len(body)}}
    return deployed.put(f"manifests/{name}.json", json.dumps({"entries": [entry]}).encode())


def _arrow_schema() -> Mapping[str, pa.DataType]:
    return {column.name: pa.type_for_alias(TYPES[column.type].arrow) for column in SUPPORT_TICKETS.columns}


def _required_values() -> Mapping[str, Any]:
    values: dict[str, Any] = {"text": "probe", "integer": 1, "bigint": 1, "boolean": True}
    values["timestamp"] = datetime(2026, 1, 5)
    return {c.name: values[c.type] for c in SUPPORT_TICKETS.columns if not c.nullable}
