"""`gluebook run` on small notebooks with a real kernel: what is kept, and what counts as failed."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gluebook.cli.run import Destination, Result, days, run_all
from gluebook.errors import ConfigurationError
from gluebook.notebook.execute import execute
from notebook_kit import Cell, code, prose, write

PYTHON = "python3"  # the plain kernel, which knows no magics of AWS Glue
PARAMETERS = code('#| parameters\nday: str = "none"\nlimit: int = 5\nstrict: bool = False')


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write(
        tmp_path / "story.ipynb",
        prose("# A story"),
        PARAMETERS,
        code("print(repr(day), repr(limit), strict)", "check"),
        code("", "check"),
    )


def ran(notebook: Path, *texts: str, over: list[date] | None = None, html: bool = False) -> list[Result]:
    destination = Destination(f"{notebook.parent}/out/", notebook.stem)
    return list(run_all(notebook, texts, over or [], destination, html=html, kernel=PYTHON, progress=False))


def printed(path: str | Path) -> str:
    cells: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))


def test_parameters_arrive_in_their_types_though_they_look_like_others(notebook: Path) -> None:
    [result] = ran(notebook, "day=20260131", "limit=7", "strict=true")
    assert (result.error, len(result.places)) == ("", 1)
    assert printed(result.places[0]) == "'20260131' 7 True\n"


def test_what_is_not_given_keeps_its_default_and_the_source_is_untouched(notebook: Path) -> None:
    before = notebook.read_bytes()
    [result] = ran(notebook, "limit=7")
    assert printed(result.places[0]) == "'none' 7 False\n"
    assert notebook.read_bytes() == before


def test_a_range_is_one_run_and_one_copy_for_each_day_of_it(notebook: Path) -> None:
    results = ran(notebook, over=days(date(2026, 2, 28), date(2026, 3, 1)))
    assert [result.day for result in results] == ["2026-02-28", "2026-03-01"]
    assert [Path(result.places[0]).name for result in results] == [
        "story-2026-02-28.ipynb",
        "story-2026-03-01.ipynb",
    ]
    assert [printed(result.places[0])[:12] for result in results] == ["'2026-02-28'", "'2026-03-01'"]


def test_a_day_that_fails_stops_no_other(tmp_path: Path) -> None:
    notebook = write(
        tmp_path / "story.ipynb",
        prose("# A"),
        PARAMETERS,
        code("assert not day.endswith('01'), day", "check"),
    )
    first, second = ran(notebook, over=days(date(2026, 3, 1), date(2026, 3, 2)))
    assert "cell 3: AssertionError: 2026-03-01" in first.error
    assert second.error == ""


def test_the_page_of_a_run_names_nothing_in_the_network(notebook: Path) -> None:
    [result] = ran(notebook, html=True)
    page = Path(result.places[1])
    assert page.suffix == ".html"
    text = page.read_text(encoding="utf-8")
    assert "A story" in text and "none' 5 False" in text
    loaded = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]*)|url\(["']?((?!data:)[^)"']+)|@import""", text)
    assert [one for one in loaded if "//" in "".join(one)] == []
    assert not re.search(r"(?:import|fetch|require)\(?\s*['\"]https?:", text)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([code("x = 1\n1 / 0", "check")], "story.ipynb, cell 3: ZeroDivisionError: division by zero; see "),
        ([code("%no_such_magic", "check")], "story.ipynb, cell 3: a magic failed: "),
        ([code("x = 1", "check"), code("%%no_such\nx", "check")], "story.ipynb, cell 4: a magic failed: "),
        (
            [code("import os\nos._exit(1)", "check"), code("x = 1", "check")],
            "story.ipynb: its kernel died",
        ),
    ],
)
def test_a_run_that_did_not_do_everything_is_a_failure_and_its_copy_is_kept(
    tmp_path: Path, cells: list[Cell], problem: str
) -> None:
    [result] = ran(write(tmp_path / "story.ipynb", prose("# A"), PARAMETERS, *cells), "limit=1")
    assert result.error.startswith(problem)
    assert Path(result.places[0]).is_file()


@pytest.mark.parametrize(
    ("texts", "over", "message"),
    [
        (["dya=1"], [], "story.ipynb has no parameter dya; did you mean day?"),
        (["limit=1.5"], [], "parameter limit: '1.5' is not of type int"),
        (["day=x"], [date(2026, 1, 1)], "parameter day is given by --from and --to already"),
    ],
)
def test_wrong_parameters_are_told_before_anything_starts(
    notebook: Path, texts: list[str], over: list[date], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ran(notebook, *texts, over=over)
    assert str(caught.value) == message
    assert not (notebook.parent / "out").exists()


def test_a_range_needs_a_parameter_to_run_over(tmp_path: Path) -> None:
    notebook = write(tmp_path / "story.ipynb", prose("# A"), code("day: int = 1", "parameters"))
    with pytest.raises(ConfigurationError, match=r"story.ipynb has no parameter `day: str`"):
        ran(notebook, over=[date(2026, 1, 1)])


def test_a_kernel_that_is_not_there_is_told_with_those_that_are(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Jupyter has no kernel 'nowhere', only .*python3"):
        execute(notebook, {}, tmp_path / "out.ipynb", kernel="nowhere")


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (None, Destination("/runs/", "story-20260102T120000Z")),
        ("x.ipynb", Destination("./", "x")),
        ("a/x.ipynb", Destination("a/", "x")),
        ("a/", Destination("a/", "story")),
        ("/", Destination("/", "story")),
        ("s3://b/p/x.ipynb", Destination("s3://b/p/", "x")),
        ("s3://b/p/", Destination("s3://b/p/", "story")),
    ],
)
def test_an_output_is_a_file_a_folder_or_a_place_in_s3(output: str | None, found: Destination) -> None:
    assert Destination.of(output, Path("notebooks/story.ipynb"), Path("/runs"), NOON) == found


@pytest.mark.parametrize("output", ["x.html", "s3://bucket/x"])
def test_an_output_of_another_kind_is_refused(output: str) -> None:
    with pytest.raises(ConfigurationError, match=r"a file .ipynb, or a folder or s3:// prefix ending in /"):
        Destination.of(output, Path("story.ipynb"), Path("/runs"), NOON)


@pytest.mark.parametrize("ends", [(date(2026, 1, 2), date(2026, 1, 1)), (None, date(2026, 1, 1))])
def test_a_range_has_two_ends_in_order(ends: tuple[date | None, date | None]) -> None:
    with pytest.raises(ConfigurationError, match="both --from and --to"):
        days(*ends)
