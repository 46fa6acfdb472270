"""A page of the documentation that says what to do, step by step, done on a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "notebooks", "glue", "expectations", "infra", "pyproject.toml")
_STEP = re.compile(r"<!-- (file|edit|run)(?:: (.+?))? -->\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"<!-- expect -->\n((?:\|.*\n)+)")
_COMMAND = "from gluebook.cli import main; main()"


@dataclass(frozen=True)
class Step:
    """One marked block: `file` writes `text` to `where`, `edit` changes `where` as a diff says, `run` runs it."""

    kind: str
    where: str
    text: str


def steps(page: str) -> Iterator[Step]:
    """The marked blocks of a page, in order."""
    for found in _STEP.finditer(page):
        yield Step(found[1], found[2] or "", found[3])


def expected(page: str) -> list[list[str]]:
    """The rows of the table that says what should come out, without its head."""
    found = _TABLE.search(page)
    assert found, "the page says nowhere what is expected"
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in found[1].splitlines()[2:]]


class Copy:
    """The project in a folder of its own, on which the steps are done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)

    def do(self, step: Step) -> None:
        """Do one step. Fails if what is to be changed isn't there exactly once, or if a command fails."""
        if step.kind == "file":
            path = self.folder / step.where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif step.kind == "edit":
            path, _, heading = step.where.partition(", ")
            self._edit(self.folder / path, heading, *_sides(step.text))
        else:
            for line in step.text.splitlines():
                prompt, gluebook, *words = shlex.split(line)
                assert (prompt, gluebook) == ("$", "gluebook"), line
                self.python("-c", _COMMAND, *words)

    def _edit(self, path: Path, heading: str, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        if not heading:
            path.write_text(_replaced(text, old, new, str(path)), encoding="utf-8")
            return
        notebook = json.loads(text)
        cells = _job_cells_under(notebook["cells"], heading)
        [cell] = [cell for cell in cells if old in "".join(cell["source"])]
        changed = _replaced("".join(cell["source"]), old, new, heading)
        cell["source"] = changed.splitlines(keepends=True)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def python(self, *arguments: str, also: tuple[Path, ...] = ()) -> str:
        """Run Python on the copy's sources, in its folder; what it printed. Fails if it fails."""
        places = [self.folder / "src", *also]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _sides(diff: str) -> tuple[str, str]:
    """What a diff says was there, and what is to be there."""
    lines = diff.splitlines()
    old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    return old, "\n".join(line[1:] for line in lines if not line.startswith("-"))


def _replaced(text: str, old: str, new: str, where: str) -> str:
    assert text.count(old) == 1, f"{where} has {old!r} {text.count(old)} times"
    return text.replace(old, new)


def _job_cells_under(cells: list[dict[str, object]], heading: str) -> list[dict[str, object]]:
    found, inside = [], False
    for cell in cells:
        first = "".join(cell["source"]).partition("\n")[0]  # type: ignore[arg-type]
        if cell["cell_type"] == "markdown" and first.startswith("#"):
            inside = first == f"## {heading}"
        elif inside and "job" in cell["metadata"].get("tags", []):  # type: ignore[attr-defined]
            found.append(cell)
    assert found, f"the notebook has no job cell under {heading!r}"
    return found
