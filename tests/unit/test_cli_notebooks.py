"""The commands for notebooks, on a copy of the project's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gluebook.cli.app import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What these commands read of a checkout, to be changed; it is the current folder."""
    for folder in ("notebooks", "glue", "infra", "expectations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def misspell(notebook: Path) -> None:
    """Of the first job cell, in a name that it reads."""
    parsed = json.loads(notebook.read_text(encoding="utf-8"))
    cell = next(cell for cell in parsed["cells"] if "job" in cell["metadata"].get("tags", []))
    cell["source"] = "".join(cell["source"]).replace(
        "lease_seconds=lease_seconds", "lease_seconds=lease_secondt"
    )
    notebook.write_text(json.dumps(parsed), encoding="utf-8")


def said(*words: str) -> tuple[int, str]:
    """(exit code, what was written)."""
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


def test_one_changed_character_of_a_job_cell_fails_the_check_with_the_difference(project: Path) -> None:
    assert said("export", "--check") == (0, "")
    notebook = project / "notebooks" / "jobs" / "app_logs.ipynb"
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace("as is_error", "as is_errors", 1), encoding="utf-8")
    code, output = said("export", "--check")
    assert code == 1
    changed = [line for line in output.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[0] for line in changed] == ["-", "+"]
    assert changed[1][1:].replace("is_errors", "is_error") == changed[0][1:] != changed[1][1:]
    assert "run `gluebook export`" in output
    assert said("export")[0] == 0
    assert said("export", "--check") == (0, "")


def test_a_changed_name_is_refused_before_it_becomes_a_script(project: Path) -> None:
    notebook = project / "notebooks" / "jobs" / "app_logs.ipynb"
    script = project / "glue" / "app_logs.py"
    before = script.read_bytes()
    misspell(notebook)
    for command in (("lint", "--no-plan"), ("export",), ("export", "--check")):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert "nothing assigns lease_secondt" in f"{result.output} {result.exception}"
    assert script.read_bytes() == before


def test_lint_says_nothing_of_notebooks_as_they_should_be_and_fixes_what_running_has_left(
    project: Path,
) -> None:
    assert said("lint", "--no-plan") == (0, "")
    notebook = project / "notebooks" / "jobs" / "app_logs.ipynb"
    clean = notebook.read_bytes()
    parsed = json.loads(clean)
    for number, cell in enumerate(parsed["cells"]):
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": [{"output_type": "stream", "text": "x"}]}
    notebook.write_text(json.dumps(parsed), encoding="utf-8")
    code, output = said("lint", str(notebook))
    assert code == 1 and "it contains outputs of a run" in output
    assert said("lint", "--fix", "--no-plan", str(notebook))[0] == 0
    assert notebook.read_bytes() == clean


def test_the_help_of_run_tells_the_parameters_of_the_notebook(project: Path) -> None:
    code, output = said("run", "notebooks/jobs/app_logs.ipynb", "--help")
    assert code == 0
    assert "parameters of app_logs.ipynb" in output
    lines = [line.split("│")[1:4] for line in output.splitlines() if "max_batch_mb" in line]
    assert [[word.strip() for word in line] for line in lines] == [["max_batch_mb", "int", "4096"]]
    assert "there is no notebook" in said("run", "no.ipynb", "--help")[1]
    assert "parameters of" not in said("run", "--help")[1]
