"""Arguments of a Glue script."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

_FILE = Path(__file__).parents[2] / "src/localaws/glue_runtime/awsglue/utils.py"
_SPEC = importlib.util.spec_from_file_location("awsglue_utils", _FILE)
assert _SPEC and _SPEC.loader
utils = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(utils)


def resolve(*arguments: str, names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = utils.getResolvedOptions(["script.py", *arguments], list(names))
    assert found.pop("job_bookmark_option") == "job-bookmark-disable"
    return found


def test_both_ways_of_giving_a_value_are_the_same_and_the_last_one_counts() -> None:
    assert resolve("--a", "1", "--b=2", "--a=3", names=("a", "b")) == {"a": "3", "b": "2"}


def test_arguments_nobody_asked_for_are_skipped_but_the_run_is_known() -> None:
    given_ones = ("--other", "x", "--a", "1", "--JOB_RUN_ID", "jr_1", "--enable-metrics")
    assert resolve(*given_ones, names=("a",)) == {"a": "1", "JOB_RUN_ID": "jr_1"}


def test_every_name_asked_for_is_required() -> None:
    with pytest.raises(utils.GlueArgumentError, match="the following arguments are required: --b, --c"):
        resolve("--a", "1", names=("a", "b", "c"))


@pytest.mark.parametrize("value", ["-x", "--x", "--b"])
def test_a_value_that_looks_like_an_option_needs_the_equals_sign(value: str) -> None:
    with pytest.raises(utils.GlueArgumentError, match="--a: expected one argument"):
        resolve("--a", value, names=("a",))
    assert resolve(f"--a={value}", names=("a",)) == {"a": value}


@pytest.mark.parametrize("value", ["-", "-5", "-0.5", "-x y", "", "a=b"])
def test_other_values_with_dashes_are_values(value: str) -> None:
    assert resolve("--a", value, names=("a",)) == {"a": value}


@pytest.mark.parametrize("name", ["JOB_ID", "JOB_RUN_ID", "job-bookmark-option", "--JOB_ID"])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="Using reserved arguments"):
        resolve("--a", "1", names=("a", name))


def test_a_missing_value_at_the_end_is_an_error() -> None:
    with pytest.raises(utils.GlueArgumentError, match="expected one argument"):
        resolve("--a", names=("a",))


@given(st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), st.text(max_size=20)))
def test_what_is_given_comes_back(values: dict[str, str]) -> None:
    assert resolve(*(f"--{name}={value}" for name, value in values.items()), names=tuple(values)) == values
