"""Parameters: one specification, the same types wherever a notebook runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.parameters import (
    Parameter,
    Value,
    assignments,
    convert,
    job_arguments,
    parse_parameters,
)

SOURCE = '''"""What an operator may set."""
dataset: str = "app_logs"  # the one
limit: int = -5
share: float = 0.5
strict: bool = False
'''


def test_name_type_and_default_are_read() -> None:
    assert parse_parameters(SOURCE, "n.ipynb, cell 2") == [
        Parameter("dataset", str, "app_logs"),
        Parameter("limit", int, -5),
        Parameter("share", float, 0.5),
        Parameter("strict", bool, False),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Limit: int = 5", "Limit can't be an argument of a Glue job; take another name"),
        ("mode: str = 'x'", "mode can't be an argument of a Glue job"),
        ("JOB_NAME: str = 'x'", "JOB_NAME can't be an argument of a Glue job"),
        ("name: str = '--x'", "AWS Glue would read '--x' as an option"),
        ("limit = 5", "holds only `name: type = literal`"),
        ("limit: int", "holds only `name: type = literal`"),
        ("import os", "holds only `name: type = literal`"),
        ("print(1)", "holds only `name: type = literal`"),
        ("a.b: int = 1", "holds only `name: type = literal`"),
        ("if True: x: int = 1", "holds only `name: type = literal`"),
        ("names: list = []", "names can't be list; types are str, int, float, bool"),
        ("name: str | None = None", r"name can't be str \| None"),
        ("day: date = 1", "day can't be date"),
        ("limit: int = 2 * 3", "the default of limit is not a literal"),
        ("limit: int = max(1, 2)", "the default of limit is not a literal"),
        ("limit: int = {[]: 1}", "the default of limit is not a literal"),
        ("name: str = f'{1}'", "the default of name is not a literal"),
        ("limit: int = '5'", "the default of limit is not of type int"),
        ("limit: int = True", "the default of limit is not of type int"),
        ("share: float = 1", "the default of share is not of type float"),
        ("strict: bool = 1", "the default of strict is not of type bool"),
        ("name: str = None", "the default of name is not of type str"),
        ("name: str = b'x'", "the default of name is not of type str"),
        ("limit: int = = 3", "invalid syntax"),
        ("dataset: str = 'again'", "a second parameter dataset"),
    ],
)
def test_whatever_else_stands_there_is_refused_with_its_line(line: str, message: str) -> None:
    with pytest.raises(NotebookError, match=message) as caught:
        parse_parameters(SOURCE + line, "n.ipynb, cell 2")
    assert str(caught.value).startswith("n.ipynb, cell 2, line 6: ")
    with pytest.raises(NotebookError, match="line 16: "):
        parse_parameters(SOURCE + line, "n.ipynb, cell 2", first_line=11)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (bool, "true", True),
        (bool, "True", True),
        (bool, "FALSE", False),
        (int, "42", 42),
        (int, "-1", -1),
        (float, "1", 1.0),
        (float, "1e-3", 0.001),
        (str, "", ""),
        (str, "20260131", "20260131"),
        (str, "a=b --c", "a=b --c"),
    ],
)
def test_a_text_becomes_the_parameters_type(kind: type[Value], text: str, value: Value) -> None:
    found = convert(Parameter("p", kind, value), text)
    assert (found, type(found)) == (value, kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((bool, text) for text in ("1", "0", "yes", "no", "on", "", "t", " true")),
        (int, "1.0"),
        (int, ""),
        (int, "x"),
        (float, "1,5"),
    ],
)
def test_a_text_of_another_type_is_refused_by_name(kind: type[Value], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(Parameter("strict", kind, kind()), text)
    assert str(caught.value) == f"parameter strict: {text!r} is not of type {kind.__name__}"


# -- as a job script gets them -----------------------------------------------------------------------------

DEFAULTS: dict[str, Value] = {"dataset": "app_logs", "limit": 5, "share": 0.5, "strict": False}
ASKED: list[list[str]] = []


def options(argv: Sequence[str], names: list[str]) -> Mapping[str, str]:
    """As AWS Glue's getResolvedOptions: every name asked for must be given, as two words or as one."""
    ASKED.append(names)
    found = {}
    for place, word in enumerate(argv):
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in names:
            found[name] = value if equals else argv[place + 1]
    assert set(found) == set(names)
    return found


