"""The explore notebooks as a newcomer runs them: from top to bottom, offline, and right."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from gluebook.notebook.cells import Cell
from gluebook.notebook.parameters import parse_parameters
from gluebook.sample import Request, Truth, generate
from notebook_kit import read_cells

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
EXPLORED = {"raw_tickets": "support_tickets", "raw_logs": "app_logs"}
# The kernel itself talks through sockets of its own, which Python's module doesn't see.
OFFLINE = """
import socket
def refused(*_): raise OSError("this must work offline")
socket.socket.connect = socket.getaddrinfo = refused
"""
PROBE = 'import json; print(json.dumps({"rejects": {k: int(n) for k, n in rejects.items()}}))'


@dataclass(frozen=True)
class Executed:
    """What the cells of a notebook put out, joined: its texts, and how many pictures each cell gave."""

    text: str
    pictures: dict[str, int]
    probe: dict[str, Any]


@cache
def executed(name: str) -> Executed:
    """Execute a notebook in an empty folder. Fails if a cell does."""
    notebook = nbformat.read(NOTEBOOKS / "explore" / f"{name}.ipynb", as_version=4)
    cells = notebook.cells
    first, last = (nbformat.v4.new_code_cell(source) for source in (OFFLINE, PROBE))
    notebook.cells = [first, *cells, last]
    with TemporaryDirectory() as folder:
        NotebookClient(
            notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": folder}}
        ).execute()
    outputs = {cell.id: cell.get("outputs", []) for cell in cells}
    texts = [_text(output) for found in outputs.values() for output in found]
    pictures = {
        id_: sum("image/png" in output.get("data", {}) for output in found) for id_, found in outputs.items()
    }
    return Executed("\n".join(texts), pictures, json.loads(last.outputs[0].text))


def _text(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


@cache
def truth() -> Truth:
    return generate(Request()).truth


def cells(name: str) -> list[Cell]:
    return read_cells(NOTEBOOKS / "explore" / f"{name}.ipynb")


@pytest.mark.parametrize("name", EXPLORED)
def test_what_the_notebook_counts_is_the_generators_truth(name: str) -> None:
    dataset = EXPLORED[name]
    said = re.search(
        r"(\d+) files: ([\d,]+) records = ([\d,]+) rows \+ ([\d,]+) copies \+ ([\d,]+) rejects\. "
        r"The generator's truth says the same, file by file\.",
        executed(name).text,
    )
    assert said, executed(name).text
    files, *counts = (int(number.replace(",", "")) for number in said.groups())
    totals = truth().totals[dataset]
    assert files == sum(key.startswith(dataset) for key in truth().files)
    assert counts == [totals.read, totals.curated, totals.duplicates, totals.rejected]
    assert executed(name).probe["rejects"] == truth().reject_reasons[dataset]


@pytest.mark.parametrize(
    ("name", "by"), [("raw_tickets", "tickets_by_status"), ("raw_logs", "logs_by_level")]
)
def test_the_rows_it_ends_with_are_those_of_the_warehouse(name: str, by: str) -> None:
    table = executed(name).text.rpartition("counted here")[2]
    rows = {word: (int(here), int(true)) for word, here, true in re.findall(r"(\w+) +(\d+) +(\d+)", table)}
    assert rows == {word: (count, count) for word, count in getattr(truth(), by).items()}
    assert sum(here for here, _ in rows.values()) == truth().table_rows[EXPLORED[name]]


@pytest.mark.parametrize("name", EXPLORED)
def test_each_cell_that_draws_shows_one_picture_and_no_other_cell_does(name: str) -> None:
    source = nbformat.read(NOTEBOOKS / "explore" / f"{name}.ipynb", as_version=4)
    drawing = {cell.id for cell in source.cells if cell.cell_type == "code" and "plots." in cell.source}
    assert len(drawing) >= 5
    assert executed(name).pictures == {cell.id: int(cell.id in drawing) for cell in source.cells}


@pytest.mark.parametrize("name", EXPLORED)
def test_each_pointer_into_the_job_notebook_leads_somewhere(name: str) -> None:
    job = read_cells(NOTEBOOKS / "jobs" / f"{EXPLORED[name]}.ipynb")
    headings = [line for cell in job if cell.kind == "markdown" for line in cell.source.splitlines()]
    code = "\n".join(cell.source for cell in job if cell.role == "job")
    pointers = [cell.source for cell in cells(name) if "**In the pipeline.**" in cell.source]
    assert len(pointers) >= 8
    for text in pointers:
        said = text.partition("**In the pipeline.**")[2]
        for heading in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", said):
            assert any(line.startswith(f"## {heading}") for line in headings), heading
        for verb in re.findall(r"`((?:verbs|tokens|run)\.\w+)`", said):
            assert re.search(rf"\b{re.escape(verb)}\b", code), verb


@pytest.mark.parametrize("name", EXPLORED)
def test_it_is_kept_without_outputs_and_its_cells_are_prose_parameters_and_looks(name: str) -> None:
    found = cells(name)
    assert found[0].kind == "markdown"
    assert {cell.role for cell in found} == {None, "parameters", "explore"}
    [parameters] = [cell.source for cell in found if cell.role == "parameters"]
    assert [(p.name, p.default) for p in parse_parameters(parameters, name)] == [("folder", "")]
    stored = json.loads((NOTEBOOKS / "explore" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert stored["metadata"]["kernelspec"]["name"] == "gluebook"
    assert [cell["id"] for cell in stored["cells"]] == [f"{name}-{n:02d}" for n in range(1, len(found) + 1)]
    for cell in stored["cells"]:
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None
