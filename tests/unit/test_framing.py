"""Framing: every file is cut into the records that an independent reader finds, or named as broken."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluebook.contracts.reasons import Reason
from gluebook.sources.framing import BadFile, Framer, Layout, Record, cutting, unpacking

CSV = Layout("csv", required=("number", "text"))
LINES = Layout("lines")
BOM = b"\xef\xbb\xbf"
LONGEST = cutting.LONGEST_RECORD_BYTES

NASTY = st.text(
    st.sampled_from('ab,"\n\r \t\x00\x0b\x0c\x1f\x85\u2028é😀\ufeff') | st.characters(codec="utf-8")
)
# With an opening quote before it, this can't be taken for what follows a closing one.
PLAIN = st.text(st.sampled_from("ab\n é")).map(lambda text: f"x{text}")
ROWS = st.lists(st.tuples(NASTY, NASTY), max_size=6)
# csv.writer doesn't quote a lone carriage return when lines end in a newline only; nobody could read that.
DIALECTS = st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)])


def frame(body: bytes, layout: Layout = CSV) -> list[Record]:
    return list(Framer(io.BytesIO(body), layout))


def raws(body: bytes, layout: Layout = CSV) -> list[str]:
    return [record.raw for record in frame(body, layout)]


def refusal(body: bytes, layout: Layout = CSV) -> str:
    with pytest.raises(BadFile) as caught:
        frame(body, layout)
    assert caught.value.reason == str(caught.value)
    return caught.value.reason


def written(rows: Sequence[tuple[str, str]], dialect: tuple[str, Any]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=dialect[0], quoting=dialect[1])
    writer.writerows([("number", "text"), *rows])
    return text.getvalue().encode()


class Stream(io.RawIOBase):
    """`pattern` over and over until `size` bytes have been read; never held as a whole."""

    def __init__(self, head: bytes, pattern: bytes, size: int, tail: bytes) -> None:
        self._parts = [part for part in (head, *[pattern] * (size // len(pattern)), tail) if part]

    def read(self, size: int = -1) -> bytes:
        return self._parts.pop(0) if self._parts else b""


@settings(max_examples=200)
@given(
    rows=ROWS,
    dialect=DIALECTS,
    bom=st.booleans(),
    last_line_ends=st.booleans(),
    cuts=st.none() | st.lists(st.integers(0, 400), max_size=3),
    chunk=st.integers(2, 40),
)
def test_records_are_those_of_an_independent_reader_whatever_the_cells_the_packing_and_the_chunks(
    rows: list[tuple[str, str]],
    dialect: tuple[str, Any],
    bom: bool,
    last_line_ends: bool,
    cuts: list[int] | None,
    chunk: int,
) -> None:
    plain = written(rows, dialect)
    if not last_line_ends:
        plain = plain.removesuffix(dialect[0].encode())
    body = BOM + plain if bom else plain
    if cuts is not None:
        places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
        body = b"".join(gzip.compress(body[a:b], mtime=0) for a, b in itertools.pairwise(places))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "CHUNK_BYTES", chunk)
        framer = Framer(io.BytesIO(body), CSV)
        records = list(framer)
    expected = list(csv.reader(io.StringIO(plain.decode(), newline="")))
    assert [framer.columns] == [tuple(name) for name in expected[:1]]
    assert [next(csv.reader(io.StringIO(record.raw, newline=""))) for record in records] == expected[1:]
    assert [record.number for record in records] == list(range(1, len(rows) + 1))
    assert framer.records == len(rows)
    assert [record.problem for record in records] == [
        Reason.MALFORMED if "\0" in r.raw else None for r in records
    ]


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))),
    end=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
    chunk=st.integers(2, 40),
)
def test_lines_are_cut_at_newlines_and_nowhere_else(
    lines: list[str], end: str, packed: bool, chunk: int
) -> None:
    lines = [line for line in lines if not line.startswith("\ufeff")]
    body = "".join(line + end for line in lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "CHUNK_BYTES", chunk)
        found = raws(gzip.compress(body, mtime=0) if packed else body, LINES)
    assert found == [line for line in lines if line.encode().strip(b" \t\v\f")]


def test_a_quote_in_a_log_line_is_nothing_special() -> None:
    assert raws(b'{"a": "b\n{"c": 1}\n', LINES) == ['{"a": "b', '{"c": 1}']


def test_blank_lines_are_no_records_and_have_no_number() -> None:
    assert frame(b"\r\n\nnumber,text\n\n1,a\n \t\n2,b\n\n") == [Record(1, "1,a"), Record(2, "2,b")]


def test_blank_lines_within_quotes_belong_to_their_record() -> None:
    assert raws(b'number,text\n1,"a\n\n\nb"\n') == ['1,"a\n\n\nb"']


def test_a_byte_order_mark_is_left_out_at_the_beginning_only() -> None:
    assert raws(BOM + b"number,text\n" + BOM + b"1,a\n") == ["\ufeff1,a"]


@pytest.mark.parametrize("body", [b"number,text", b"number,text\r\n", BOM + b"number,text\n\n"])
def test_a_file_of_a_header_only_has_a_header_and_no_record(body: bytes) -> None:
    framer = Framer(io.BytesIO(body), CSV)
    assert list(framer) == []
    assert (framer.header, framer.records) == ("number,text", 0)


def test_a_file_of_no_bytes_has_neither_header_nor_record() -> None:
    framer = Framer(io.BytesIO(b""), CSV)
    assert (list(framer), framer.header, framer.records) == ([], None, 0)
    assert frame(gzip.compress(b""), LINES) == []


def test_a_csv_file_of_blank_lines_has_no_header() -> None:
    assert refusal(b"\n\r\n  \n").startswith("no_header")
    assert frame(b"\n\n", LINES) == []


# -- headers -----------------------------------------------------------------------------------------------


def test_columns_may_come_in_any_order_with_others_between() -> None:
    assert raws(b"text, number ,new\na,1,x\n") == ["a,1,x"]


def test_missing_columns_are_named() -> None:
    assert refusal(b"number,txt\n1,a\n") == "another_layout: the header lacks text"
    many = Layout("csv", required=tuple("abcdefgh"))
    assert refusal(b"x\n1\n", many) == "another_layout: the header lacks a, b, c, d, e and 3 more"


def test_doubled_columns_are_named() -> None:
    assert refusal(b"number,text,number\n1,a,2\n") == "another_layout: the header names number twice"


def test_columns_without_a_name_as_spreadsheets_leave_them_may_be_many() -> None:
    assert raws(b"number,text,,\n1,a,,\n") == ["1,a,,"]


def test_a_file_with_bare_carriage_returns_is_refused_not_a_crash() -> None:
    assert refusal(b"number,text\r1,a\r2,b\r") == (
        "another_layout: the first line is no header: its lines end in carriage returns alone"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"1,a\n\0\0\x002,b\n3,c\n",
        b"1,a\n2,b\0b\n3,c\n",
        b'1,a\n2,"b\n\0\nb"\n3,c\n',
        b"1,a\n\0\0\0\0\n3,c\n",
    ],
)
def test_a_nul_makes_a_reject_of_its_record_and_of_no_other(body: bytes) -> None:
    records = frame(b"number,text\n" + body)
    assert [(record.number, record.problem) for record in records] == [
        (1, None),
        (2, Reason.MALFORMED),
        (3, None),
    ]


def test_nuls_that_pad_the_end_of_a_file_are_a_reject() -> None:
    records = frame(b"one\ntwo\n" + b"\0" * 512, Layout("lines"))
    assert [record.problem for record in records] == [None, None, Reason.MALFORMED]


def test_a_header_with_a_nul_is_no_header() -> None:
    assert refusal(b"number,te\0xt\n1,a\n").startswith("another_layout: the first line is no header")


def test_an_overlong_first_line_is_no_header() -> None:
    assert Reason.RECORD_TOO_LONG in refusal(b"number,text," + b"x" * (LONGEST + 1) + b"\n1,a\n")


def test_a_header_may_name_a_column_beyond_all_measure() -> None:
    assert raws(b'number,text,"' + b"x" * 200_000 + b'"\n1,a,b\n') == ["1,a,b"]


def test_a_header_whose_quote_is_never_closed_is_no_header() -> None:
    assert Reason.UNCLOSED_QUOTE in refusal(b'number,"text\n1,a\n')


# -- gzip --------------------------------------------------------------------------------------------------

MEMBER = gzip.compress(b"number,text\n1,a\n", mtime=0)
SECOND = gzip.compress(b"2,b\n", mtime=0)


def test_gzip_is_told_by_its_first_bytes() -> None:
    assert raws(MEMBER) == ["1,a"]


@pytest.mark.parametrize("length", range(2, len(MEMBER)))
def test_gzip_cut_off_anywhere_is_named(length: int) -> None:
    assert refusal(MEMBER[:length]).startswith("truncated_gzip")


@pytest.mark.parametrize("place", [2, len(MEMBER) - 6, len(MEMBER) - 2])
def test_a_wrong_byte_in_gzip_is_named(place: int) -> None:
    wrong = bytearray(MEMBER)
    wrong[place] ^= 0xFF
    assert refusal(bytes(wrong)).startswith("corrupt_gzip")


def test_concatenated_gzip_is_one_file() -> None:
    assert raws(MEMBER + SECOND) == ["1,a", "2,b"]


@pytest.mark.parametrize("chunk", [2, 3, 7, 1 << 20])
def test_a_second_member_that_is_cut_off_is_named(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "CHUNK_BYTES", chunk)
    assert refusal(MEMBER + SECOND[:-1]).startswith("truncated_gzip")


@pytest.mark.parametrize("zeros", [1, 7, 100, 512])
@pytest.mark.parametrize("chunk", [2, 16, 1 << 20])
def test_zeros_may_pad_gzip_but_hide_nothing_behind_them(
    zeros: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "CHUNK_BYTES", chunk)
    padded = MEMBER + bytes(zeros)
    assert raws(padded) == ["1,a"]
    assert raws(padded + SECOND) == ["1,a", "2,b"]
    assert refusal(padded + b"2,b\n").startswith("corrupt_gzip")


@pytest.mark.parametrize("chunk", [2, 16, 1 << 20])
def test_bytes_after_gzip_that_are_no_gzip_are_named(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "CHUNK_BYTES", chunk)
    assert refusal(MEMBER + b"2,b\n") == ("corrupt_gzip: bytes that are no gzip follow the compressed data")


# -- text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"", BOM])
@pytest.mark.parametrize("packed", [False, True])
@given(rows=ROWS, place=st.integers(0, 10_000), dialect=DIALECTS)
def test_a_byte_that_is_no_utf8_is_named_with_its_exact_offset(
    before: bytes, packed: bool, rows: list[tuple[str, str]], place: int, dialect: tuple[str, Any]
) -> None:
    body = before + written(rows, dialect)
    characters = body.decode()
    offset = max(len(characters[: place % (len(characters) + 1)].encode()), len(before))
    broken = body[:offset] + b"\xff" + body[offset:]
    found = refusal(gzip.compress(broken) if packed else broken)
    assert found == f"invalid_utf8: byte 0xff at offset {offset}"


def test_a_byte_that_is_no_utf8_is_named_behind_an_unclosed_quote_too() -> None:
    assert refusal(b'number,text\n1,"\xff\n2,b\n') == "invalid_utf8: byte 0xff at offset 15"


def test_records_before_a_broken_byte_are_counted() -> None:
    framer = Framer(io.BytesIO(b"number,text\n1,a\n2,\xe9\n3,c\n"), CSV)
    with pytest.raises(BadFile, match="0xe9 at offset 18"):
        list(framer)
    assert framer.records == 1


# -- records beyond all measure ----------------------------------------------------------------------------


def test_an_unclosed_quote_costs_its_own_line_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LONGEST_RECORD_BYTES", 100)
    good = [f'{n},"line one\nline two of {n}"' for n in range(50)]
    body = "\n".join(["number,text", *good[:10], '10,"never closed', *good[10:]]) + "\n"
    records = frame(body.encode())
    assert [record.raw for record in records if record.problem] == ['10,"never closed']
    assert {record.problem for record in records} == {None, Reason.UNCLOSED_QUOTE}
    assert [record.raw for record in records if not record.problem] == good
    assert [record.number for record in records] == list(range(1, 52))


@given(rows=ROWS, others=st.lists(st.tuples(PLAIN, PLAIN), max_size=6), dialect=DIALECTS)
def test_a_stray_quote_leaves_the_records_around_it_whole(
    rows: list[tuple[str, str]], others: list[tuple[str, str]], dialect: tuple[str, Any]
) -> None:
    stray = '7,"5 inches\n'
    before, after = written(rows, dialect), written(others, dialect).split(dialect[0].encode(), 1)[1]
    records = frame(before + stray.encode() + after)
    faulty = [record.raw for record in records if record.problem == Reason.UNCLOSED_QUOTE]
    good = [
        next(csv.reader(io.StringIO(r.raw, newline="")))
        for r in records
        if r.problem != Reason.UNCLOSED_QUOTE
    ]
    assert faulty == [stray.rstrip()]
    assert good == [list(row) for row in (*rows, *others)]


def test_inch_marks_cost_their_own_lines_only() -> None:
    body = b'number,text\n1,a\n2,5" pipe\n3,c\n4,6" pipe\n5,"x\ny"\n6,3"x4" plate\n'
    assert [(r.raw, r.problem) for r in frame(body)] == [
        ("1,a", None),
        ('2,5" pipe', Reason.UNCLOSED_QUOTE),
        ("3,c", None),
        ('4,6" pipe', Reason.UNCLOSED_QUOTE),
        ('5,"x\ny"', None),
        ('6,3"x4" plate', None),
    ]


def test_a_record_of_several_lines_can_be_too_long_as_well() -> None:
    body = b'number,text\n1,"' + b"x" * 700_000 + b"\n" + b"x" * 700_000 + b'"\n2,b\n'
    assert [(r.raw[:4], r.problem) for r in frame(body)] == [('1,"x', Reason.RECORD_TOO_LONG), ("2,b", None)]


def test_an_unclosed_quote_is_given_up_before_the_whole_file_is_read() -> None:
    stream = io.BytesIO(b'number,text\n1,"never closed\n' + b"2,no quote here\n" * 500_000)
    first = next(iter(Framer(stream, CSV)))
    assert first.problem == Reason.UNCLOSED_QUOTE
    assert stream.tell() < 4 * LONGEST


def test_an_unclosed_quote_at_the_end_of_the_file_costs_its_own_line_only() -> None:
    assert frame(b'number,text\n1,a\n2,"b\n3,c\n4,d') == [
        Record(1, "1,a"),
        Record(2, '2,"b', Reason.UNCLOSED_QUOTE),
        Record(3, "3,c"),
        Record(4, "4,d"),
    ]


def test_an_unclosed_quote_before_an_overlong_line_keeps_the_lines_between() -> None:
    long = b"x" * (LONGEST + 1)
    records = frame(b'number,text\n1,"a\n2,b\n' + long + b"\n3,c\n")
    assert [(r.number, r.raw[:3], r.problem) for r in records] == [
        (1, '1,"', Reason.UNCLOSED_QUOTE),
        (2, "2,b", None),
        (3, "xxx", Reason.RECORD_TOO_LONG),
        (4, "3,c", None),
    ]


@pytest.mark.parametrize("layout", [CSV, LINES])
def test_a_record_of_the_greatest_length_passes_and_one_byte_more_does_not(layout: Layout) -> None:
    head = b"number,text\n" if layout is CSV else b""
    fits, too_long = b"y" * (LONGEST - 1) + b"\n", b"y" * LONGEST + b"\n"
    assert [(len(r.raw), r.problem) for r in frame(head + fits, layout)] == [(LONGEST - 1, None)]
    assert [r.problem for r in frame(head + too_long + b"1,a\n", layout)] == [Reason.RECORD_TOO_LONG, None]


def test_an_excerpt_may_end_within_a_character() -> None:
    [record] = frame("é".encode() * LONGEST, LINES)
    assert record.problem == Reason.RECORD_TOO_LONG
    assert 1 <= len(record.raw) <= 1024 and set(record.raw) <= {"é", "\ufffd"}
    [shifted] = frame(b"x" + "é".encode() * LONGEST, LINES)
    assert shifted.raw.endswith("\ufffd")


@pytest.mark.parametrize("layout", [CSV, LINES])
def test_a_line_of_ten_megabytes_is_never_held_whole(layout: Layout) -> None:
    head = b"number,text\n" if layout is CSV else b""
    # gzip's own state would hide nothing here; what counts is what framing keeps.
    stream = Stream(head, b"z" * 65_536, 10 << 20, b"\n1,a\n")
    tracemalloc.start()
    try:
        records = list(Framer(stream, layout))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(r.number, len(r.raw), r.problem) for r in records] == [
        (1, 1024, Reason.RECORD_TOO_LONG),
        (2, 3, None),
    ]
    assert peak < 4 << 20


def test_a_small_file_that_inflates_to_a_hundred_megabytes_is_read_in_little_memory() -> None:
    packed = gzip.compress(bytes(b"z" * (1 << 20)) * 100, compresslevel=1)
    assert len(packed) < 1 << 20
    tracemalloc.start()
    try:
        [record] = list(Framer(io.BytesIO(packed), LINES))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert record.problem == Reason.RECORD_TOO_LONG
    assert peak < 8 << 20


def test_a_header_may_name_a_hundred_thousand_columns() -> None:
    # As many as the longest record holds: looking each one up among all the others would take hours.
    names = [f"c{number:x}" for number in range(100_000)]
    framer = Framer(io.BytesIO(",".join(names).encode() + b"\n"), Layout("csv"))
    assert list(framer) == []
    assert framer.columns == tuple(names)
