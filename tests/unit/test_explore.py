"""What the explore notebooks measure with; that it counts as the jobs do is held by the notebooks' own tests."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from chain.kit import log_line, ticket_file, ticket_record, truncated
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.errors import ConfigurationError
from gluebook.explore import files, tables
from gluebook.explore.times import read_month_first, read_time, read_times, spellings
from gluebook.sample import faults
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW

GOOD = ticket_record("T1", 1, "New", "5/1/2026 10:00")


def put(folder: Path, **bodies: bytes) -> str:
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "moment", "way"),
    [
        ("29/2/2016 01:16", datetime(2016, 2, 29, 1, 16, tzinfo=UTC), "day first, with /"),
        ("29.2.2016 01:16", datetime(2016, 2, 29, 1, 16, tzinfo=UTC), "day first, with ."),
        ("29-02-2016 1:16:05", datetime(2016, 2, 29, 1, 16, 5, tzinfo=UTC), "day first, with -"),
        ("2016-02-29T01:16:05+02:00", datetime(2016, 2, 28, 23, 16, 5, tzinfo=UTC), "ISO 8601"),
        ("30/2/2016 01:16", None, "no time at all"),
        ("29/2-2016 01:16", None, "no time at all"),
        ("2016", None, "no time at all"),
    ],
)
def test_times_are_read_as_the_job_reads_them(text: str, moment: datetime | None, way: str) -> None:
    assert read_time(text) == moment
    assert spellings(pd.Series([text], [7])).to_dict() == {7: way}


def test_a_time_in_a_pattern_that_the_source_has_not_got_is_none() -> None:
    assert read_time("29.2.2016 01:16", SERVICENOW.time_patterns) is None
    assert read_time("29/2/2016 01:16", MONGOD.time_patterns) is None
    assert read_time("29/2/2016 01:16", SERVICENOW.time_patterns) is not None
    assert read_time("2016-02-29T01:16Z", MONGOD.time_patterns) is not None


def test_a_column_of_times_keeps_its_index_and_has_no_time_where_there_is_none() -> None:
    texts = pd.Series(["13/1/2026 10:00", None, "soon"], [5, 3, 9])
    assert read_times(texts).to_dict() == {5: datetime(2026, 1, 13, 10, tzinfo=UTC), 3: pd.NaT, 9: pd.NaT}


def test_a_day_after_the_twelfth_is_refused_month_first_and_another_is_taken_for_a_month() -> None:
    assert read_month_first("13/1/2026 10:00") == "refused"
    assert read_month_first("12/1/2026 10:00") == "another day"
    assert read_month_first("1-1-2026 10:00") == "the same day"
    with pytest.raises(ValueError, match="isn't day first"):
        read_month_first("2026-01-05 10:00")


def test_whose_a_file_is_is_told_by_its_header_and_a_broken_one_by_what_is_wrong(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        a=gzip.compress(ticket_file(GOOD)),
        b=truncated(ticket_file(*[GOOD] * 50)),
        c=b"name,mood\nAda,calm\n",
        d=b"",
    )
    found = files.find(folder, "support_tickets")
    assert [file.source for file in found] == [SERVICENOW, None, None, None]
    assert found[0].records == 1
    assert found[1].why.startswith("truncated_gzip")
    assert found[2].why == "no source of support_tickets has this layout"
    assert files.inventory(found)["records"].tolist() == [1, 0, 0, 0]
    assert files.most_common(found) is SERVICENOW
    assert files.truth(folder) is None


def test_a_folder_without_anything_to_look_at_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="say in `folder` where yours are"):
        files.find(str(tmp_path), "app_logs")
    with pytest.raises(ConfigurationError, match="see `source` and `why`"):
        files.most_common(files.find(put(tmp_path, a=b"no json"), "app_logs"))


def test_the_sample_is_made_where_the_project_is_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    first = files.find("", "app_logs")
    assert {file.path.is_relative_to(tmp_path / "build" / "sample") for file in first} == {True}
    written = first[0].path.stat().st_mtime_ns
    assert files.find("", "app_logs") == first and first[0].path.stat().st_mtime_ns == written


def test_what_is_wrong_with_a_ticket_is_told_in_the_words_of_the_job(tmp_path: Path) -> None:
    long = "x" * (SUPPORT_TICKETS.column("location").length + 1)
    records = {
        ticket_record("?", 1, "New", "5/1/2026 10:00"): "missing:ticket_id",
        ticket_record("T", 1, "Banana", "5/1/2026 10:00"): "unknown:status",
        ticket_record("T", 1, "New", "soon"): "unreadable:updated_at",
        ticket_record("T", 1, "New", "5/1/2026 10:00", made_sla="yes"): "unreadable:made_sla",
        ticket_record("T", 1, "New", "5/1/2026 10:00", location=long): "too_long:location",
        "T,New": "malformed_record",
        '"T,New': "unclosed_quote",
        GOOD.replace("T1,New", " T1\u00a0,\tnEW"): None,
    }
    found = files.find(put(tmp_path, a=ticket_file(*records)), "support_tickets")
    clean = tables.without_nulls(tables.table(found, SERVICENOW), SERVICENOW)
    assert tables.problems(clean, SERVICENOW).tolist() == list(records.values())


@pytest.mark.parametrize("line", [b"{broken", b"[1]", b'"text"', b"null", log_line(1).rstrip() + b" x"])
def test_a_line_that_is_not_one_json_object_is_malformed(tmp_path: Path, line: bytes) -> None:
    found = files.find(put(tmp_path, a=log_line(2) + line), "app_logs")
    clean = tables.without_nulls(tables.table(found, MONGOD), MONGOD)
    assert tables.problems(clean, MONGOD).tolist() == [None, "malformed_record"]


def test_a_copy_of_a_reject_is_a_reject_and_a_copy_in_another_layout_a_copy(tmp_path: Path) -> None:
    bad = ticket_record("T2", 1, "Banana", "5/1/2026 10:00")
    plain = ticket_file(GOOD, bad, bad)
    columns = list(reversed(SERVICENOW.columns))
    values = dict(zip(SERVICENOW.columns, GOOD.split(","), strict=True))
    turned = ",".join(columns) + "\r\n" + ",".join(values[name] for name in columns) + "\r\n"
    found = files.find(put(tmp_path, a=plain, b=turned.encode()), "support_tickets")
    counted = tables.count(tables.without_nulls(tables.table(found, SERVICENOW), SERVICENOW), SERVICENOW)
    assert counted.to_dict("list") == {
        "read": [3, 1],
        "curated": [1, 0],
        "duplicates": [0, 1],
        "rejected": [2, 0],
    }
    assert "truth differs for b" in tables.verdict(counted, counted.assign(read=[3, 2]))


def test_the_same_revision_written_otherwise_is_a_copy_and_one_of_another_value_is_none(
    tmp_path: Path,
) -> None:
    record = partial(ticket_record, "T1", 1, "New")
    one = record("5/1/2026 10:00", active="true", caller_id="ada@example.com", reopen_count="0")
    same = record("2026-01-05T10:00Z", active="TRUE", caller_id="Ada@example.com", reopen_count="0.0")
    other = record("5/1/2026 10:01", active="true", caller_id="ada@example.com", reopen_count="0")
    body = ticket_file(one, same, other)
    found = files.find(put(tmp_path, a=body), "support_tickets")
    clean = tables.without_nulls(tables.table(found, SERVICENOW), SERVICENOW)
    assert tables.copies(clean, SERVICENOW).tolist() == [False, True, False]


def test_a_ticket_is_mistaken_where_another_order_ends_with_an_older_revision() -> None:
    rows = pd.DataFrame({"ticket": list("aabb"), "revision": [2, 1, 1, 2], "updated": [1, 2, 1, 2]})
    order = ["revision", "updated"]
    assert tables.mistaken(rows, "ticket", [], order) == 1
    assert tables.mistaken(rows, "ticket", ["updated"], order) == 1
    assert tables.mistaken(rows, "ticket", order, order) == 0


def test_each_way_to_spoil_a_file_comes_to_the_end_its_name_says() -> None:
    body = ticket_file(*(ticket_record(f"T{n}", n, "New", "5/1/2026 10:00") for n in range(40)))
    spoilt = {**faults.broken_bytes(body), **faults.broken_headers(body)}
    ends = {
        what: files.fate(damaged, SERVICENOW.layout).split(":")[1].strip() for what, damaged in spoilt.items()
    }
    assert ends == {
        "gzip, the end never arrived": "truncated_gzip",
        "gzip, eight bytes flipped": "corrupt_gzip",
        "gzip, with text behind it": "corrupt_gzip",
        "Latin-1 instead of UTF-8": "invalid_utf8",
        "blank lines only": "no_header",
        "nothing, 0 bytes": "empty_file",
        "header without its first column": "another_layout",
        "first column named twice": "another_layout",
        "no header, records only": "another_layout",
    }
    assert files.fate(body, SERVICENOW.layout) == "40 records"
    open_quote = faults.with_open_quote(body, at=4)
    assert files.fate(open_quote, SERVICENOW.layout) == "40 records; record 3 is rejected: unclosed_quote"


def test_a_corrected_file_takes_lines_back_and_changes_others_and_leaves_the_most() -> None:
    body = b"".join(log_line(n) for n in range(40))
    before, after = body.splitlines(), faults.corrected(body.replace(b'"msg": ', b'"msg":')).splitlines()
    assert len(after) == 36
    changed = [line for line in after if b"(corrected)" in line]
    assert [json.loads(line)["id"] for line in changed] == [5, 15, 25, 35]
    assert [json.loads(line)["id"] for line in before if json.loads(line)["id"] % 10 == 0] == [0, 10, 20, 30]
