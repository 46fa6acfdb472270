"""Records to fields, exactly: what the source wrote is what the field holds, or the record is malformed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gluebook.contracts.reasons import Reason
from gluebook.sources.app_logs import containers, mongod
from gluebook.sources.csv_fields import csv_fields, csv_values
from gluebook.sources.fields import Fields, Malformed
from gluebook.sources.framing import Framer
from gluebook.sources.json_fields import json_members, json_text, text_of, whole_number
from gluebook.sources.reading import parsed
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW

TEXTS = st.text(st.characters(codec="utf-8"))
NASTY = st.text(st.sampled_from('ab,"\n\r \t\\é😀\ufeff') | st.characters(codec="utf-8"))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def members(text: str) -> dict[str, str | None]:
    return {name: json_text(value) for name, value in json_members(text).items()}


# -- JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["1.10", "1E5", "1e400", "-0", "9223372036854775808", "22943.0", "0.1000000000000000055511", "1" * 400],
)
def test_a_number_keeps_its_digits(number: str) -> None:
    assert members(f'{{"a": {number}, "b": {{"c": [{number}]}}}}') == {
        "a": number,
        "b": f'{{"c": [{number}]}}',
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}] trailing words',
        '{"a": 1}],[1',
        '{"a": 1} {"a": 2}',
        '{"a": 1},{"a": 2}',
        '{"a": 1',
        '[{"a": 1}]',
        '"text"',
        "null",
        "",
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": [Infinity]}',
        '{"a": 01}',
        '{"a": "\t"}',
        '{"a": {"b": "\t"}}',
        r'{"a": "\x41"}',
        r'{"a": "\ud800"}',
        r'{"a": ["\udc00 alone"]}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_what_is_not_exactly_one_json_object_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        json_members(text)


def test_of_a_key_that_occurs_twice_the_last_counts_however_it_is_spelt() -> None:
    assert members(r'{"a": 1, "b": 2, "a": 3, "\u0062": 4}') == {"a": "3", "b": "4"}


def test_a_byte_order_mark_before_an_object_is_no_part_of_it() -> None:
    assert members('\ufeff{"a": 1}') == {"a": "1"}


@given(st.dictionaries(TEXTS, JSON, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_every_member_keeps_its_very_text_and_a_string_its_characters(
    found: dict[str, Any], indent: int | None, escaped: bool
) -> None:
    def written(value: Any) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=escaped)

    text = "{" + ",".join(f" {written(name)} : {written(value)} " for name, value in found.items()) + "}"
    read = json_members(text)
    assert read.keys() == found.keys()
    for name, value in found.items():
        assert json_text(read[name]) == (None if value is None else written(value))
        if isinstance(value, str):
            assert text_of(read[name]) == value.replace("\0", "")


@given(st.text(st.sampled_from('{}[]",:0123456789.eE+-truefalsn \\u')) | JSON.map(json.dumps))
def test_what_python_refuses_is_malformed_and_what_is_read_python_reads_too(text: str) -> None:
    try:
        read = json_members(text)
    except Malformed:
        return
    theirs = json.loads(text)
    assert {name: json.loads(bytes(value)) for name, value in read.items()} == theirs


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        ("54", "54"),
        ("12.0", "12"),
        ("1e3", "1000"),
        ("12.5", "12"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", None),
        ("1e400", None),
        ("1e999999999", None),
        ("-5", "-5"),
        ("-0", "0"),
        ("-9223372036854775809", None),
        ("true", None),
        ("٣", None),
        ("1_000", None),
        ("", None),
        (None, None),
    ],
)
def test_a_duration_is_whole_milliseconds_or_none(number: str | None, whole: str | None) -> None:
    assert whole_number(number) == whole


# -- CSV ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "values"),
    [
        ("a,b", ["a", "b"]),
        ("a,,", ["a", "", ""]),
        ("", [""]),
        ('"a,b","c\nd"', ["a,b", "c\nd"]),
        ('"""",""', ['"', ""]),
        ('"""x""","x"""', ['"x"', 'x"']),
        (r'"C:\",b', ["C:\\", "b"]),
        ('15" screen,6" by 4"', ['15" screen', '6" by 4"']),
        ('a, "b, c" ,"d"\t,e', ["a", "b, c", "d", "e"]),
        (" a ,\tb", [" a ", "\tb"]),
        ('x,"' + "y" * 200_000 + '"', ["x", "y" * 200_000]),
        ('\ufeff"a",b', ["a", "b"]),
        ('="0012345",1', ['="0012345"', "1"]),
    ],
)
def test_a_value_is_the_text_that_stands_there(record: str, values: list[str]) -> None:
    assert csv_values(record) == values


