"""Notebook to script: what is refused, what comes out, and that it is the same to the byte."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gluebook.contracts import CONTRACTS
from gluebook.errors import NotebookError
from gluebook.notebook.cells import ROLES
from gluebook.notebook.export import export
from notebook_kit import Cell, code, prose, read_cells, write

ROOT = Path(__file__).parents[2]
NAMES = tuple(CONTRACTS)
PARAMETERS = 'dataset: str = "app_logs"\nlimit: int = 5'

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a notebook of these cells; its path."""
    return partial(write, tmp_path / "job.ipynb")


def script(path: Path) -> str:
    made = export(path, "notebooks/jobs/job.ipynb")
    compile(made, "script", "exec")
    return made


def refusal(path: Path) -> str:
    with pytest.raises(NotebookError) as caught:
        export(path, "x")
    return str(caught.value)


# -- roles -------------------------------------------------------------------------------------------------


def test_only_parameters_and_job_cells_reach_the_script(make: Make) -> None:
    others = [
        code(f"never_{role.replace('-', '_')} = 1", role)
        for role in ROLES
        if role not in ("parameters", "job")
    ]
    made = script(
        make(code(PARAMETERS, "parameters"), *others, code("print(dataset)", "job"), prose("never", "raw"))
    )
    assert "never" not in made
    assert made.endswith("_options)\n\nprint(dataset)\n\n_job.commit()\n")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_a_tag_or_a_first_line(make: Make, role: str) -> None:
    [tagged] = read_cells(make(code("x = 1", role, "hide-input")))
    [marked] = read_cells(make(code(f"#| {role}\nx = 1")))
    assert (tagged.role, tagged.source) == (marked.role, marked.source) == (role, "x = 1")


def test_both_ways_of_one_role_are_one_role(make: Make) -> None:
    [cell] = read_cells(make(code("#| job\nx = 1", "job")))
    assert (cell.role, cell.source) == ("job", "x = 1")


def test_empty_cells_and_prose_need_no_role(make: Make) -> None:
    cells = read_cells(make(code(""), code("\n  \n"), prose("# Title"), prose("raw", "raw")))
    assert [(cell.number, cell.kind, cell.role) for cell in cells] == [
        (1, "code", None),
        (2, "code", None),
        (3, "markdown", None),
        (4, "raw", None),
    ]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (code("x = 1"), "job.ipynb, cell 2: has no role; give it one, as a tag or as a first line `#| job`"),
        (code("x = 1", "Job"), "job.ipynb, cell 2: has no role"),
        (code("#|job\nx = 1"), "job.ipynb, cell 2: has no role"),
        (code("x = 1\n#| job"), "job.ipynb, cell 2: has no role"),
        (code("#| jobs\nx = 1"), "job.ipynb, cell 2: no role jobs; there are parameters, glue-session, job"),
        (code("#| \nx = 1"), "job.ipynb, cell 2: no role "),
        (code("x = 1", "job", "check"), "job.ipynb, cell 2: has roles check, job"),
        (code("#| report\nx = 1", "job"), "job.ipynb, cell 2: has roles job, report"),
    ],
)
def test_a_code_cell_has_exactly_one_known_role(make: Make, cell: Cell, message: str) -> None:
    found = refusal(make(code(PARAMETERS, "parameters"), cell))
    assert found.startswith(message)


# -- job cells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("def f(): pass", "f is defined in a job cell; move it to src/gluebook"),
        ("async def f(): pass", "f is defined in a job cell"),
        ("class C: pass", "C is defined in a job cell"),
        ("if True: \n  def f(): pass", "f is defined in a job cell"),
        ("%time x", "'%time x' can't run in a job; give the cell another role"),
        ("!ls -l", "'!ls -l' can't run in a job"),
        ("%%sql", "'%%sql' can't run in a job"),
        ("x = = 1", "invalid syntax"),
        ("return x", "'return' outside function"),
        ("await x", "'await' outside function"),
    ],
)
@pytest.mark.parametrize(
    ("before", "number"), [("", 1), ("\n\n", 3), ("#| job\n", 2), ("\n#| job\n\n", 4), ("x = 1\n\n# y\n", 4)]
)
def test_what_a_job_cell_may_not_hold_is_named_with_cell_and_line(
    make: Make, line: str, message: str, before: str, number: int
) -> None:
    found = refusal(make(code(PARAMETERS, "parameters"), prose("text"), code(before + line, "job")))
    shift = line.count("\n")
    assert found.startswith(f"job.ipynb, cell 3, line {number + shift}: {message}")


