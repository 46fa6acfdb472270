"""A page of the documentation that says what to do, step by step, done on a copy of the project."""

from __future__ import annotations

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
_STEP = re.compile(r"<!-- (file|run)(?:: (.+?))? -->\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"<!-- expect -->\n((?:\|.*\n)+)")
_COMMAND = "from gluebook.cli import main; main()"


@dataclass(frozen=True)
class Step:
    """One marked block: `file` writes `text` to `where`, `run` runs it."""

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

    def changes(self) -> list[str]:
        """The files that differ from the project's or that it hasn't got, in order."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        own = (path for path in found if not {"__pycache__", "build"} & set(path.parts))
        return sorted(path.as_posix() for path in own if not _is_as_in_the_project(self.folder, path))

    def do(self, step: Step) -> None:
        """Do one step. Fails if a command fails."""
        if step.kind == "file":
            path = self.folder / step.where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        else:
            for line in step.text.splitlines():
                prompt, gluebook, *words = shlex.split(line)
                assert (prompt, gluebook) == ("$", "gluebook"), line
                self.python("-c", _COMMAND, *words)

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


def _is_as_in_the_project(folder: Path, path: Path) -> bool:
    return (ROOT / path).is_file() and (ROOT / path).read_bytes() == (folder / path).read_bytes()
