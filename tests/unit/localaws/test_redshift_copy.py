"""COPY statements read into values, and Parquet columns held against a table's."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.parquet import Rules, TableColumn, batches, fits, leaves
from localaws.redshift.sql.copy import Copy, parse_copy
from localaws.redshift.sql.tokens import Tokens

ROLE = "arn:aws:iam::123456789012:role/load"
URL = "s3://b/k.parquet"


def parsed(options: str) -> Copy:
    return parse_copy(Tokens(f"copy t from 's3://b/k' {options}"))


def test_a_copy_is_read_with_all_its_options() -> None:
    text = f"""COPY s.Stage (Key, "N") FROM 's3://b/m.json' IAM_ROLE '{ROLE}' FORMAT AS PARQUET MANIFEST FILLRECORD
        STATUPDATE OFF ACCEPTINVCHARS AS '^' EXPLICIT_IDS SERIALIZETOJSON"""
    assert parse_copy(Tokens(text)) == Copy(
        table='"s"."stage"',
        source="s3://b/m.json",
        columns=("key", "n"),
        role=ROLE,
        is_parquet=True,
        manifest=True,
        fill_record=True,
        explicit_ids=True,
        serialize_to_json=True,
        replacement="^",
    )


@pytest.mark.parametrize(
    "options",
    [
        f"iam_role '{ROLE}' format as parquet",
        f"iam_role '{ROLE}' format parquet",
        f"parquet iam_role '{ROLE}'",
        f"credentials 'aws_iam_role={ROLE}' parquet statupdate",
        f"with credentials as 'aws_iam_role={ROLE}' parquet".removeprefix("with "),
    ],
)
def test_the_ways_to_say_parquet_and_role_mean_the_same(options: str) -> None:
    assert parsed(options) == Copy('"t"', "s3://b/k", role=ROLE, is_parquet=True)


def test_the_default_role_is_passed_on_as_such() -> None:
    assert parsed("iam_role default parquet").role == "default"


def test_a_role_never_shows_in_a_repr() -> None:
    assert ROLE not in repr(parsed(f"iam_role '{ROLE}' parquet"))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("csv", "CSV"),
        ("format as json 'auto'", "JSON"),
        ("format as orc", "ORC"),
        ("delimiter '|'", "DELIMITER"),
        (f"iam_role '{ROLE}'", "without FORMAT AS PARQUET"),
        ("parquet credentials 'aws_access_key_id=a;aws_secret_access_key=b'", "without access keys"),
        (f"parquet iam_role '{ROLE},{ROLE}'", "chained"),
    ],
)
def test_other_formats_and_ways_to_authorise_are_refused_by_name(options: str, named: str) -> None:
    with pytest.raises(UnsupportedSql, match=named):
        parsed(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("maxerror 5", "MAXERROR argument is not supported for PARQUET based COPY"),
        ("region 'us-east-1'", "REGION argument"),
        ("truncatecolumns", "TRUNCATECOLUMNS argument"),
        ("acceptanydate", "ACCEPTANYDATE argument"),
        ("compupdate off", "COMPUPDATE argument"),
        ("gzip", "GZIP argument"),
        ("manifest", "authorization parameter"),
        ("manifest manifest", "redundant"),
        (f"iam_role '{ROLE}' iam_role default", "redundant"),
        ("iam_role 'load'", "no ARN"),
        ("nonsense", 'syntax error at or near "nonsense"'),
        ("acceptinvchars 'xx'", "one ASCII character"),
    ],
)
def test_what_redshift_refuses_of_a_parquet_copy_is_an_error(options: str, message: str) -> None:
    with pytest.raises(RedshiftError, match=message):
        parsed(f"format as parquet {options}")


def test_copy_reads_from_s3_only() -> None:
    with pytest.raises(UnsupportedSql, match="dynamodb"):
        parse_copy(Tokens(f"copy t from 'dynamodb://x' iam_role '{ROLE}' parquet"))


def written(tmp_path: Path, array: pa.Array, **options: Any) -> Path:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"c": array}), path, **options)
    return path


def column(declared: str, **rest: Any) -> TableColumn:
    kind, _, numbers = declared.removesuffix(")").partition("(")
    parts = [int(n) for n in numbers.split(",") if n]
    if kind == "numeric":
        return TableColumn("c", kind, precision=parts[0], scale=parts[1], **rest)
    return TableColumn("c", kind, length=parts[0] if parts else None, **rest)


MOMENT = dt.datetime(2026, 1, 31, 12, 30, 0, 123456)
ARRAYS = {
    "int16": pa.array([1], pa.int16()),
    "int32": pa.array([1], pa.int32()),
    "int64": pa.array([1], pa.int64()),
    "int8": pa.array([1], pa.int8()),
    "uint32": pa.array([1], pa.uint32()),
    "float": pa.array([1.5], pa.float32()),
    "double": pa.array([1.5], pa.float64()),
    "bool": pa.array([True]),
    "date": pa.array([dt.date(2026, 1, 31)]),
    "us": pa.array([MOMENT], pa.timestamp("us")),
    "ms": pa.array([MOMENT.replace(microsecond=0)], pa.timestamp("ms")),
    "utc": pa.array([MOMENT], pa.timestamp("us", "UTC")),
    "ns": pa.array([MOMENT], pa.timestamp("ns")),
    "decimal(9,2)": pa.array([Decimal("1.25")], pa.decimal128(9, 2)),
    "string": pa.array(["x"]),
    "category": pa.array(["x"]).dictionary_encode(),
    "binary": pa.array([b"x"]),
    "time": pa.array([dt.time(1)], pa.time64("us")),
    "list": pa.array([[1]]),
    "struct": pa.array([{"a": 1}]),
}
TAKEN = {
    "smallint": {"int16", "int32"},
    "integer": {"int32"},
    "bigint": {"int64"},
    "real": {"float"},
    "double precision": {"double"},
    "boolean": {"bool"},
    "date": {"date"},
    "timestamp": {"us", "ms", "utc"},
    "timestamptz": {"us", "ms", "utc"},
    "numeric(9,2)": {"decimal(9,2)"},
    "numeric(10,2)": set(),
    "numeric(9,3)": set(),
    "varchar(9)": {"string", "category"},
    "char(9)": {"string", "category"},
    "super": set(),
}


@pytest.mark.parametrize("declared", TAKEN)
@pytest.mark.parametrize("kind", ARRAYS)
def test_a_column_takes_its_own_physical_type_only(tmp_path: Path, declared: str, kind: str) -> None:
    path = written(tmp_path, ARRAYS[kind])
    (leaf,) = leaves(pq.ParquetFile(path))
    assert fits(leaf, column(declared), Rules()) == (kind in TAKEN[declared])


@pytest.mark.parametrize(
    ("declared", "kind"), [(declared, kind) for declared, kinds in TAKEN.items() for kind in sorted(kinds)]
)
def test_what_fits_arrives_with_the_tables_type(tmp_path: Path, declared: str, kind: str) -> None:
    (batch,) = batches(written(tmp_path, ARRAYS[kind]), [column(declared)], URL, Rules())
    expected = ARRAYS[kind].to_pylist()[0]
    value = batch.column(0).to_pylist()[0]
    assert value == (expected.replace(tzinfo=dt.UTC) if getattr(value, "tzinfo", None) else _naive(expected))
    assert not pa.types.is_dictionary(batch.schema.field(0).type)


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value


def test_int96_as_spark_writes_it_is_read_far_beyond_nanoseconds_reach(tmp_path: Path) -> None:
    far = [dt.datetime(1, 1, 1), dt.datetime(2026, 1, 31, 1, 2, 3, 4), dt.datetime(9999, 12, 31), None]
    path = written(tmp_path, pa.array(far, pa.timestamp("us")), use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(path).schema.column(0).physical_type == "INT96"
    (batch,) = batches(path, [column("timestamp")], URL, Rules())
    assert batch.column(0).to_pylist() == far


def test_nanoseconds_are_refused_with_column_and_file(tmp_path: Path) -> None:
    with pytest.raises(RedshiftError) as caught:
        list(batches(written(tmp_path, ARRAYS["ns"]), [column("timestamp")], URL, Rules()))
    text = str(caught.value)
    assert "Spectrum Scan Error" in text and "code:      15007" in text
    assert f"File '{URL}' has an incompatible Parquet schema for column 'c'" in text
    assert "Column type: TIMESTAMP, Parquet schema: int64 c (TIMESTAMP(nanoseconds))" in text


def test_the_counts_of_columns_must_match_unless_fillrecord(tmp_path: Path) -> None:
    path = written(tmp_path, ARRAYS["int32"])
    two = [column("integer"), TableColumn("d", "varchar", length=5)]
    with pytest.raises(
        RedshiftError, match=r"Table columns: 2, Data columns: 1, File name: s3://b/k.parquet"
    ):
        list(batches(path, two, URL, Rules()))
    (batch,) = batches(path, two, URL, Rules(fill_record=True))
    assert batch.to_pylist() == [{"c": 1, "d": None}]
    with pytest.raises(RedshiftError, match="Table columns: 0, Data columns: 1"):
        list(batches(path, [], URL, Rules(fill_record=True)))


def test_null_is_refused_where_the_table_says_not_null(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array([1, None], pa.int32()))
    with pytest.raises(RedshiftError, match="Cannot insert a NULL value into column c"):
        list(batches(path, [column("integer", not_null=True)], URL, Rules()))


@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
    size=st.integers(1, 12),
)
def test_varchar_counts_bytes(tmp_path_factory: pytest.TempPathFactory, text: str, size: int) -> None:
    path = written(tmp_path_factory.mktemp("bytes"), pa.array(["", text]))
    read = batches(path, [column(f"varchar({size})")], URL, Rules())
    if len(text.encode()) <= size:
        assert next(read).column(0).to_pylist() == ["", text]
    else:
        with pytest.raises(RedshiftError, match=f"Table: {size}, Data: {len(text.encode())}"):
            next(read)


def test_a_number_beyond_smallint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RedshiftError, match="out of range for SMALLINT column 'c'"):
        list(batches(written(tmp_path, pa.array([40_000], pa.int32())), [column("smallint")], URL, Rules()))


def test_invalid_utf8_is_refused_or_replaced_byte_by_byte(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.array([0, 4], pa.int32()).buffers()[1], pa.py_buffer(b"a\xff\xfeb")]
    )
    path = written(tmp_path, broken)
    with pytest.raises(RedshiftError, match="invalid UTF-8 in column 'c'"):
        list(batches(path, [column("varchar(9)")], URL, Rules()))
    (batch,) = batches(path, [column("varchar(9)")], URL, Rules(replacement="?"))
    assert batch.column(0).to_pylist() == ["a??b"]


def test_nested_columns_need_serializetojson_and_become_compact_json(tmp_path: Path) -> None:
    nested = pa.array([{"a": [1, 2], "b": "ü"}, None])
    path = written(tmp_path, nested)
    with pytest.raises(RedshiftError, match="nested c"):
        list(batches(path, [column("super")], URL, Rules()))
    (batch,) = batches(path, [column("super")], URL, Rules(serialize_to_json=True))
    assert batch.column(0).to_pylist() == ['{"a":[1,2],"b":"\\u00fc"}', None]


def test_what_is_no_parquet_is_refused_with_its_url(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(RedshiftError, match=r"s3://b/k\.parquet' has an invalid Parquet format"):
        list(batches(path, [column("integer")], URL, Rules()))


def test_a_column_type_nobody_knows_how_to_fill_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedSql, match="VARBYTE"):
        list(batches(written(tmp_path, ARRAYS["binary"]), [column("varbyte")], URL, Rules()))