@pytest.mark.parametrize(
    "source",
    [
        'sql = """\n%d percent\n!important\n"""',
        "x = (10\n     % 3)",
        "f = lambda row: row",
        "x = [y for y in dataset]",
        "# %time\nx = 1",
    ],
)
def test_what_only_looks_like_a_magic_or_a_definition_is_fine(make: Make, source: str) -> None:
    assert source in script(make(code(PARAMETERS, "parameters"), code(source, "job")))


def test_other_cells_may_hold_whatever_they_like(make: Make) -> None:
    script(
        make(
            code(PARAMETERS, "parameters"),
            code("%%configure\n{", "glue-session"),
            code("def f(): pass", "check"),
            code("print(dataset)", "job"),
        )
    )


# -- parameters --------------------------------------------------------------------------------------------


def test_parameters_become_arguments_with_their_defaults(make: Make) -> None:
    made = script(
        make(
            code('#| parameters\nname: str = "it\'s"\nn: int = -5\nyes: bool = True\nx: float = 0.5'),
            code("print(name)", "job"),
        )
    )
    assert made.partition("_arguments = ")[2].partition("_options")[0] == (
        "job_arguments(\n    sys.argv,\n    getResolvedOptions,\n"
        '    name="it\'s",\n    n=-5,\n    yes=True,\n    x=0.5,\n)\n'
        'name = _arguments["name"]\nn = _arguments["n"]\nyes = _arguments["yes"]\nx = _arguments["x"]\n\n'
    )


def test_a_notebook_without_parameters_is_refused(make: Make) -> None:
    assert refusal(make(code("x = 1", "job"))).startswith("job.ipynb: it has no parameters cell; add one")


def test_a_notebook_without_job_cells_is_refused(make: Make) -> None:
    assert "no job cell, so its script would do nothing" in refusal(make(code(PARAMETERS, "parameters")))
    assert "no job cell, so its script would do nothing" in refusal(make())


def test_a_second_parameters_cell_is_refused(make: Make) -> None:
    found = refusal(make(code(PARAMETERS, "parameters"), prose(""), code("more: int = 1", "parameters")))
    assert found == "job.ipynb, cell 3: a second parameters cell; there can be one"


@pytest.mark.parametrize(
    ("before", "number"), [("", 1), ("#| parameters\n", 2), ("\n\n# what it takes\n", 4)]
)
def test_what_is_no_parameter_is_named_with_cell_and_line(make: Make, before: str, number: int) -> None:
    found = refusal(make(prose("text"), code(f"{before}limit = 5", "parameters")))
    assert found == f"job.ipynb, cell 2, line {number}: a parameters cell holds only `name: type = literal`"


def test_injected_parameters_are_no_part_of_the_source(make: Make) -> None:
    cells = [
        code(PARAMETERS, "parameters"),
        code("limit = 7", "injected-parameters"),
        code("print(limit)", "job"),
    ]
    assert script(make(*cells)) == script(make(cells[0], cells[2]))


def test_cells_keep_the_numbers_people_see_though_one_is_left_out(make: Make) -> None:
    found = refusal(make(code(PARAMETERS, "parameters"), code("", "injected-parameters"), code("x =", "job")))
    assert found.startswith("job.ipynb, cell 3, line 1")


# -- the script --------------------------------------------------------------------------------------------


