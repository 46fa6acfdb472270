"""The zip of wheels that AWS Glue installs: complete, pinned by the lock, for Glue's platform."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from gluebook.deployment import wheels
from gluebook.deployment.build import build, project_root
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError
from localaws.cloudformation.expressions import Scope
from template_kit import TEMPLATE, template

ROOT = project_root()


def listed(folder: Path) -> dict[str, str]:
    lines = (folder / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(build(ROOT).modules) as archive:
        archive.extractall(folder)
    return folder / "wheels"


def resolve(folder: Path) -> subprocess.CompletedProcess[str]:
    """What pip says that it would install on Glue, from nothing but `folder`, where nothing is installed."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--isolated",
        "--no-index",
        "--no-cache-dir",
    ]
    command += ["--ignore-installed", "--find-links", str(folder), "-r", str(folder / "requirements.txt")]
    command += ["--target", str(folder / "none"), "--only-binary=:all:", "--python-version", "3.11"]
    for platform in (
        "manylinux_2_34_x86_64",
        *(f"manylinux_2_{one}_x86_64" for one in (28, 27, 26, 24, 17, 12)),
    ):
        command += ["--platform", platform]
    return subprocess.run(
        [*command, "--platform", "manylinux2014_x86_64"], capture_output=True, text=True, check=False
    )


def test_pip_finds_all_that_is_required_in_the_zip_and_nowhere_else(unpacked: Path) -> None:
    done = resolve(unpacked)
    assert done.returncode == 0, done.stderr
    [would] = [line for line in done.stdout.splitlines() if line.startswith("Would install ")]
    assert len(would.removeprefix("Would install ").split()) == len(list(unpacked.glob("*.whl")))
    assert len(list(unpacked.iterdir())) == len(listed(unpacked)) + 1


def test_a_zip_without_one_of_the_wheels_could_not_be_installed(unpacked: Path) -> None:
    [wheel] = unpacked.glob("pyarrow-*.whl")
    wheel.rename(unpacked / "away")
    try:
        assert "No matching distribution found for pyarrow" in resolve(unpacked).stderr
    finally:
        (unpacked / "away").rename(wheel)


def test_a_run_on_glue_imports_the_versions_that_are_tested_here(unpacked: Path) -> None:
    pins = listed(unpacked)
    assert {"msgspec", "pyarrow"} <= pins.keys()
    assert pins == {name: version(name) for name in pins}


def test_the_list_for_an_installation_from_the_index_is_the_same() -> None:
    document = parse_template(TEMPLATE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = ",".join(project["project"]["optional-dependencies"]["glue"])
    assert document["Parameters"]["PythonModules"]["Default"] == extra


@pytest.mark.parametrize("uri", ["", "s3://b/modules/1/gluebook.gluewheels.zip"])
def test_jobs_install_from_the_zip_alone_or_from_the_index_a_list(uri: str) -> None:
    source = template()
    names = {"PackageUri": "s3://b/p.zip", "PythonModules": "a==1", "PythonModulesUri": uri}
    scope = Scope(names, source.mappings, source.conditions, {}, {})
    jobs = [one for one in source.resources.values() if one.type_name == "AWS::Glue::Job"]
    assert jobs
    for job in jobs:
        arguments = job.properties["DefaultArguments"]
        flags = ("--extra-py-files", "--additional-python-modules", "--python-modules-installer-option")
        found = scope.resolve({flag: arguments[flag] for flag in flags})
        if uri:
            assert found == dict(zip(flags, ("s3://b/p.zip", uri, "--no-index"), strict=True))
        else:
            assert found == dict(zip(flags[:2], ("s3://b/p.zip", "a==1"), strict=True))


def test_what_a_requirement_requires_is_in_the_zip_or_named(tmp_path: Path) -> None:
    project = '[project.optional-dependencies]\nglue = ["pandas==2.3.3"]\n'
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (tmp_path / "requirements.lock").write_text(lock, encoding="utf-8")
    assert {"pandas", "numpy", "python-dateutil", "six"} <= wheels.requirements(tmp_path).keys()
    (tmp_path / "requirements.lock").write_text(lock.replace("six==", "no-six=="), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"requirements.lock lacks six.*make lock"):
        wheels.requirements(tmp_path)


def test_what_is_in_the_store_is_not_downloaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    build(ROOT)

    def never(*_: object) -> None:
        raise AssertionError("downloaded")

    monkeypatch.setattr(wheels, "_download", never)
    build(ROOT)
