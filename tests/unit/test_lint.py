"""What is told of a notebook without running it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gluebook.errors import ConfigurationError
from gluebook.notebook.cells import read_notebook
from gluebook.notebook.checks import problems_of
from gluebook.notebook.lint import lint, strip
from notebook_kit import Cell, code, prose, write
from template_kit import TEMPLATE

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
Make = Callable[..., Path]

SMALL_TEMPLATE = """
Parameters:
  Worker: {Type: String, Default: G.1X}
  Limit: {Type: Number, Default: 5}
  Table: {Type: String}
Resources:
  TheJob:
    Type: AWS::Glue::Job
    Properties:
      GlueVersion: "5.1"
      WorkerType: !Ref Worker
      Command: {Name: glueetl, ScriptLocation: ../glue/job.py}
      DefaultArguments: {"--job-language": python, "--limit": !Ref Limit, "--table": !Ref Table}
"""
TITLE = prose("# A notebook")
SESSION = code("%glue_version 5.1\n%worker_type G.1X\n%idle_timeout 30", "glue-session")
PARAMETERS = code('limit: int = 5\ntable: str = ""', "parameters")
JOB = code("found = [table, limit]", "job")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a notebook of these cells; its path."""
    return partial(write, tmp_path / "job.ipynb")


def linted(path: Path, template: str = SMALL_TEMPLATE) -> list[str]:
    file = path.with_name("pipeline.yaml")
    file.write_text(template, encoding="utf-8")
    return [str(problem) for problem in lint(path, file)]


def between(*cells: Cell, make: Make) -> list[str]:
    """The problems of a notebook with parameters and then these cells; cell 1 is the parameters'."""
    return [str(problem) for problem in problems_of(read_notebook(make(PARAMETERS, *cells)))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_projects_notebooks_have_no_problems(path: Path) -> None:
    assert [str(problem) for problem in lint(path, TEMPLATE)] == []


def test_a_notebook_as_it_should_be_has_no_problems(make: Make) -> None:
    assert linted(make(TITLE, SESSION, PARAMETERS, JOB, code("print(found)", "check"))) == []


# -- names between cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (
            [code("helper = 1", "check"), code("x = helper", "job")],
            "cell 3, line 1: helper comes from cell 2, whose role is check: the job script lacks it; "
            "assign it in a job cell",
        ),
        (
            [code("x = later", "job"), code("later = 1", "job")],
            "cell 2, line 1: later is assigned further down, in cell 3; move that cell above this one",
        ),
        (
            [code("x = 1\n\ny = nowhere", "job")],
            "cell 2, line 3: nothing assigns nowhere; import or assign it in a job cell above",
        ),
        (
            [code("x = spark.range(1)", "job")],
            "cell 2, line 1: spark exists in notebooks only; in a job script take it from `run`, as in run.spark",
        ),
        (
            [code("x = 1", "job"), code("y = 2\nx = 2", "job")],
            "cell 3, line 2: x is assigned in cell 2 already; give this one a name of its own",
        ),
        (
            [code("limit = 2", "job")],
            "cell 2, line 1: limit is assigned in cell 1 already; give this one a name of its own",
        ),
        (
            [code("x = 1", "job"), code("x = 2", "explore")],
            "cell 3, line 1: x belongs to cell 2 and is assigned again by a cell for explore",
        ),
        ([code("x = 1", "job"), code("print(y)", "check")], "cell 3, line 1: nothing assigns y"),
        (
            [code("x = 1", "job"), code("print(y)", "check"), code("y = 1", "check")],
            "cell 3, line 1: y is assigned further down, in cell 4",
        ),
        ([code("from os import *", "job")], "cell 2, line 1: it is unknown what `import *` assigns"),
        ([code("x = 1", "job"), code("!ls", "check")], "cell 3, line 1: '!ls' is a shell call"),
        (
            [code("x = 1", "job"), code("%timeit x", "check")],
            "cell 3, line 1: AWS Glue has no magic '%timeit x'; did you mean timeout?",
        ),
        (
            [code("x = 1", "job"), code("%%tags\n{broken", "check")],
            "cell 3, line 1: '%%tags': what follows is not a dictionary in Python's notation",
        ),
        ([code("x += 1", "job")], "cell 2, line 1: nothing assigns x"),
        ([code("x = x + 1", "job")], "cell 2, line 1: nothing assigns x"),
        ([code("x = [y + z for y in [1]]", "job")], "cell 2, line 1: nothing assigns z"),
        ([code("x = lambda y: y + z", "job")], "cell 2, line 1: nothing assigns z"),
    ],
)
def test_hidden_state_is_told_with_cell_line_and_cure(make: Make, cells: list[Cell], problem: str) -> None:
    [found] = between(*cells, make=make)
    assert found.startswith(f"job.ipynb, {problem}")


@pytest.mark.parametrize(
    "source",
    [
        "import os.path\nx = os.path.sep",
        "from os import sep as y\nx = y",
        "x = sum(y for y in range(limit))",
        "x = (lambda y, *z: (y, z))(1)",
        "for x in range(limit):\n    print(x)",
        "with open(table) as x:\n    y = x.read()\n    z = y",
        "try:\n    x = 1\nexcept ValueError as e:\n    print(e)",
        "if (x := limit) > 1:\n    print(x)",
        "x = {'a': 1}\nx['b'] = 2\nx.setdefault('c', 3)",
        "x = limit\nx = x + 1\ndel x",
        "print(__name__)",
    ],
)
def test_names_that_a_cell_brings_along_are_no_hidden_state(make: Make, source: str) -> None:
    assert between(code(source, "job"), make=make) == []


