"""PostgreSQL's errors in Redshift's words, where those are known."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg

from localaws.redshift.errors import RedshiftError
from localaws.redshift.postgres.compat import BYTES_CONSTRAINT

_INVALID_NUMBER = re.compile(r'invalid input syntax for type (integer|bigint|smallint): "(.*)"', re.DOTALL)
_TYPE_WORDS = {"integer": "Integer", "bigint": "Long", "smallint": "Short"}
# Redshift's PostgreSQL is of a time when all of these were relations.
_TABLE = re.compile(r"(?<=permission denied for )(table|view)|(?<=must be owner of )(table|view)")
_INVALID_DIGIT = 1207
_TOO_LONG = 8001


def translate(error: psycopg.Error) -> RedshiftError:
    """Redshift's error for one of PostgreSQL. What isn't known keeps PostgreSQL's message."""
    diag = error.diag
    primary = diag.message_primary or str(error).strip() or type(error).__name__
    match error:
        case pg.SerializationFailure():
            # Both engines end the transaction that comes second; it may be retried as a whole.
            return RedshiftError(
                "1023", "Serializable isolation violation on table - transactions form a cycle"
            )
        case pg.DeadlockDetected():
            return RedshiftError("deadlock detected", diag.message_detail)
        case pg.CardinalityViolation() if "MERGE" in primary:
            return RedshiftError("Found multiple matches to update the same tuple.")
        case pg.CardinalityViolation():
            return RedshiftError("single-row subquery returns more than one row")
        case pg.InvalidTextRepresentation() if found := _INVALID_NUMBER.match(primary):
            return _invalid_digit(found[1], found[2])
        case pg.NotNullViolation():
            return RedshiftError(f"Cannot insert a NULL value into column {diag.column_name}")
        case pg.CheckViolation() if (diag.constraint_name or "").startswith(BYTES_CONSTRAINT):
            return _too_long(
                f"Value too long for a column of table {diag.table_name}: VARCHAR(n) counts bytes"
            )
        case pg.StringDataRightTruncation():
            return _too_long(primary)
        case pg.DivisionByZero():
            return RedshiftError("Divide by zero")
        case pg.GeneratedAlways():
            return RedshiftError("cannot set an identity column to a value")
        case pg.QueryCanceled() if "statement timeout" in primary:
            return RedshiftError("Query canceled because of a timeout")
        case pg.QueryCanceled():
            return RedshiftError("Query canceled on user's request")
        case pg.InsufficientPrivilege():
            return RedshiftError(_TABLE.sub("relation", primary))
        case pg.InternalError_() if "tuple concurrently" in primary:
            return RedshiftError("could not complete because of conflict with concurrent transaction")
        case pg.InternalError_() if "could not open relation" in primary:
            return RedshiftError("1018", "Relation does not exist.")
    if is_connection_lost(error):
        return RedshiftError(f"the connection to the database was lost: {primary.splitlines()[0]}")
    return RedshiftError(primary, diag.message_detail)


def is_connection_lost(error: psycopg.Error) -> bool:
    """Whether the server was lost, rather than the statement refused."""
    state = error.sqlstate or ""
    return state.startswith(("08", "57P")) or (not state and isinstance(error, psycopg.OperationalError))


def _invalid_digit(type_name: str, value: str) -> RedshiftError:
    digits = len(re.match(r"\s*[+-]?\d*", value)[0])  # type: ignore[index]  # matches the empty string too
    found = value[digits : digits + 1]
    message = f"Invalid digit, Value '{found}', Pos {digits}, Type: {_TYPE_WORDS[type_name]}"
    return RedshiftError.block(message, _INVALID_DIGIT, value)


def _too_long(context: str) -> RedshiftError:
    return RedshiftError.block("Value too long for character type", _TOO_LONG, context)
