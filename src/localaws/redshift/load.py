"""Runs a COPY: finds its files in S3 as the COPY's role, and streams them into the table, batch by batch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql as pgsql

from localaws.endpoint import Credentials, Endpoint
from localaws.errors import ApiError
from localaws.redshift.catalog import target_columns
from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.parquet import Rules, TableColumn, batches
from localaws.redshift.sql.copy import Copy
from localaws.threads import made_ahead

CHUNK_BYTES = 1 << 20
_BAD_MANIFEST = 15003
_S3_ERROR = 8001


@dataclass(frozen=True)
class _File:
    url: str
    mandatory: bool
    size: int | None


class Loader:
    """Executes COPYs. `assume` gives the credentials of a role as Redshift gets them."""

    def __init__(self, endpoint: Endpoint, assume: Callable[[str], Credentials]) -> None:
        self._endpoint = endpoint
        self._assume = assume

    def run(self, connection: psycopg.Connection[Any], copy: Copy, proceed: Callable[[], None]) -> int:
        """Loads all files of `copy` within the connection's transaction; returns the number of rows.

        `proceed` is called between batches and may raise to stop. Raises RedshiftError.
        """
        columns = target_columns(connection, copy)
        s3 = self._endpoint.client("s3", self._credentials(copy.role))
        _check_bucket(s3, copy.source)
        files = _manifest_files(s3, copy.source) if copy.manifest else _prefix_files(s3, copy.source)
        for bucket in sorted(
            {_bucket_and_key(file.url)[0] for file in files} - {_bucket_and_key(copy.source)[0]}
        ):
            _check_bucket(s3, f"s3://{bucket}/")
        rows = loaded = 0
        for file in files:
            proceed()
            with tempfile.TemporaryDirectory(prefix="redshift-copy-") as directory:
                path = Path(directory) / "data.parquet"
                if not _download(s3, file, path):
                    continue
                loaded += 1
                rows += _load(connection, copy, columns, path, file.url, proceed)
        if not loaded:
            raise RedshiftError(f"No files were found for the COPY from {copy.source}")
        return rows

    def _credentials(self, role: str) -> Credentials:
        try:
            return self._assume(role)
        except ApiError as error:
            message = f"User is not authorized to assume IAM Role {role}"
            raise RedshiftError.block(message, _S3_ERROR, str(error)) from error


def _check_bucket(s3: Any, url: str) -> None:
    """What COPY does before it reads: ask where the bucket is, and list it. Raises RedshiftError.

    AWS docs, "Permissions to access other AWS Resources" and "IAM permissions for COPY, UNLOAD, and CREATE
    LIBRARY" (Amazon Redshift Database Developer Guide): COPY needs LIST access to the bucket and GET access to its
    objects; s3:GetBucketLocation belongs to that. No page says which prefix the listing has, so it has none
    here: a grant that depends on one is refused.
    """
    bucket, _ = _bucket_and_key(url)
    with _s3_errors(f"Failed to list keys of {url}"):
        s3.get_bucket_location(Bucket=bucket)
        s3.list_objects_v2(Bucket=bucket, MaxKeys=1)


def _bucket_and_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise RedshiftError(f"The S3 URL {url!r} is not valid: it must be s3://bucket/key")
    return parts.netloc, url[len(f"s3://{parts.netloc}/") :]


@contextmanager
def _s3_errors(context: str, prefix: str = "") -> Iterator[None]:
    """Errors of S3 as COPY reports them."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise RedshiftError.block(f"{prefix}{_service_error(error)}", _S3_ERROR, context) from error


def _service_error(error: ClientError | BotoCoreError) -> str:
    if not isinstance(error, ClientError):
        return f"S3ServiceException:{error}"
    answer = error.response
    code, message = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
    status, request = (answer["ResponseMetadata"].get(name, "") for name in ("HTTPStatusCode", "RequestId"))
    return f"S3ServiceException:{message},Status {status},Error {code},Rid {request},CanRetry 1"