def test_check_cells_may_use_what_stands_above_and_what_a_session_gives(make: Make) -> None:
    cells = [
        code("x = 1", "job"),
        code("%matplotlib inline\nmine = x\ndisplay(mine, spark)", "check"),
        code("mine = 2\nprint(mine)", "explore"),
    ]
    assert between(*cells, make=make) == []


def test_all_problems_are_told_at_once(make: Make) -> None:
    cells = [code("def f(): pass", "job"), code("x = 1"), code("y = = 1", "job")]
    assert [problem.partition(": ")[0] for problem in between(*cells, make=make)] == [
        "job.ipynb, cell 3",
        "job.ipynb, cell 2, line 1",
        "job.ipynb, cell 4, line 1",
    ]


# -- the whole notebook ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (
            [SESSION, PARAMETERS, JOB],
            "cell 1: a notebook begins with prose; explain its purpose in a markdown cell",
        ),
        ([prose(" "), SESSION, PARAMETERS, JOB], "cell 1: a notebook begins with prose"),
        (
            [TITLE, SESSION, PARAMETERS, JOB, code("print(found)", "check", execution_count=4)],
            "cell 5: it contains outputs of a run; `gluebook lint --fix` removes it",
        ),
        (
            [TITLE, SESSION, PARAMETERS, code("limit = 2", "injected-parameters"), JOB],
            "cell 4: papermill has injected parameters here; `gluebook lint --fix` removes it",
        ),
        ([TITLE, PARAMETERS, JOB], "it has no glue-session cell"),
        (
            [TITLE, PARAMETERS, SESSION, JOB],
            "cell 3: the first code that runs, cell 2, creates the session; move this cell above it",
        ),
        (
            [TITLE, code("%worker_type G.2X", "glue-session"), PARAMETERS, JOB],
            "cell 2, line 1: '%worker_type G.2X' is not what ",
        ),
        (
            [TITLE, code("%glue_version 5.2", "glue-session"), PARAMETERS, JOB],
            "cell 2, line 1: '%glue_version 5.2': there is no AWS Glue 5.2; there are 2.0",
        ),
        (
            [TITLE, code("%glue_version 5.1\n%number_of_worker 2", "glue-session"), PARAMETERS, JOB],
            "cell 2, line 2: AWS Glue has no magic '%number_of_worker 2'; did you mean number_of_workers?",
        ),
        (
            [TITLE, code("%number_of_workers two", "glue-session"), PARAMETERS, JOB],
            "cell 2, line 1: '%number_of_workers two': 'two' is not a whole number of at least 2",
        ),
        (
            [TITLE, code("%glue_version 5.1\nx = 1", "glue-session"), PARAMETERS, JOB],
            "cell 2: a glue-session cell holds only magics",
        ),
        (
            [TITLE, SESSION, code('limit: int = 6\ntable: str = ""', "parameters"), JOB],
            "cell 3: the default of limit is 6, but ",
        ),
        (
            [TITLE, SESSION, code('limit: bool = True\ntable: str = ""', "parameters"), JOB],
            "cell 3: {}/pipeline.yaml: parameter limit: '5' is not of type bool",
        ),
        (
            [TITLE, SESSION, code("limit: int = 5", "parameters"), code("x = limit", "job")],
            "cell 3: {}/pipeline.yaml gives the job --table, which is not a parameter of the notebook",
        ),
        (
            [TITLE, SESSION, code('limit: int = 5\ntable: str = ""\nmore: int = 1', "parameters"), JOB],
            "cell 3: {}/pipeline.yaml does not give --more to the job; "
            "add it to DefaultArguments in infra/dataset.yaml and export",
        ),
    ],
)
def test_what_a_job_notebook_must_have_is_told_if_it_is_not_there(
    make: Make, tmp_path: Path, cells: list[Cell], problem: str
) -> None:
    [found] = linted(make(*cells))
    assert found.removeprefix("job.ipynb").lstrip(":, ").startswith(problem.format(tmp_path.name))


def test_a_job_that_the_template_does_not_know_is_told(make: Make) -> None:
    [found] = linted(make(TITLE, SESSION, PARAMETERS, JOB), "Resources: {}")
    assert "has no job for it; write its contract and run `gluebook export`" in found


def test_a_template_that_cannot_be_read_is_named(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot parse template .*pipeline.yaml"):
        linted(make(TITLE, SESSION, PARAMETERS, JOB), "a: [")


def test_a_notebook_without_job_cells_needs_no_job_and_no_session(make: Make) -> None:
    assert linted(make(TITLE, code("x = 1", "explore")), "Resources: {}") == []


def test_what_running_it_has_left_is_taken_out_and_nothing_else(make: Make) -> None:
    clean = make(TITLE, SESSION, PARAMETERS, JOB)
    before = clean.read_text(encoding="utf-8")
    assert not strip(clean)
    notebook = json.loads(before)
    notebook["metadata"]["papermill"] = {"duration": 1}
    notebook["cells"][3] |= {"outputs": [{"output_type": "stream"}], "execution_count": 3}
    notebook["cells"][3]["metadata"]["execution"] = {"iopub.status.busy": "now"}
    notebook["cells"].insert(3, {**code("limit = 3", "injected-parameters"), "id": "x"})
    clean.write_text(json.dumps(notebook), encoding="utf-8")
    assert strip(clean)
    assert clean.read_text(encoding="utf-8") == before
