"""The suite notebooks as a reader runs them: what the contract demands is shown, and a rule is tried out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gluebook.contracts import CONTRACTS
from gluebook.notebook.cells import text_of
from gluebook.notebook.execute import execute
from gluebook.quality.baseline import baseline

SUITES = Path(__file__).resolve().parents[2] / "notebooks" / "suites"


@pytest.mark.parametrize("name", CONTRACTS)
def test_it_runs_from_top_to_bottom_and_the_made_up_oddity_fails_where_it_must(
    name: str, tmp_path: Path
) -> None:
    done = tmp_path / f"{name}.ipynb"
    execute(SUITES / f"{name}.ipynb", {}, done, kernel="python3")
    cells = {cell["id"]: cell for cell in json.loads(done.read_text(encoding="utf-8"))["cells"]}
    demanded, tried = (_table(cells[of]) for of in ("demanded", "try"))
    for kind in {one["type"] for one in baseline(CONTRACTS[name])}:
        assert any(kind in row for row in demanded)
    # Sixty percent of the records set aside break both rules about them; the batch is as fresh as can be.
    assert [(column, verdict) for *_, column, verdict in tried] == [
        ("rejected_percent", "FAILS"),
        ("rejected_percent", "FAILS"),
        ("newest_age_hours", "holds"),
    ]


def _table(cell: dict[str, Any]) -> list[list[str]]:
    """The rows of the table that a cell shows, without its header."""
    [html] = [text_of({"source": o["data"]["text/html"]}) for o in cell["outputs"] if "data" in o]
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.S) for row in rows if "<td>" in row]