def _manifest_files(s3: Any, url: str) -> list[_File]:
    bucket, key = _bucket_and_key(url)
    with _s3_errors(url, "Problem reading manifest file - "):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        entries = json.loads(body)["entries"]
        return [_manifest_file(entry) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        message = f"Problem reading manifest file - it isn't a manifest: {error!r}"
        raise RedshiftError.block(message, _S3_ERROR, url) from error


def _manifest_file(entry: dict[str, Any]) -> _File:
    size, mandatory = entry.get("meta", {}).get("content_length"), entry.get("mandatory", False)
    problem = ""
    if "meta" not in entry:
        problem = "File entry does not have 'meta' key."
    elif type(size) is not int:
        problem = "File entry does not have 'content_length' key."
    elif not isinstance(mandatory, bool):
        problem = "File entry's 'mandatory' is neither true nor false."
    if problem:
        raise RedshiftError.block(problem, _BAD_MANIFEST, entry["url"])
    return _File(entry["url"], mandatory, size)


def _prefix_files(s3: Any, url: str) -> list[_File]:
    bucket, prefix = _bucket_and_key(url)
    with _s3_errors(f"Failed to list keys of {url}"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        listed = [item for page in pages for item in page.get("Contents", [])]
    if not listed:
        raise RedshiftError(f"The specified S3 prefix '{prefix}' does not exist")
    return [_File(f"s3://{bucket}/{item['Key']}", True, item["Size"]) for item in listed]


def _download(s3: Any, file: _File, path: Path) -> bool:
    """Streams the object to `path`; False if it doesn't exist and needn't."""
    bucket, key = _bucket_and_key(file.url)
    size = 0
    with _s3_errors(f"Failed to read {file.url}"):
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if file.mandatory or error.response["Error"].get("Code") not in ("NoSuchKey", "404"):
                raise
            return False
        with path.open("wb") as target:
            for chunk in body.iter_chunks(CHUNK_BYTES):
                size += target.write(chunk)
    if file.size is not None and size != file.size:
        raise RedshiftError.scan(
            _BAD_MANIFEST,
            f"The content_length {file.size} in the manifest isn't the size {size} of {file.url}",
        )
    return True


def _load(
    connection: psycopg.Connection[Any],
    copy: Copy,
    columns: list[TableColumn],
    path: Path,
    url: str,
    proceed: Callable[[], None],
) -> int:
    """Loads one file with PostgreSQL's binary COPY; only two batches of it are in memory at a time."""
    rules = Rules(copy.fill_record, copy.serialize_to_json, copy.replacement)
    statement = pgsql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        pgsql.SQL(copy.table),
        pgsql.SQL(", ").join(pgsql.Identifier(column.name) for column in columns),
    )
    rows = 0
    # PostgreSQL takes a batch while the next one is read, checked and encoded.
    with (
        closing(made_ahead(_encoded(path, columns, url, rules))) as pieces,
        connection.cursor() as cursor,
        cursor.copy(statement) as target,
    ):
        for content, count in pieces:
            proceed()
            target.write(content)
            rows += count
    return rows


def _encoded(path: Path, columns: list[TableColumn], url: str, rules: Rules) -> Iterator[tuple[bytes, int]]:
    """The file in PostgreSQL's binary format, piece by piece, each with its number of rows."""
    encoder: ArrowToPostgresBinaryEncoder | None = None
    for batch in batches(path, columns, url, rules):
        if encoder is None:
            encoder = _encoder(batch.schema, columns)
            yield encoder.write_header(), 0
        yield encoder.write_batch(batch), batch.num_rows
    yield (_EMPTY if encoder is None else encoder.finish()), 0


# A file without rows: header and trailer of PostgreSQL's binary format.
_EMPTY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


def _encoder(schema: Any, columns: list[TableColumn]) -> ArrowToPostgresBinaryEncoder:
    if not any(column.type == "super" for column in columns):
        return ArrowToPostgresBinaryEncoder(schema)
    builders = {}
    for field, column in zip(schema, columns, strict=True):
        builder = ArrowToPostgresBinaryEncoder.infer_encoder(field)
        if column.type == "super":
            if not isinstance(builder, StringEncoderBuilder):
                raise UnsupportedSql(f"SUPER column {column.name} can't be written")
            builder = StringEncoderBuilder.new_with_output(field, Jsonb())
        builders[field.name] = builder
    return ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)
