"""The days that have been reported: in a folder, and in the lake."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fakes.objects import FakeObjects
from gluebook.report.history import Summary, summary
from gluebook.report.site import publish_day, published, write_day
from gluebook.report.verdict import judge
from report_kit import MADE_AT, day_data

LAKE = "lake"
LATER = "2026-01-06T06:00:00Z"


def one(day: str, verdict: str = "yes") -> Summary:
    return Summary(day, verdict, "", MADE_AT, ("because",), 3, 10, 9, 0, 1)


def listed(html: str) -> list[str]:
    return re.findall(r'href="(\d{4}-\d\d-\d\d)/index.html"', html)


def text(store: FakeObjects, key: str) -> str:
    body = store.body(LAKE, key)
    assert body is not None
    return body.decode()


def test_a_summary_comes_back_as_it_was_and_nonsense_does_not() -> None:
    data = day_data()
    kept = summary(data, judge(data))
    assert Summary.from_json(json.loads(json.dumps(kept.to_json()))) == kept
    assert (kept.verdict, kept.files, kept.read, kept.failed_checks) == ("with reservations", 7, 5756, 1)
    assert len(kept.batches) == 2
    assert Summary.from_json({"day": "2026-01-05"}) is None
    assert Summary.from_json({**kept.to_json(), "files": "many"}) is None
    assert Summary.from_json({**kept.to_json(), "more": 1}) is None
    assert Summary.from_json({**kept.to_json(), "day": "javascript:alert(1)"}) is None
    assert Summary.from_json({}) is None


def test_a_folder_has_a_page_for_each_day_and_one_of_all(tmp_path: Path) -> None:
    for day in ("2026-01-04", "2026-01-06", "2026-01-05"):
        page = write_day(
            tmp_path, one(day), f"page of {day}", {"expectations/app_logs/b.html": "docs"}, LATER
        )
        assert page.read_text() == f"page of {day}"
    assert listed((tmp_path / "index.html").read_text()) == ["2026-01-06", "2026-01-05", "2026-01-04"]
    assert (tmp_path / "2026-01-04/expectations/app_logs/b.html").read_text() == "docs"


def test_a_day_that_is_made_again_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    write_day(tmp_path, one("2026-01-05", "no"), "old", {"expectations/app_logs/old.html": ""}, LATER)
    write_day(tmp_path, one("2026-01-05"), "new", {"expectations/app_logs/new.html": ""}, LATER)
    assert [path.name for path in tmp_path.rglob("expectations/*/*")] == ["new.html"]
    index = (tmp_path / "index.html").read_text()
    assert listed(index) == ["2026-01-05"] and 'class="word is-yes"' in index


def test_a_summary_that_was_cut_off_costs_its_own_day_only(tmp_path: Path) -> None:
    write_day(tmp_path, one("2026-01-04"), "", {}, LATER)
    (tmp_path / "2026-01-04" / "summary.json").write_text('{"day": "2026-')
    write_day(tmp_path, one("2026-01-05"), "", {}, LATER)
    assert listed((tmp_path / "index.html").read_text()) == ["2026-01-05"]


def test_the_lakes_history_is_what_the_lake_has_and_not_what_a_folder_has(tmp_path: Path) -> None:
    store = FakeObjects()
    for folder, day in ((tmp_path / "a", "2026-01-04"), (tmp_path / "b", "2026-01-05")):
        write_day(folder, one(day), f"page of {day}", {"expectations/app_logs/b.html": "docs"}, LATER)
        places = publish_day(folder, day, store, LAKE, LATER)
    assert places == ["s3://lake/reports/2026-01-05/index.html", "s3://lake/reports/index.html"]
    assert listed(text(store, "reports/index.html")) == ["2026-01-05", "2026-01-04"]
    assert listed((tmp_path / "b" / "index.html").read_text()) == ["2026-01-05"]
    assert text(store, "reports/2026-01-05/expectations/app_logs/b.html") == "docs"
    assert {found.day for found in published(store, LAKE)} == {"2026-01-04", "2026-01-05"}


def test_what_the_lake_had_of_a_day_and_is_no_part_of_it_any_more_is_gone(tmp_path: Path) -> None:
    store = FakeObjects()
    store.put(LAKE, "reports/2026-01-04/index.html", b"another day")
    for name in ("old", "new"):
        write_day(tmp_path, one("2026-01-05"), name, {f"expectations/app_logs/{name}.html": ""}, LATER)
        publish_day(tmp_path, "2026-01-05", store, LAKE, LATER)
    assert sorted(store.sizes(LAKE, "reports/")) == [
        "reports/2026-01-04/index.html",
        "reports/2026-01-05/expectations/app_logs/new.html",
        "reports/2026-01-05/index.html",
        "reports/2026-01-05/summary.json",
        "reports/index.html",
    ]
    assert text(store, "reports/2026-01-05/index.html") == "new"
