"""The documentation shows the tables that the code says, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs_tables import COMMAND, ROOT, TABLES, tables_in

PAGES = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize(("page", "name"), TABLES)
def test_a_page_shows_the_table_that_the_code_says(page: str, name: str) -> None:
    assert tables_in(page).get(name) == TABLES[page, name](), f"{page}: `{COMMAND}` writes the table {name!r}"


def test_every_marked_table_is_rendered_from_code() -> None:
    marked = {(page, name) for page in PAGES for name in tables_in(page)}
    assert marked == set(TABLES)


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in slugs(path), f"{target}#{anchor}"
