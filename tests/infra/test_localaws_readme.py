"""What the README of localaws says: its program runs, and what can be derived from the code is as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from localaws.cloudformation.resources import all_types
from localaws.redshift.requests import MEMBERS
from localaws.redshift.sql.rewrite import STATEMENTS
from localaws.sessions.service import OPERATIONS

HERE = Path(__file__).parents[2] / "src" / "localaws"
README = (HERE / "README.md").read_text(encoding="utf-8")


def implemented(service: str) -> set[str]:
    """The calls or statements in a service's row, each of which is a word that begins with a capital letter."""
    [row] = re.findall(rf"^\| {service} \| ([^|]*) \|", README, re.MULTILINE)
    return set(row.split(", "))


def test_the_program_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    program, output = re.findall(r"^```(?:python)?\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == output, done.stderr


def test_every_resource_type_is_listed_and_no_other() -> None:
    assert re.findall(r"`(AWS::\w+::\w+)`", README) == sorted(all_types())


@pytest.mark.parametrize(
    ("service", "known"),
    [
        ("Redshift Data API", set(MEMBERS)),
        ("Redshift SQL", set(STATEMENTS)),
        ("Glue sessions", {"".join(word.title() for word in name.split("_")) for name in OPERATIONS}),
    ],
)
def test_the_calls_and_statements_of_a_service_are_those_that_it_answers(
    service: str, known: set[str]
) -> None:
    assert implemented(service) == known


def test_every_folder_has_its_row() -> None:
    folders = {path.parent.relative_to(HERE).parts[0] for path in HERE.glob("*/__init__.py")}
    rows = set(re.findall(r"`(\w+)/`", README.partition("## Where things are")[2].partition("## Add")[0]))
    assert folders <= rows


def test_every_file_that_the_page_names_exists() -> None:
    places = (HERE, HERE / "redshift", HERE / "redshift" / "sql", HERE.parents[1], HERE.parents[1] / "docs")
    tests = HERE.parents[1] / "tests"
    for name in set(
        re.findall(r"`([\w/]+\.py)`|\]\(([./\w-]+\.md)", README.partition("## Add a Redshift")[2])
    ):
        path = name[0] or name[1]
        found = [place / path for place in places] + list(tests.rglob(Path(path).name))
        assert any(one.exists() for one in found), path
