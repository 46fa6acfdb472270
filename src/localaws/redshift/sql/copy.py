"""COPY from Parquet, read into a value.

AWS docs: "COPY" and "COPY from columnar data formats" in the Amazon Redshift Database Developer Guide: of COPY's
parameters, columnar formats take FROM, IAM_ROLE, CREDENTIALS, STATUPDATE, MANIFEST, EXPLICIT_IDS, FILLRECORD,
ACCEPTINVCHARS and SERIALIZETOJSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.tokens import Tokens
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


def parse_copy(tokens: Tokens) -> Copy:
    """The COPY in `tokens`. Raises UnsupportedSql for other formats, RedshiftError for what Redshift refuses."""
    tokens.expect("COPY")
    table = tokens.table()
    columns: tuple[str, ...] | None = None
    if tokens.take("("):
        columns = tuple(tokens.csv(tokens.name))
        tokens.expect(")")
    tokens.expect("FROM")
    source = tokens.string()
    if not source.startswith("s3://"):
        raise UnsupportedSql(f"COPY from {source!r} isn't supported: only from s3://")
    found: dict[str, Any] = {}
    while not tokens.ended:
        name, read = _option(tokens)
        if name in found:
            raise RedshiftError("conflicting or redundant options")
        found[name] = read(tokens)
    found.pop("", None)
    copy = Copy(table, source, columns, **found)
    if not copy.is_parquet:
        raise UnsupportedSql("COPY without FORMAT AS PARQUET isn't supported")
    if not copy.role:
        raise RedshiftError("COPY needs an authorization parameter: IAM_ROLE or CREDENTIALS")
    return copy


def _option(tokens: Tokens) -> tuple[str, Callable[[Tokens], Any]]:
    word = tokens.word
    _refuse_format(tokens)
    if word in _NOT_FOR_PARQUET:
        raise RedshiftError(f"{word} argument is not supported for PARQUET based COPY")
    if word not in _OPTIONS:
        raise tokens.error()
    return _OPTIONS[tokens.next_word()]


def _refuse_format(tokens: Tokens) -> None:
    if tokens.word in _OTHER_FORMATS:
        raise UnsupportedSql(f"COPY from {tokens.word} isn't supported: only FORMAT AS PARQUET is")


def _flag(_: Tokens) -> bool:
    return True


def _format(tokens: Tokens) -> bool:
    tokens.take("AS")
    _refuse_format(tokens)
    tokens.expect("PARQUET")
    return True


def _iam_role(tokens: Tokens) -> str:
    return DEFAULT_ROLE if tokens.take("DEFAULT") else _one_role(tokens.string())


def _credentials(tokens: Tokens) -> str:
    tokens.take("AS")
    name, _, role = tokens.string().partition("=")
    if name.strip() != "aws_iam_role":
        raise UnsupportedSql(
            "COPY with CREDENTIALS is supported as 'aws_iam_role=<arn>' only, without access keys"
        )
    return _one_role(role.strip())


def _one_role(role: str) -> str:
    if not role.startswith("arn:"):
        raise RedshiftError(f"Invalid IAM role: {role!r} is no ARN")
    if "," in role:
        raise UnsupportedSql("COPY with chained roles isn't supported")
    return role


def _statupdate(tokens: Tokens) -> None:
    if tokens.word in ("ON", "OFF", "TRUE", "FALSE"):
        tokens.next_word()


def _accept_invalid_characters(tokens: Tokens) -> str:
    stated = tokens.take("AS")
    if not stated and not tokens.is_string():
        return "?"
    replacement = tokens.string()
    if len(replacement.encode()) != 1 or replacement == "\0":
        raise RedshiftError("ACCEPTINVCHARS takes one ASCII character, not NUL")
    return replacement


# Option ▸ the field of Copy that it sets, and its reader.
_OPTIONS: dict[str, tuple[str, Callable[[Tokens], Any]]] = {
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
