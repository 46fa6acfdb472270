"""The artefacts: the same sources give the same bytes, whole at any time, and run from a zip."""

from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from build_kit import check_out_again, checkout
from gluebook.deployment.build import Artefacts, build, project_root

ROOT = project_root()
BUILD = "import sys; from pathlib import Path; from gluebook.deployment.build import build; build(Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def built() -> Artefacts:
    return build(ROOT)


def contents(root: Path) -> dict[str, bytes]:
    made = [path for path in (root / "build").rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in made}


def test_another_clone_of_the_same_sources_gives_the_same_bytes(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    build(root)
    before = contents(root)
    check_out_again(root, 1_900_000_000)
    build(root)
    assert contents(root) == before
    assert len(before) == 6


def test_whoever_reads_while_others_build_finds_a_whole_artefact(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    layer = build(root).layer
    with zipfile.ZipFile(layer) as archive:
        whole = archive.namelist()
    assert "python/gluebook/__init__.py" in whole
    builds = [subprocess.Popen([sys.executable, "-c", BUILD, str(root)]) for _ in range(3)]
    looks = 0
    while any(one.poll() is None for one in builds):
        with zipfile.ZipFile(layer) as archive:
            assert archive.namelist() == whole
            assert archive.testzip() is None
        looks += 1
    assert [one.wait() for one in builds] == [0, 0, 0]
    assert looks > 1
    assert not [path for path in (root / "build").rglob("*") if path.name.startswith((".", "wheel-"))]


def test_a_changed_source_changes_the_place_of_the_package_and_a_changed_readme_does_not(
    tmp_path: Path,
) -> None:
    root = checkout(tmp_path)
    before = build(root)
    (root / "README.md").write_text("another")
    assert build(root) == before
    with (root / "src" / "gluebook" / "clock.py").open("a") as file:
        file.write("# another\n")
    after = build(root)
    assert after.package_key != before.package_key
    assert after.modules_key == before.modules_key
    assert after.package_key.startswith("package/") and after.package_key.endswith("/gluebook.zip")


def test_everyone_may_read_what_is_in_the_artefacts(built: Artefacts) -> None:
    for made in (built.package, built.layer, *built.functions):
        with zipfile.ZipFile(made) as archive:
            assert {info.external_attr >> 16 & 0o777 for info in archive.infolist()} == {0o644}, made


FROM_ZIP = """
import importlib, sys
sys.path[:0] = [sys.argv[1]]
sys.path += sys.argv[2].split(":")
for name in sys.argv[3:]:
    importlib.import_module(name)
import gluebook
from gluebook.contracts import CONTRACTS
from gluebook.quality.suites import load_suites
from gluebook.report import data_docs, page
assert gluebook.__file__.startswith(sys.argv[1] + "/"), gluebook.__file__
for contract in CONTRACTS.values():
    assert load_suites(contract).rows["expectations"]
environment = page._environment()
names = environment.list_templates()
assert "verdict.html" in names, names
for name in names:
    environment.get_template(name)
assert page.style() and data_docs._template("data_docs.css")
"""


def test_the_package_runs_from_the_zip_with_the_files_that_it_reads(built: Artefacts) -> None:
    scripts = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "glue").glob("*.py")]
    found = {
        node.module for script in scripts for node in ast.walk(script) if isinstance(node, ast.ImportFrom)
    }
    names = sorted(name for name in found if name and name.startswith("gluebook."))
    assert "gluebook.job.run" in names
    site = ":".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    # -S: no .pth file, which would bring the checkout in.
    command = [sys.executable, "-I", "-S", "-c", FROM_ZIP, str(built.package), site, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