def test_without_arguments_there_are_the_defaults() -> None:
    assert job_arguments(["script.py", "--JOB_NAME", "j"], options, **DEFAULTS) == DEFAULTS
    assert ASKED[-1] == []


def test_arguments_override_defaults_in_the_defaults_types() -> None:
    argv = [
        "script.py",
        "--limit",
        "7",
        "--strict",
        "TRUE",
        "--share",
        "1",
        "--enable-metrics",
        "true",
        "--TempDir",
        "x",
    ]
    found = job_arguments(argv, options, **DEFAULTS)
    assert found == {"dataset": "app_logs", "limit": 7, "share": 1.0, "strict": True}
    assert [type(value) for value in found.values()] == [str, int, float, bool]
    assert ASKED[-1] == ["limit", "share", "strict"]


def test_an_argument_may_be_one_word() -> None:
    found = job_arguments(["script.py", "--dataset=a=b", "--limit=-3"], options, **DEFAULTS)
    assert (found["dataset"], found["limit"]) == ("a=b", -3)


def test_an_argument_of_the_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="parameter strict: 'yes' is not of type bool"):
        job_arguments(["script.py", "--strict", "yes"], options, **DEFAULTS)


@pytest.mark.parametrize("word", ["--limitt", "--limitt=5"])
def test_a_misspelt_argument_is_refused_and_not_passed_over(word: str) -> None:
    with pytest.raises(ConfigurationError, match=r"this job has no parameter limitt; did you mean limit\?"):
        job_arguments(["script.py", word, "5"], options, **DEFAULTS)


@pytest.mark.parametrize("word", ["--JOB_ID", "--TempDir", "--job-language", "--class", "--conf", "--RUN_9"])
def test_arguments_of_glues_own_are_passed_over(word: str) -> None:
    assert job_arguments(["script.py", word, "x"], options, **DEFAULTS) == DEFAULTS


# -- as an operator gives them -----------------------------------------------------------------------------

DECLARED = parse_parameters(SOURCE, "n.ipynb, cell 2")


def test_assignments_are_in_the_parameters_types() -> None:
    found = assignments(DECLARED, ["dataset=20260131", "limit=7", "strict=true", "share=1"], "n.ipynb")
    assert found == {"dataset": "20260131", "limit": 7, "strict": True, "share": 1.0}
    assert [type(value) for value in found.values()] == [str, int, bool, float]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["limitt=1"], "n.ipynb has no parameter limitt; did you mean limit?"),
        (["zzz=1"], "n.ipynb has no parameter zzz; it has dataset, limit, share, strict"),
        (["limit"], "parameter 'limit' has no value; write limit=VALUE"),
        (["limit=1", "limit=2"], "parameter limit is given twice"),
        (["limit="], "parameter limit: '' is not of type int"),
        (["strict=yes"], "parameter strict: 'yes' is not of type bool"),
    ],
)
def test_assignments_that_do_not_fit_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        assignments(DECLARED, texts, "n.ipynb")
    assert str(caught.value) == message


# As two words nothing may look like an option; that is Glue's own rule.
VALUES = st.text(st.characters(codec="utf-8"), max_size=10)
PLAIN_VALUES = VALUES.filter(lambda text: not text.startswith("-"))


@pytest.fixture(scope="module")
def laptops_options() -> Iterator[Callable[[Sequence[str], list[str]], Mapping[str, str]]]:
    """The getResolvedOptions that job scripts find on a laptop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "src" / "localaws" / "glue_runtime"))
        yield importlib.import_module("awsglue.utils").getResolvedOptions


@given(text=VALUES, limit=st.integers(), share=st.floats(allow_nan=False), strict=st.booleans())
def test_every_value_survives_the_command_line_as_one_word(
    laptops_options: Any, text: str, limit: int, share: float, strict: bool
) -> None:
    values = {"dataset": text, "limit": limit, "share": share, "strict": strict}
    words = ["script.py", *(f"--{name}={value}" for name, value in values.items())]
    assert job_arguments(words, laptops_options, **DEFAULTS) == values


@given(text=PLAIN_VALUES, limit=st.integers(), share=st.floats(0, 1), strict=st.booleans())
def test_every_value_survives_the_command_line_as_a_word_of_its_own(
    laptops_options: Any, text: str, limit: int, share: float, strict: bool
) -> None:
    values = {"dataset": text, "limit": limit, "share": share, "strict": strict}
    words = ["script.py", *(word for name, value in values.items() for word in (f"--{name}", str(value)))]
    assert job_arguments(words, laptops_options, **DEFAULTS) == values
