"""The recorded outcome of job runs, and the line of an error that says what happened."""

from __future__ import annotations

import json

import pytest

from gluebook.core.runs import FailedRun, error_line

PYTHON = """Traceback (most recent call last):
  File "/tmp/job.py", line 3, in <module>
    int("x")
ValueError: invalid literal for int() with base 10: 'x'
"""
CHMOD = """Py4JJavaError: An error occurred while calling o91.parquet.
: java.io.IOException: Cannot run program "chmod": error=2, No such file or directory
\tat java.base/java.lang.ProcessBuilder.start(ProcessBuilder.java:1143)
Caused by: java.io.IOException: error=2, No such file or directory
\tat java.base/java.lang.ProcessImpl.forkAndExec(Native Method)
"""
ABORTED = """An error occurred while calling o91.parquet.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.sql.Errors.jobAborted(Errors.scala:1)
Caused by: org.apache.spark.SparkException: Task failed while writing rows.
Caused by: java.io.IOException: Cannot run program "chmod": error=2, No such file or directory
Caused by: java.io.IOException: error=2, No such file or directory
"""
WORKER = """PythonException:
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/x/worker.py", line 1, in main
ModuleNotFoundError: No module named 'gluebook'

\tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:572)
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PYTHON, "ValueError: invalid literal for int() with base 10: 'x'"),
        (CHMOD, 'java.io.IOException: Cannot run program "chmod": error=2, No such file or directory'),
        (
            ABORTED,
            "org.apache.spark.SparkException: Job aborted.; caused by "
            'java.io.IOException: Cannot run program "chmod": error=2, No such file or directory',
        ),
        (
            "x.SparkException: Job aborted.\nCaused by: y.OutOfMemory",
            "x.SparkException: Job aborted.; caused by y.OutOfMemory",
        ),
        (WORKER, "ModuleNotFoundError: No module named 'gluebook'"),
        ("LAUNCH ERROR | pip failed", "LAUNCH ERROR | pip failed"),
        ("", ""),
        (" \n ", ""),
        (PYTHON.splitlines()[0], PYTHON.splitlines()[0]),
        ("x" * 500, "x" * 300 + "..."),
    ],
)
def test_the_line_of_an_error_tells_what_happened(text: str, line: str) -> None:
    assert error_line(text) == line


def test_pauses_after_runs_without_a_claim_grow_up_to_an_hour() -> None:
    failed = FailedRun("jr_0", 1000, "no rights")
    assert failed.pause_until == 1000
    pauses = []
    for number in range(1, 30):
        failed = failed.then(f"jr_{number}", 1000, "no rights", without_claim=True)
        pauses.append(failed.pause_until - 1000)
    assert pauses[:5] == [0, 300, 600, 1200, 2400]
    assert pauses == sorted(pauses) and pauses[-1] == 3600


def test_a_run_that_failed_on_files_is_followed_at_once() -> None:
    failed = FailedRun("jr_0", 1000, "no rights", 5).then("jr_1", 2000, "out of memory", without_claim=False)
    assert (failed.without_claim, failed.pause_until) == (0, 2000)


def test_a_failure_that_is_reported_twice_counts_once() -> None:
    failed = FailedRun("jr_0", 1000, "no rights", 1)
    assert failed.then("jr_0", 2000, "no rights", without_claim=True) == failed


def test_a_failed_run_survives_being_stored() -> None:
    failed = FailedRun("jr_0", 1000, "größer als 1", 3)
    assert FailedRun.from_text(failed.to_text()) == failed
    assert FailedRun.from_text(None) is None


def test_the_number_of_runs_without_a_claim_keeps_its_stored_name() -> None:
    stored = FailedRun("jr_1", 5, "no rights", without_claim=2).to_text()
    assert json.loads(stored) == {"run_id": "jr_1", "at": 5, "error": "no rights", "in_vain": 2}
    assert FailedRun.from_text(stored) == FailedRun("jr_1", 5, "no rights", without_claim=2)
