"""The copy of a job notebook for AWS Glue Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.cells import read_notebook
from gluebook.notebook.checks import parameters_of, problems_of
from gluebook.notebook.studio import studio_copy
from notebook_kit import code, prose, write

ROOT = Path(__file__).parents[2]
JOB: dict[str, Any] = {
    "Role": "arn:aws:iam::123456789012:role/job",
    "DefaultArguments": {
        "--extra-py-files": "s3://artefacts/gluebook.zip",
        "--additional-python-modules": "great-expectations==1.24.1",
        "--job-language": "python",
        "--conf": "spark.sql.ansi.enabled=true",
        "--dataset": "app_logs",
        "--ledger_table": "the-ledger",
        "--max_batch_mb": "128",
    },
}


def sources(notebook: dict[str, Any], role: str) -> list[str]:
    """The texts of the cells of a role, which is a tag or a first line."""
    cells = [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in notebook["cells"]]
    return [text for text, tags in cells if role in tags or text.startswith(f"#| {role}\n")]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks" / "jobs").glob("*.ipynb")), ids=lambda p: p.stem)
def test_a_job_notebook_is_set_up_like_the_deployed_job(path: Path, tmp_path: Path) -> None:
    made = studio_copy(path, JOB, "eu-central-1")
    [session] = sources(made, "glue-session")
    assert session.splitlines()[:6] == [
        "#| glue-session",
        "%region eu-central-1",
        "%iam_role arn:aws:iam::123456789012:role/job",
        "%extra_py_files s3://artefacts/gluebook.zip",
        "%additional_python_modules great-expectations==1.24.1",
        "%spark_conf spark.sql.ansi.enabled=true",
    ]
    assert "%glue_version 5.1" in session
    [parameters] = sources(made, "parameters")
    assert {"ledger_table: str = 'the-ledger'", "max_batch_mb: int = 128"} <= set(parameters.splitlines())
    assert made["metadata"]["kernelspec"]["name"] == "glue_pyspark"
    again = tmp_path / path.name
    again.write_text(json.dumps(made), encoding="utf-8")
    read, original = read_notebook(again), read_notebook(path)
    assert problems_of(read) == []
    assert [p.name for p in parameters_of(read)] == [p.name for p in parameters_of(original)]
    jobs = [cell.source for cell in original.of_role("job")]
    assert [cell.source for cell in read.of_role("job")] == jobs
    assert studio_copy(path, JOB, "eu-central-1") == made


def test_the_installers_option_is_configured_before_the_session_begins(tmp_path: Path) -> None:
    option = {"--python-modules-installer-option": "--no-index"}
    job = {**JOB, "DefaultArguments": {**JOB["DefaultArguments"], **option}}
    path = ROOT / "notebooks" / "jobs" / "app_logs.ipynb"
    made = studio_copy(path, job, "eu-central-1")
    first, second = sources(made, "glue-session")
    assert first == "%%configure\n{'--python-modules-installer-option': '--no-index'}"
    assert second.startswith("#| glue-session\n%region")
    again = tmp_path / path.name
    again.write_text(json.dumps(made), encoding="utf-8")
    assert problems_of(read_notebook(again)) == []


def test_nothing_that_running_it_has_left_goes_along(tmp_path: Path) -> None:
    ran = {"outputs": [{"output_type": "stream", "text": "a person"}], "execution_count": 7}
    notebook = write(
        tmp_path / "job.ipynb",
        prose("# A"),
        code("%glue_version 5.1", "glue-session"),
        code('dataset: str = ""', "parameters"),
        code("dataset = 'x'", "injected-parameters"),
        code("x = dataset", "job", **ran),
    )
    text = json.dumps(studio_copy(notebook, JOB, "r"))
    assert "a person" not in text and "injected" not in text


def test_a_role_that_stands_in_the_cell_is_kept(tmp_path: Path) -> None:
    notebook = write(
        tmp_path / "job.ipynb",
        prose("# A"),
        code("#| glue-session\n%glue_version 5.1"),
        code('#| parameters\ndataset: str = ""'),
        code("#| job\nx = dataset"),
    )
    copied = tmp_path / "copy.ipynb"
    copied.write_text(json.dumps(studio_copy(notebook, JOB, "r")), encoding="utf-8")
    assert [cell.role for cell in read_notebook(copied).cells[1:]] == ["glue-session", "parameters", "job"]


def test_what_cannot_become_a_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"job.ipynb is not a job notebook"):
        studio_copy(write(tmp_path / "job.ipynb", prose("# A")), JOB, "r")
    hidden = write(tmp_path / "job.ipynb", code("a: int = 1", "parameters"), code("print(nowhere)", "job"))
    with pytest.raises(NotebookError, match="nothing assigns nowhere"):
        studio_copy(hidden, JOB, "r")


def test_a_value_of_another_type_in_the_job_is_told(tmp_path: Path) -> None:
    notebook = write(
        tmp_path / "job.ipynb",
        prose("# A"),
        code("%glue_version 5.1", "glue-session"),
        code("max_batch_mb: bool = True", "parameters"),
        code("x = max_batch_mb", "job"),
    )
    with pytest.raises(ConfigurationError, match="parameter max_batch_mb: '128' is not of type bool"):
        studio_copy(notebook, JOB, "r")