@pytest.mark.parametrize(
    "record",
    [
        'a,"He said "no" twice"',
        'a,"He said "no"\ntwice"',
        r'a,"say \"hi\" now"',
        'a,"b" c',
        'a,"b',
        "a\rb,c",
        ' "a" "b"',
    ],
)
def test_a_field_that_is_neither_quoted_nor_plain_is_malformed(record: str) -> None:
    with pytest.raises(Malformed):
        csv_values(record)


@given(
    st.lists(NASTY, min_size=1, max_size=6),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["", " ", "\t "]),
)
def test_what_a_writer_has_quoted_is_read_as_it_was(values: list[str], quoting: Any, blanks: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator="\r\n").writerow(values)
    record = text.getvalue().removesuffix("\r\n")
    if record.startswith("\ufeff"):
        return
    assert csv_values(record) == values
    if quoting == csv.QUOTE_ALL:
        around = (f'{blanks}"{value.replace(chr(34), chr(34) * 2)}"{blanks}' for value in values)
        assert csv_values(",".join(around)) == values


@given(st.text(st.sampled_from('ab," \t\n\r')))
def test_where_python_reads_a_record_strictly_and_no_blank_touches_a_quote_it_is_read_the_same(
    record: str,
) -> None:
    def outcome(read: Callable[[], list[str]]) -> list[str] | None:
        try:
            return read()
        except (Malformed, csv.Error):
            return None

    if (
        not record
        or record.strip("\r\n") != record
        or any(pair in record for pair in (' "', '" ', '\t"', '"\t'))
    ):
        return
    theirs = outcome(lambda: next(csv.reader((record,), strict=True)))
    assert outcome(lambda: csv_values(record)) == theirs


@pytest.mark.parametrize("record", ["a", "a,b,c", "," * 20_500])
def test_more_or_fewer_fields_than_the_header_has_are_malformed(record: str) -> None:
    with pytest.raises(Malformed, match="fields under a header of 2"):
        csv_fields(record, ("x", "y"))


# -- a record's fault costs that record --------------------------------------------------------------------


def problems(*records: str) -> list[str | None]:
    body = "\n".join((",".join(SERVICENOW.columns), *records)).encode()
    return [record.problem for record in parsed(Framer(io.BytesIO(body), SERVICENOW.layout), SERVICENOW)]


def test_a_malformed_record_leaves_its_neighbours_alone() -> None:
    good = "," * (len(SERVICENOW.columns) - 1)
    rest = good.removeprefix(",")
    assert problems(good, "," * 20_500, good) == [None, Reason.MALFORMED, None]
    assert problems(good, f'"He said "no" twice",{rest}', good) == [None, Reason.MALFORMED, None]
    two = [Reason.UNCLOSED_QUOTE] * 2
    assert problems(good, f'"He said "no"\ntwice",{rest}', good) == [None, *two, None]
    deep = mongod.SOURCE
    lines = b'{"msg": 1}\n{"attr": ' + b"[" * 50_000 + b"]" * 50_000 + b'}\n{"msg": 2}\n'
    found = list(parsed(Framer(io.BytesIO(lines), deep.layout), deep))
    assert [record.problem for record in found] == [None, Reason.MALFORMED, None]
    assert found[1].fields == {}


