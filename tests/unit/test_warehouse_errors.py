"""Whose fault an error of the warehouse is: only what is known to be the data's blames a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.core.statements import Statement, blames_data, lacks_a_table
from localaws.redshift.errors import RedshiftError

RULE = "-" * 47


def framed(error: str, code: int, context: str) -> str:
    """As Redshift frames what its compute nodes report (aws/amazon-redshift-python-driver, issue 107)."""
    return (
        f"ERROR: {error}\n  Detail: \n  {RULE}\n  error:  {error}\n  code:      {code}\n"
        f"  context:   {context}\n  query:     26301369\n  location:  dory_util.cpp:1450\n  {RULE}"
    )


UNFIT = "File 'https://s3.eu-west-1.amazonaws.com/lake/part-0.parquet' has an incompatible Parquet schema for column"
DATA = [
    framed("Value too long for character type", 8001, "Value too long for type character varying(30)"),
    "ERROR: value too long for type character varying(275)",
    framed("Invalid digit, Value 't', Pos 0, Type: Integer", 1207, "the stage does not hold 1018 rows"),
    "ERROR: Cannot insert a NULL value into column ticket_id",
    'ERROR: null value in column "ticket_id" violates not-null constraint',
    "ERROR: Missing data for not-null field",
    "ERROR: Numeric data overflow (result precision)",
    "ERROR: Found multiple matches to update the same tuple.",
    "ERROR: String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: a0",
    framed("Spectrum Scan Error", 15007, UNFIT),
    # As it is cut off, and on one line (rudderlabs/rudder-server, pull request 3178).
    framed("Spectrum Scan Error", 15007, "File 'https://s3.eu-west-1.amazonaws.com/a-very-long-name"),
    "ERROR: Spectrum Scan Error Detail: error: Spectrum Scan Error code: 15007 context: File 'https://s3",
    framed(
        "Spectrum Scan Error", 15007, "Unmatched number of columns between table and file. Table columns: 20"
    ),
    framed(
        "Spectrum Scan Error", 15001, "The length of the data column note is longer than the length defined"
    ),
    framed("S3 Query Exception (Fetch)", 15001, f"Task failed due to an internal error. {UNFIT} 's3://x.a'"),
    "Query #3 failed with ERROR: Value too long for character type",
    "Query failed with ERROR: Invalid digit, Value 'x', Pos 0, Type: Integer",
]
ENVIRONMENT = [
    "",
    "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 4,ExtRid x,CanRetry 1",
    "ERROR: Not authorized to get credentials of role arn:aws:iam::123456789012:role/copy",
    framed("User arn:aws:redshift:x is not authorized to assume IAM Role y", 8001, "IAM Role=y"),
    "ERROR: Spectrum Scan Error",
    framed(
        "Spectrum Scan Error",
        15001,
        "Forbidden: HTTP response error code: 403 Message: AccessDenied Access Denied",
    ),
    framed("S3 Query Exception (Fetch)", 15001, "Task failed due to an internal error. Access Denied"),
    "ERROR: permission denied for relation etl_loads",
    "ERROR: permission denied for schema public",
    "ERROR: Disk Full\n  Detail: error: Disk Full code: 1016 context: node: 0",
    "ERROR: S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown,Rid 1",
    "ERROR: COPY with MANIFEST parameter requires full path of an S3 object.",
    "ERROR: Problem reading manifest file - S3ServiceException:Access Denied,Status 403",
    "ERROR: 1023\n  Detail: Serializable isolation violation on table - 104",
    "ERROR: 1018 DETAIL: Relation does not exist.",
    "ERROR: deadlock detected",
    "the connection to the database was lost: terminating connection",
    "ERROR: syntax error at or near",
    "something that nobody has seen yet",
]


@pytest.mark.parametrize("error", DATA)
def test_what_is_known_to_be_the_datas_blames_it(error: str) -> None:
    assert blames_data(error)
    assert not lacks_a_table(error)


@pytest.mark.parametrize("error", ENVIRONMENT)
def test_anything_else_is_the_environments(error: str) -> None:
    assert not blames_data(error)


def test_a_cancelled_statement_blames_no_data() -> None:
    assert not Statement("s", "ABORTED", DATA[0], result_id="s").blames_data
    assert Statement("s", "FAILED", DATA[0], result_id="s").blames_data


@pytest.mark.parametrize("quoted", ["connection reset", "conflict", "deadlock", "Access Denied", "Disk Full"])
def test_words_of_the_environment_in_quoted_data_excuse_nothing(quoted: str) -> None:
    assert blames_data(
        f"ERROR: Invalid digit, Value '{quoted[0]}', Pos 0, Type: Integer\n  context: {quoted}"
    )
    assert blames_data(framed("Value too long for character type", 8001, quoted))


@given(
    st.sampled_from([e for e in ENVIRONMENT if "Spectrum" not in e and "S3 Query" not in e]),
    st.sampled_from(DATA),
)
def test_what_is_quoted_below_the_first_line_or_within_it_blames_nothing(environment: str, data: str) -> None:
    first = environment.partition("\n")[0] or "ERROR: nobody knows"
    quoted = data.removeprefix("ERROR: ")
    assert not blames_data(f"{first} - {quoted.partition(chr(10))[0]}")
    assert not blames_data(f"ERROR: Disk Full\n  Detail: {quoted}\n  code: 15007\n  context: {UNFIT}")


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        ('ERROR: relation "etl_loads" does not exist', True),
        ("Query #1 failed with ERROR: relation public.app_logs does not exist", True),
        ('ERROR: Invalid digit\n  context: relation "x" does not exist', False),
        ('ERROR: schema "public" does not exist', False),
    ],
)
def test_a_table_that_is_gone_is_recognised_by_the_first_line(error: str, lacks: bool) -> None:
    assert lacks_a_table(error) is lacks


def test_the_laptops_warehouse_words_its_errors_so_that_they_are_recognised() -> None:
    scan = RedshiftError.scan(15007, f"{UNFIT} 'a'. Column type: INTEGER, Parquet schema: int64 a")
    too_long = RedshiftError.scan(
        15001, "The length of the data column a is longer than the length defined in"
    )
    denied = RedshiftError.block("S3ServiceException:Access Denied,Status 403", 8001, "Failed to read s3://x")
    assert blames_data(f"ERROR: {scan}") and blames_data(f"ERROR: {too_long}")
    assert not blames_data(f"ERROR: {denied}")
