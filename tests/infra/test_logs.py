"""What functions and jobs write is where CloudWatch has it on AWS, and read from there by `gluebook logs`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from boto3.session import Session

from gluebook.aws.logs import JOB_GROUPS, Logs, function_group
from infra.players_kit import Aws, aws, closing, eventually
from localaws.functions import Functions
from localaws.functions.errors import FunctionError
from localaws.jobs import Jobs

__all__ = ["aws"]
FUNCTION = """
import sys, time

def handler(event, context):
    print("said", event)
    sys.stdout.flush()
    if event == "late":
        time.sleep(60)
    if event == "die":
        import os
        os._exit(3)
    raise KeyError(event)
"""


@pytest.fixture
def logs(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Logs:
    for name, value in aws.endpoint.environment().items():
        monkeypatch.setenv(name, value)
    return Logs(Session())


@pytest.fixture
def functions(aws: Aws) -> Iterator[Functions]:
    with closing(Functions(aws.endpoint, aws.roles)) as player:
        yield player


def before() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def test_a_function_writes_into_its_log_group_and_its_last_failure_is_one_line(
    aws: Aws, functions: Functions, logs: Logs
) -> None:
    aws.client("logs").create_log_group(logGroupName="/aws/lambda/admit")
    aws.function("admit", FUNCTION, Timeout=3)
    assert logs.last_failure("admit", before()) is None

    def is_said(event: str) -> bool:
        lines = logs.since(function_group("admit"), before(), 100)
        return any(line.text == f"said {event}" for line in lines)

    for event, told in (
        ("WORKGROUP", "KeyError: 'WORKGROUP'"),
        ("late", "Task timed out after 3.00 seconds"),
        ("die", "Runtime exited with error: exit status 3"),
    ):
        with pytest.raises(FunctionError):
            functions.invoke("admit", event)
        eventually(partial(is_said, event))
        failure = logs.last_failure("admit", before())
        assert failure is not None and failure.text == told
        assert f"{failure.at:%Y/%m/%d}/[$LATEST]" in failure.stream
    [raised] = [line for line in logs.since(function_group("admit"), before(), 100) if "[ERROR]" in line.text]
    assert raised.text.splitlines()[0] == "[ERROR] KeyError: 'WORKGROUP'"
    assert "raise KeyError(event)" in raised.text
    assert logs.since(function_group("admit"), datetime.now(UTC) + timedelta(minutes=1), 100) == []


def test_a_job_run_writes_into_glues_own_group_under_its_id(aws: Aws, logs: Logs) -> None:
    aws.client("s3").create_bucket(Bucket="code")
    script = b"import sys\nfor number in range(30):\n    print(number)\nprint('end', file=sys.stderr)"
    aws.client("s3").put_object(Bucket="code", Key="clean.py", Body=script)
    glue = aws.client("glue")
    command = {"Name": "glueetl", "ScriptLocation": "s3://code/clean.py"}
    glue.create_job(
        Name="clean", Role=f"arn:aws:iam::{aws.endpoint.account}:role/clean-role", Command=command
    )
    with closing(Jobs(aws.endpoint, aws.roles, lambda event: None)) as jobs:
        run = glue.start_job_run(JobName="clean")["JobRunId"]
        eventually(jobs.idle)
    output = logs.of_run(JOB_GROUPS[0], run, 5)
    assert [line.stream for line in output] == [f"{run}-driver"] * 5
    # The two streams of output are one pipe, and reach it in any order.
    assert {line.text for line in output} <= {*map(str, range(30)), "end"}
    assert {line.text for line in logs.of_run(JOB_GROUPS[0], run, 100)} == {*map(str, range(30)), "end"}
    assert logs.of_run(JOB_GROUPS[0], "jr_other", 5) == logs.of_run(JOB_GROUPS[1], run, 5) == []
