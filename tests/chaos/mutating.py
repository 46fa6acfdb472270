"""Mutate a copy of the code, run the tests there, and report how they fail."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from chaos.witness import DIED, SOURCES

ROOT = Path(__file__).parents[2]
SUITES = ("tests/chaos/test_protections.py", "tests/chaos/test_found.py")
_COPIED = ("src", "tests")
_TIMEOUT_SECONDS = 600
# Missing or duplicated rows in the warehouse or the lake; and files of the lake that should not be visible, or are
# missing.
_ROWS = re.compile(r"(lost|doubled): \d+ rows in the |lost: \S+ names |lake: |stray: ")
# Injected faults, and errors of a run that lost its batch: the fence, or missing staged files. Any other error means
# that the code does not work at all.
_MAY_DIE_OF = frozenset({"ClientError", "ReadTimeoutError", "Fenced", "WarehouseBusy", "FileNotFoundError"})


class CantMutate(Exception):
    """A mutation does not apply, or the tests did not run on it."""


@dataclass(frozen=True)
class Mutation:
    """A mutation that breaks one protection.

    protection  what the unmutated code guarantees
    broken      the fault of the mutated code
    file        path from the repository's root; contains `old` exactly once
    test        file and name of the test that must fail because of lost or duplicated rows
    """

    name: str
    protection: str
    broken: str
    file: str
    old: str
    new: str
    test: tuple[str, str]


@dataclass(frozen=True)
class Noticed:
    """A test's failure.

    problems    what its assertion has found, one by one
    died        errors that only broken code ends with, whether or not they came up to the test
    """

    message: str
    problems: tuple[str, ...]
    died: tuple[str, ...] = ()

    @property
    def rows(self) -> list[str]:
        """The problems with lost or duplicated rows, in the warehouse or the lake."""
        return [problem for problem in self.problems if _ROWS.match(problem)]

    @property
    def by_rows(self) -> bool:
        """Whether the test failed because of rows, and not because the code does not work at all."""
        return bool(self.rows) and not self.died


Failures = Mapping[tuple[str, str], Noticed]


def applied(mutation: Mutation, text: str) -> str:
    """The mutated text of the file. Raises CantMutate unless `old` is there exactly once."""
    found = text.count(mutation.old)
    if found != 1:
        raise CantMutate(f"{mutation.name}: found {found} times in {mutation.file}: {mutation.old!r}")
    return text.replace(mutation.old, mutation.new)


def failures(mutation: Mutation | None, tested: Iterable[Mutation] = ()) -> Failures:
    """By file and name, the tests that fail with a mutation, or without any, of `SUITES` and of those that are to
    notice it, or one of `tested`. Raises CantMutate if it doesn't apply or the tests can't be run."""
    mutations = [*tested, *([mutation] if mutation else [])]
    elsewhere = {"::".join(one.test): one for one in mutations if one.test[0] not in SUITES}
    with _copy() as folder:
        if mutation is not None:
            path = folder / mutation.file
            path.write_text(applied(mutation, path.read_text(encoding="utf-8")), encoding="utf-8")
        return _run(folder, [*SUITES, *elsewhere])


@contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gluebook-mutation-") as name:
        folder = Path(name)
        for part in _COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder


def _run(folder: Path, tests: list[str]) -> Failures:
    report = folder / "report.xml"
    command = [
        sys.executable,
        "-m",
        "chaos.witness",
        "-p",
        "no:cacheprovider",
        "-o",
        "verbosity_assertions=2",
    ]
    done = subprocess.run(
        [*command, f"--junit-xml={report}", *tests],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{folder / 'src'}:{folder / 'tests'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )
    # 0: all passed, 1: some failed. pytest docs, "Exit codes".
    if done.returncode not in (0, 1) or not report.exists():
        raise CantMutate(f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-2_000:]}")
    return _read(report, folder)


def _read(report: Path, folder: Path) -> Failures:
    noticed: dict[tuple[str, str], Noticed] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        told = [(p.get("name"), p.get("value", "")) for p in case.iter("property")]
        sources = [value for name, value in told if name == SOURCES]
        if not sources or any(not Path(source).is_relative_to(folder) for source in sources):
            raise CantMutate(f"{case.get('name')} ran {sources or 'nothing'} instead of the copy in {folder}")
        wrong = next((part for part in case if part.tag in ("failure", "error")), None)
        if wrong is not None:
            message = _error(wrong.text or "")
            died = [value for name, value in told if name == DIED and not _may_happen(value)]
            name = (case.get("classname", "").replace(".", "/") + ".py", case.get("name", ""))
            noticed[name] = Noticed(message, asserted(message), tuple(died))
    return noticed


def _error(traceback: str) -> str:
    """What pytest marks with an E: the error. The report's own `message` is cut off."""
    return "\n".join(line[1:].strip() for line in traceback.splitlines() if line.startswith("E "))


def asserted(message: str) -> tuple[str, ...]:
    """The problems of an assertion that there are none, by pytest's message; () for any other failure."""
    _, _, text = message.partition("Full diff")
    added = [line[1:].strip() for line in text.splitlines() if line.startswith("+ ")]
    if not message.removeprefix("AssertionError: ").startswith("assert [") or not added:
        return ()
    try:
        found = ast.literal_eval("\n".join(added))
    except (SyntaxError, ValueError):
        return ()
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else ()


def _may_happen(death: str) -> bool:
    """By `<actor> <number>: <type>: <text>`."""
    return death.split(": ")[1] in _MAY_DIE_OF
