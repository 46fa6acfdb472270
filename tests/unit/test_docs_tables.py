"""The tables of the documentation that are rendered from the code are those of today's code."""

from __future__ import annotations

import pytest

from docs_tables import COMMAND, ROOT, TABLES, tables_in


@pytest.mark.parametrize(("page", "name"), TABLES)
def test_a_page_shows_the_table_that_the_code_says(page: str, name: str) -> None:
    assert tables_in(page).get(name) == TABLES[page, name](), f"{page}: `{COMMAND}` writes the table {name!r}"


def test_every_marked_table_is_rendered_from_code() -> None:
    pages = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    marked = {(page, name) for page in pages for name in tables_in(page)}
    assert marked == set(TABLES)
