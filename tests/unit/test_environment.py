"""Every installation is the same: one lock, which conda's file, the project and AWS Glue's pins agree with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from gluebook.deployment.template import parse_template
from template_kit import TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
# What AWS Glue 5.1 ships.
GLUE = {"pyspark": "3.5.6", "pandas": "2.3.3", "numpy": "2.3.4", "pyarrow": "22.0.0", "boto3": "1.40.61"}


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (Requirement(line) for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return dict(tomllib.load(stream)["project"])


def test_conda_installs_the_lock_and_nothing_else() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    assert pip == ["-r requirements.lock", "-e ."]
    others = [part for part in environment["dependencies"] if isinstance(part, str)]
    assert others == ["python=3.11", "openjdk=17", "pip"]


@pytest.mark.parametrize("name", GLUE)
def test_the_lock_pins_what_aws_glue_ships(name: str) -> None:
    assert lock()[name] == GLUE[name]


def test_the_lock_satisfies_everything_the_project_asks_for() -> None:
    about = project()
    wanted = [*about["dependencies"], *about["optional-dependencies"]["dev"]]
    pins = lock()
    for requirement in map(Requirement, wanted):
        pinned = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(pinned)), f"{requirement} is locked at {pinned}"


def test_every_line_of_the_lock_is_one_exact_version() -> None:
    assert all(re.fullmatch(r"[0-9][\w.+!-]*", version) for version in lock().values())


def test_the_template_installs_the_modules_that_are_tested_here() -> None:
    modules = parse_template(TEMPLATE)["Parameters"]["PythonModules"]["Default"]
    assert modules == ",".join(f"{name}=={lock()[name]}" for name in ("msgspec", "pyarrow"))


def test_the_lock_names_no_place_that_packages_come_from() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "index" not in text.lower()
