"""docs/add-a-source.md, followed to the letter, comes to what it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from notebooks.walkthrough import ROOT, Copy, expected, steps

PAGE = (ROOT / "docs" / "add-a-source.md").read_text(encoding="utf-8")
SCRIPT = Path("glue", "support_tickets.py")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The project once the page has been followed."""
    made = Copy(tmp_path_factory.mktemp("copy"))
    for step in steps(PAGE):
        made.do(step)
    return made


@pytest.fixture(scope="module")
def records(copy: Copy) -> list[dict[str, Any]]:
    """What the exported script makes of each record of the page's file."""
    runner = ROOT / "tests" / "notebooks" / "run_script.py"
    glue = copy.folder / "src" / "localaws" / "glue_runtime"
    file = "tests/spark/golden/support_tickets/shopdesk/cases.csv"
    said = copy.python(
        str(runner), str(SCRIPT), "support_tickets", "shopdesk", file, also=(glue, ROOT / "tests")
    )
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def test_a_source_is_one_file_and_its_golden_files(copy: Copy) -> None:
    added = ["src/gluebook/sources/support_tickets/shopdesk.py"]
    assert copy.changes() == [*added, "tests/spark/golden/support_tickets/shopdesk/cases.csv"]


def test_each_record_of_the_new_source_becomes_what_the_page_says(records: list[dict[str, Any]]) -> None:
    assert [(str(one["record"]), one["fate"]) for one in records] == [
        (number, becomes) for number, _, _, becomes in expected(PAGE)
    ]
    for one, (_, ticket, _, _) in zip(records, expected(PAGE), strict=True):
        assert one["fate"] != "a row" or (one["row"]["source"], one["row"]["ticket_id"]) == (
            "shopdesk",
            ticket,
        )


def test_the_counts_that_try_printed_are_those_of_the_script(records: list[dict[str, Any]]) -> None:
    total = re.search(r"│ LOADED │ +(\d+) │ +(\d+) │ +(\d+) │ +(\d+) │ +(\d+) │", PAGE)
    assert total
    fates = Counter(one["fate"] for one in records)
    rows, copies = fates.pop("a row"), fates.pop("a copy")
    assert [int(number) for number in total.groups()] == [len(records), rows, copies, fates.total(), rows]


def test_the_rows_that_try_found_in_the_warehouse_are_the_newest_of_the_script(
    records: list[dict[str, Any]],
) -> None:
    columns = ("ticket_id", "revision", "status", "priority", "minutes_to_resolve")
    rows = sorted(
        (one["row"] for one in records if one["fate"] == "a row"),
        key=lambda row: (row["ticket_id"], row["revision"]),
    )
    newest = {row["ticket_id"]: ["" if row[c] is None else str(row[c]) for c in columns] for row in rows}
    printed = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in PAGE.splitlines() if "│ A-1" in line
    ]
    assert printed == list(newest.values())


def test_people_of_the_new_source_are_hashes_and_addresses_masked(records: list[dict[str, Any]]) -> None:
    rows = [one["row"] for one in records if one["fate"] == "a row"]
    assert {len(row["requester"]) for row in rows} == {32}
    assert [row["symptom"] for row in rows if row["ticket_id"] == "A-1006"] == ["Write to <masked> please"]
    assert not re.search("Ada|Ben|Kim|Chlo|Noor", json.dumps(rows, ensure_ascii=False))
