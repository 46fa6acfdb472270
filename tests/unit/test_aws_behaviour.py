"""docs/aws-behaviour.md names tests that there are."""

from __future__ import annotations

import re

import pytest

from gluebook.deployment.build import project_root

ROOT = project_root()
PAGE = (ROOT / "docs" / "aws-behaviour.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+(?:\.py)?)`", PAGE))))
def test_a_test_that_the_page_names_exists(name: str) -> None:
    if name.endswith(".py"):
        assert list((ROOT / "tests").rglob(name))
    else:
        files = (ROOT / "tests").rglob("test_*.py")
        assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in files)


def test_every_row_names_its_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| AWS |")]
    assert rows and all("`test_" in row.rsplit("|", 2)[1] for row in rows)