def test_a_parser_that_fails_otherwise_is_a_bug_and_says_at_which_record() -> None:
    def parse(record: str, columns: tuple[str, ...]) -> Fields:
        return {"s": str(1 // int(record))}

    broken = replace(mongod.SOURCE, parse=parse)
    with pytest.raises(ZeroDivisionError) as caught:
        list(parsed(Framer(io.BytesIO(b"1\n0\n"), broken.layout), broken))
    assert caught.value.__notes__ == ["while parsing record 2 of a file of mongod"]


# -- the sources' own parsers ------------------------------------------------------------------------------


LINE_BITS = [
    *(
        '"s":"I"',
        '"s":null',
        '"s":5',
        '"\\u0073":"E"',
        '"id":1.0',
        '"id":-0',
        '"id":"7"',
        '"ctx":""',
        '"c":{}',
        '"msg":"é"',
    ),
    *(
        '"t":{"$date":"2026"}',
        '"t":{"$date":null}',
        '"t":{}',
        '"t":"2026"',
        '"t":{"$date":{"a":1}}',
        '"t":{"x":"\\ud800"}',
    ),
    *(
        '"attr":{"durationMillis":12}',
        '"attr":{"durationMillis":"x"}',
        '"attr":[1,{"durationMillis":2}]',
        '"attr":"a"',
    ),
    *(
        '"msg":"\\u0000a"',
        '"msg":"\\ud800"',
        '"more":{"a":[NaN]}',
        '"\\ud800":1',
        '"msg":"\x01"',
        "1",
        "[1]",
        "",
        "{",
        "}",
    ),
]


@settings(max_examples=300)
@example(['"msg":"\\u0000a"'], "", "")
@given(
    st.lists(st.sampled_from(LINE_BITS), max_size=6),
    st.sampled_from(["", "\ufeff", " "]),
    st.sampled_from(["", " ", "x"]),
)
def test_a_mongod_line_that_is_read_in_one_go_gives_what_its_members_give(
    bits: list[str], before: str, after: str
) -> None:
    line = f"{before}{{{','.join(bits)}}}{after}"
    assert _outcome(mongod.parse, line) == _outcome(mongod.parse_members, line)


def _outcome(parse: Callable[[str], Fields], line: str) -> Fields | type[Exception]:
    try:
        return parse(line)
    except Exception as error:  # noqa: BLE001 - whichever it is, both have to raise it
        return type(error)


def of_mongod(members: str) -> Fields:
    return {name: value for name, value in mongod.parse(f"{{{members}}}").items() if value is not None}


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ('"t": {"$date": "2026-01-05T10:00:00Z"}', {"t.$date": "2026-01-05T10:00:00Z"}),
        ('"t": {"$date": {"$numberLong": "1"}}', {"t.$date": '{"$numberLong": "1"}'}),
        ('"t": {"$date": 1767607200123}', {"t.$date": "1767607200123"}),
        ('"t": "2026-01-05T10:00:00Z"', {"t.$date": "2026-01-05T10:00:00Z"}),
        ('"t": {}', {}),
        ('"id": 9223372036854775808', {"id": "9223372036854775808"}),
        ('"id": 22943.0, "c": null', {"id": "22943.0"}),
        ('"id": 1, "id": 2', {"id": "2"}),
        (r'"msg": "a\u0000b\ud83d\ude00"', {"msg": "ab😀"}),
        ('"attr": "just text"', {"attr": '"just text"'}),
        (r'"attr": {"x": "c\u0000d", "y": 1.10}', {"attr": r'{"x": "c\u0000d", "y": 1.10}'}),
        (
            '"attr": {"durationMillis": 12.0}',
            {"attr": '{"durationMillis": 12.0}', "attr.durationMillis": "12"},
        ),
        (
            '"attr": {"durationMillis": -5}',
            {"attr": '{"durationMillis": -5}', "attr.durationMillis": "-5"},
        ),
        ('"attr": ["durationMillis"]', {"attr": '["durationMillis"]'}),
        ('"msg": {"a" : [1E5]}', {"msg": '{"a" : [1E5]}'}),
    ],
)
def test_mongods_values_are_what_stands_in_the_line(members: str, fields: dict[str, str]) -> None:
    assert of_mongod(members) == fields


COLUMNS = ("PodName", "Container", "TraceID", "SpanID", "Log")


def of_containers(line: str, *others: str) -> Fields:
    log = json.dumps({"log": f"{line}\n", "time": "2026-01-05T10:00:00Z"})
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([*(others or ("shop-0", "server", "t1", "s1")), log])
    return containers.parse(text.getvalue(), COLUMNS)


@pytest.mark.parametrize(
    ("line", "severity", "message", "fields"),
    [
        ('{"msg": "a", "level": 30}', "30", "a", None),
        ('{"msg": "a", "msg": "b", "n": 1.10}', "info", "b", '{"msg": "a", "msg": "b", "n": 1.10}'),
        ('{"message": {"id": 1E5}}', "info", '{"id": 1E5}', None),
        ('{"message": "a"} and more', "info", '{"message": "a"} and more', None),
        (r'{"message": "\ud800"}', "info", r'{"message": "\ud800"}', None),
        ("TraceID: t1 SpanID: s1 asked", "info", "asked", None),
        ("10:00:00.1 WARN a.B#7 late", "WARN", "late", '{"line":7}'),
    ],
)
def test_what_a_program_writes_is_read_by_its_own_shape(
    line: str, severity: str, message: str, fields: str | None
) -> None:
    found = of_containers(line)
    assert (found["severity"], found["message"], found["fields"]) == (severity, message, fields)


def test_a_duration_in_a_programs_json_is_a_field() -> None:
    assert of_containers('{"http.resp.took_ms": 54.0}')["took"] == "54"


@pytest.mark.parametrize("log", ["", "text", '{"time": "x"}', '{"log": "a"} x', '{"log": null}'])
def test_a_log_that_is_not_dockers_is_malformed(log: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(["shop-0", "server", "t1", "s1", log])
    with pytest.raises(Malformed):
        containers.parse(text.getvalue(), COLUMNS)


def test_no_spark_function_parses_a_record() -> None:
    package = Path(__file__).parents[2] / "src" / "gluebook"
    rooms = [path for room in ("sources", "transforms") for path in (package / room).rglob("*.py")]
    scripts = (package.parents[1] / "glue").glob("*.py")
    parsers = re.compile(r"\b(from_csv|from_json|get_json_object|json_tuple|schema_of_\w+)\b")
    files = [*rooms, *scripts, package / "job" / "run.py"]
    assert len(files) > 20
    assert not [path for path in files if parsers.search(path.read_text(encoding="utf-8"))]
