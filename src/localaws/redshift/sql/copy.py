"""COPY from Parquet, read into a value.

AWS docs: "COPY" and "COPY from columnar data formats" in the Amazon Redshift Database Developer Guide: of COPY's
parameters, columnar formats take FROM, IAM_ROLE, CREDENTIALS, STATUPDATE, MANIFEST, EXPLICIT_IDS, FILLRECORD,
ACCEPTINVCHARS and SERIALIZETOJSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.names import name_key, parse_name
from localaws.redshift.sql.tokens import Sql
from localaws.redshift.sql.words import word_set

DEFAULT_ROLE = "default"
_OTHER_FORMATS = word_set("ORC CSV JSON AVRO DELIMITER FIXEDWIDTH SHAPEFILE RCFILE SEQUENCEFILE TEXTFILE")
# Known to COPY, not to COPY from a columnar format.
_NOT_FOR_PARQUET = word_set(
    "ACCEPTANYDATE BLANKSASNULL BZIP2 COMPROWS COMPUPDATE DATEFORMAT EMPTYASNULL ENCODING ENCRYPTED ESCAPE GZIP"
    " IGNOREALLERRORS IGNOREBLANKLINES IGNOREHEADER LZOP MASTER_SYMMETRIC_KEY MAXERROR NOLOAD NULL QUOTE READRATIO"
    " REGION REMOVEQUOTES ROUNDEC SSH TIMEFORMAT TRIMBLANKS TRUNCATECOLUMNS ZSTD"
)


@dataclass(frozen=True)
class Copy:
    """A COPY .. FORMAT PARQUET.

    `table`: as PostgreSQL reads it; `columns`: None means all of them; `role`: ARN, or "default" for the namespace's
    default role; `source`: s3:// URL of the manifest or a key prefix; `replacement`: ACCEPTINVCHARS' character.
    """

    table: str
    source: str
    columns: tuple[str, ...] | None = None
    role: str = field(default="", repr=False)
    is_parquet: bool = False
    manifest: bool = False
    fill_record: bool = False
    explicit_ids: bool = False
    serialize_to_json: bool = False
    replacement: str | None = None


def parse_copy(sql: Sql) -> Copy:
    """The COPY in `sql`. Raises UnsupportedSql for other formats, RedshiftError for what Redshift refuses."""
    table, index = parse_name(sql, 1)
    columns: tuple[str, ...] | None = None
    if sql.raw(index) == "(":
        close = sql.match(index)
        columns = tuple(name_key(sql, first) for first, _ in sql.split(index + 1, close))
        index = close + 1
    source, index = _string(sql, sql.expect(index, "FROM"))
    if not source.startswith("s3://"):
        raise UnsupportedSql(f"COPY from {source!r} isn't supported: only from s3://")
    copy = Copy(table, source, columns)
    found: dict[str, Any] = {}
    while index < len(sql):
        _refuse(sql, index)
        name, read = _OPTIONS[sql.word(index)]
        if name in found:
            raise RedshiftError("conflicting or redundant options")
        found[name], index = read(sql, index + 1)
    found.pop("", None)
    copy = replace(copy, **found)
    if not copy.is_parquet:
        raise UnsupportedSql("COPY without FORMAT AS PARQUET isn't supported")
    if not copy.role:
        raise RedshiftError("COPY needs an authorization parameter: IAM_ROLE or CREDENTIALS")
    return copy


def _refuse(sql: Sql, index: int) -> None:
    word = sql.word(index)
    if word in _OTHER_FORMATS:
        raise UnsupportedSql(f"COPY from {word} isn't supported: only FORMAT AS PARQUET is")
    if word in _NOT_FOR_PARQUET:
        raise RedshiftError(f"{word} argument is not supported for PARQUET based COPY")
    if word not in _OPTIONS:
        raise sql.syntax_error(index)


def _string(sql: Sql, index: int) -> tuple[str, int]:
    if index >= len(sql) or not sql.tokens[index].is_string:
        raise sql.syntax_error(index)
    return sql.tokens[index].value, index + 1


# Takes the index after the option's name; returns the field's value, and the index after the option.
_Option = Callable[[Sql, int], tuple[Any, int]]


def _flag(_: Sql, index: int) -> tuple[bool, int]:
    return True, index


def _format(sql: Sql, index: int) -> tuple[Any, int]:
    index += sql.word(index) == "AS"
    if sql.word(index) in _OTHER_FORMATS:
        raise UnsupportedSql(f"COPY from {sql.word(index)} isn't supported: only FORMAT AS PARQUET is")
    return True, sql.expect(index, "PARQUET")


def _iam_role(sql: Sql, index: int) -> tuple[Any, int]:
    if sql.word(index) == "DEFAULT":
        return DEFAULT_ROLE, index + 1
    role, index = _string(sql, index)
    return _one_role(role), index


def _credentials(sql: Sql, index: int) -> tuple[Any, int]:
    text, index = _string(sql, index + (sql.word(index) == "AS"))
    name, _, role = text.partition("=")
    if name.strip() != "aws_iam_role":
        raise UnsupportedSql(
            "COPY with CREDENTIALS is supported as 'aws_iam_role=<arn>' only, without access keys"
        )
    return _one_role(role.strip()), index


def _one_role(role: str) -> str:
    if not role.startswith("arn:"):
        raise RedshiftError(f"Invalid IAM role: {role!r} is no ARN")
    if "," in role:
        raise UnsupportedSql("COPY with chained roles isn't supported")
    return role


def _statupdate(sql: Sql, index: int) -> tuple[Any, int]:
    return None, index + (sql.word(index) in ("ON", "OFF", "TRUE", "FALSE"))


def _accept_invalid_characters(sql: Sql, index: int) -> tuple[Any, int]:
    stated = index + (sql.word(index) == "AS")
    if stated < len(sql) and sql.tokens[stated].is_string:
        replacement, index = _string(sql, stated)
        if len(replacement.encode()) != 1 or replacement == "\0":
            raise RedshiftError("ACCEPTINVCHARS takes one ASCII character, not NUL")
        return replacement, index
    return "?", index


# Option ▸ the field of Copy that it sets, and its reader.
_OPTIONS: dict[str, tuple[str, _Option]] = {
    "FORMAT": ("is_parquet", _format),
    "PARQUET": ("is_parquet", _flag),
    "IAM_ROLE": ("role", _iam_role),
    "CREDENTIALS": ("role", _credentials),
    "MANIFEST": ("manifest", _flag),
    "FILLRECORD": ("fill_record", _flag),
    "EXPLICIT_IDS": ("explicit_ids", _flag),
    "SERIALIZETOJSON": ("serialize_to_json", _flag),
    "STATUPDATE": ("", _statupdate),
    "ACCEPTINVCHARS": ("replacement", _accept_invalid_characters),
}