def test_a_heading_is_kept_with_the_job_cell_it_is_above(make: Make) -> None:
    made = script(
        make(
            code(PARAMETERS, "parameters"),
            prose("# Title\n\ntext\n\n## Read\n\ntext"),
            prose("more text\n```\n# no heading\n```"),
            code("read = 1", "job"),
            prose("## Look"),
            code("look = 1", "check"),
            prose("## Write ##"),
            code("write = 1", "job"),
            code("again = 1", "job"),
        )
    )
    body = [line.rstrip("-").rstrip() for line in made.partition("\n# ---")[2].splitlines() if line]
    assert body == [" Read", "read = 1", "# --- Write", "write = 1", "again = 1", "_job.commit()"]


def test_the_script_says_what_it_was_generated_from_and_to_leave_it_alone(make: Make) -> None:
    head = export(
        make(code(PARAMETERS, "parameters"), code("x = 1", "job")), "notebooks/jobs/job.ipynb"
    ).splitlines()[:4]
    assert "GENERATED from notebooks/jobs/job.ipynb by `gluebook export`" in head[1]
    assert "Do not edit" in head[2]


def resaved(notebook: dict[str, Any], indent: int | None, as_text: bool) -> str:
    """The notebook as another tool would save it."""
    again = copy.deepcopy(notebook)
    for cell in again["cells"]:
        cell["source"] = "".join(cell["source"]) if as_text else cell["source"]
    return json.dumps(again, indent=indent, sort_keys=True, ensure_ascii=as_text)


def executed(notebook: dict[str, Any]) -> str:
    """The notebook after papermill has run it."""
    again = copy.deepcopy(notebook)
    for number, cell in enumerate(again["cells"]):
        cell["id"] = f"other-{number}"
        cell["metadata"]["execution"] = {"duration": 1.5}
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["said\n"]}]
    again["cells"].insert(3, code("# Parameters\nlimit = 3\n", "injected-parameters"))
    again["metadata"]["papermill"] = {"start_time": "2026-01-05"}
    return json.dumps(again)


@pytest.mark.parametrize("name", NAMES)
def test_saving_or_running_a_notebook_does_not_change_its_script(name: str, tmp_path: Path) -> None:
    source = ROOT / "notebooks" / "jobs" / f"{name}.ipynb"
    notebook = json.loads(source.read_text(encoding="utf-8"))
    expected = export(source, "x")
    texts = [resaved(notebook, indent, as_text) for indent in (None, 4) for as_text in (True, False)]
    for number, text in enumerate([*texts, executed(notebook)]):
        (tmp_path / f"{number}.ipynb").write_text(text, encoding="utf-8")
        assert export(tmp_path / f"{number}.ipynb", "x") == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_script_is_what_the_notebook_says(name: str) -> None:
    shown_as = f"notebooks/jobs/{name}.ipynb"
    committed = (ROOT / "glue" / f"{name}.py").read_text(encoding="utf-8")
    assert export(ROOT / shown_as, shown_as) == committed


@pytest.mark.parametrize("name", NAMES)
def test_the_real_scripts_compile_and_define_nothing(name: str) -> None:
    made = export(ROOT / "notebooks" / "jobs" / f"{name}.ipynb", "x")
    compile(made, name, "exec")
    kinds = {type(node) for node in ast.walk(ast.parse(made))}
    assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef}
    assert str(ROOT) not in made


@pytest.mark.parametrize("name", NAMES)
def test_the_real_notebooks_are_committed_without_outputs(name: str) -> None:
    notebook = json.loads((ROOT / "notebooks" / "jobs" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in cells] == [([], None)] * len(cells)


# -- files that are no notebooks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a notebook"),
        (b"x = 1\n", "is not a notebook"),
        (b"[]", "is not a notebook"),
        (b"\xff", "is not a notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "job.ipynb"
    path.write_bytes(content)
    assert f"job.ipynb {message}" in refusal(path)


def test_a_notebook_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "job.ipynb") == f"there is no notebook {tmp_path / 'job.ipynb'}"
