"""A run finds out without data whether it can work at all, as long as none has succeeded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fakes import FakeLedger, FakeObjects
from gluebook.core.keys import Lake
from gluebook.core.runs import proven_mark
from gluebook.errors import SelfCheckFailed
from gluebook.job import self_check as selfcheck

LAKE = Lake("lake")


class WithoutRights:
    """A ledger or a store that refuses one operation."""

    def __init__(self, of: Any, refused: str) -> None:
        self._of, self._refused = of, refused

    def __getattr__(self, name: str) -> Any:
        if name == self._refused:
            raise PermissionError(f"not allowed to {name}\nat some place")
        return getattr(self._of, name)


def check(spark: SparkSession, ledger: Any, objects: Any) -> None:
    selfcheck.self_check_unless_proven(spark, ledger, objects, LAKE, "app_logs", "jr_0")


def test_a_run_that_can_work_leaves_nothing_of_its_self_check(spark: SparkSession) -> None:
    ledger, objects = FakeLedger(), FakeObjects()
    check(spark, ledger, objects)
    assert [key for _, key in objects._stored if key.startswith(LAKE.self_check("app_logs", "jr_0"))]
    assert objects.sizes("lake", "") == {}
    assert ledger.mark("self-check:app_logs") is None


@pytest.mark.parametrize(
    ("refused", "what"),
    [
        ("mark", "reading the ledger"),
        ("set_mark", "writing to the ledger"),
        ("clear_mark", "deleting from the ledger"),
        ("upload", "writing rows of Spark's executors to s3://lake/staging/app_logs-self-check/jr_0/"),
        ("download", "reading s3://lake/staging/app_logs-self-check/jr_0/"),
        ("delete", "deleting s3://lake/staging/app_logs-self-check/jr_0/"),
    ],
)
def test_what_a_run_may_not_do_is_told_in_one_line(spark: SparkSession, refused: str, what: str) -> None:
    objects = FakeObjects()
    with pytest.raises(SelfCheckFailed) as failed:
        check(spark, WithoutRights(FakeLedger(), refused), WithoutRights(objects, refused))
    said = str(failed.value)
    assert (
        said == f"self-check, before any file was touched: {what}: PermissionError: not allowed to {refused}"
    )


def test_executors_that_lack_the_package_are_told_of(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They get the function by the name of its module."""

    def of_nowhere(batches: Any) -> Any:
        import importlib

        return importlib.import_module("package_that_is_nowhere").of(batches)

    monkeypatch.setattr(selfcheck, "_in_executor", of_nowhere)
    with pytest.raises(SelfCheckFailed, match="No module named 'package_that_is_nowhere'"):
        check(spark, FakeLedger(), FakeObjects())


def test_once_a_run_has_succeeded_nothing_is_checked(spark: SparkSession) -> None:
    ledger = FakeLedger()
    ledger.set_mark(proven_mark("app_logs"), "jr_0")
    check(spark, ledger, None)
