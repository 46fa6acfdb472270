"""What roles were refused is in the last lines of the commands, with an exit code that says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes import a_file
from fakes.pipeline import Pipeline
from gluebook.cli import status
from gluebook.cli.app import app
from gluebook.cli.laptop import trial
from gluebook.cli.screens import refusals
from gluebook.cli.screens.progress import stages
from gluebook.core.states import BatchState
from gluebook.errors import TerminalError
from gluebook.operations.status import Overview, overview
from localaws.iam import Denied, UnmappedUse, UsageReport
from unit.localaws.iam_laptop import Laptop, code, role_name, running

LEDGER = "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"


class Deployed:
    """A deployment with one loaded file."""

    def overview(self) -> Overview:
        pipeline = Pipeline()
        pipeline.batch(BatchState.LOADED, files=[a_file("one")])
        return overview(pipeline.ledger, pipeline.objects, pipeline.lake)


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "connect", Deployed)
    monkeypatch.setattr(status, "failures", lambda deployment, seen: [])
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with running() as one:
        monkeypatch.setenv("AWS_ENDPOINT_URL", one.endpoint.url)
        yield one


def denied(role: str = "load", action: str = "dynamodb:DeleteItem", **more: Any) -> Denied:
    return Denied(
        role, action, **{"resource": LEDGER, "caller": "function load", "count": 1, "reason": "", **more}
    )


def test_a_line_names_role_action_resource_caller_and_count() -> None:
    assert refusals.refusals(UsageReport(denied=(denied(count=3),))) == [
        f"load was refused dynamodb:DeleteItem on {LEDGER} for function load, 3 times"
    ]


def test_many_resources_and_callers_of_one_action_are_one_line() -> None:
    ones = [denied(action="s3:GetObject", resource=f"r{n}", caller=f"run jr_{n} of job j") for n in range(40)]
    assert refusals.refusals(UsageReport(denied=(*ones, denied()))) == [
        "load was refused s3:GetObject on r0 and 39 more for run jr_0 of job j and 39 more, 40 times",
        f"load was refused dynamodb:DeleteItem on {LEDGER} for function load, once",
    ]


def test_operations_that_are_not_known_and_roles_that_cannot_be_judged_are_told_too() -> None:
    report = UsageReport(unmapped=(UnmappedUse("load", "sqs:Odd", "function load", 2),), unjudged=("role x",))
    first, second = refusals.refusals(report)
    assert first.startswith("load was refused sqs:Odd for function load, 2 times")
    assert second == "role x"


def test_status_asks_the_laptop_and_names_what_was_refused(laptop: Laptop) -> None:
    arn = laptop.role()
    keys = laptop.authorizer.assume(arn, "lambda.amazonaws.com", "load", caller="function load")
    assert code(laptop.client("s3", keys).list_objects_v2, Bucket="lake") == "AccessDenied"
    said = CliRunner().invoke(app, ["status"])
    assert said.exit_code == 1
    line = f"{role_name(arn)} was refused s3:ListBucket on arn:aws:s3:::lake for function load, once"
    assert line in said.stderr.splitlines()
    told = CliRunner().invoke(app, ["status", "--json"])
    assert told.exit_code == 1
    [mine] = [one for one in json.loads(told.stdout)["refused"] if one["role"] == role_name(arn)]
    assert (mine["action"], mine["caller"], mine["count"]) == ("s3:ListBucket", "function load", 1)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9"])
def test_on_aws_status_says_nothing_of_refusals(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    said = CliRunner().invoke(app, ["status", "--json"])
    assert said.exit_code == 0
    assert set(json.loads(said.stdout)) == {"files", "totals", "loads", "failures"}


def test_another_endpoint_is_none_of_our_laptops(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localaws.iam.REPORT_PATH", "/moto-api/nothing")
    assert refusals.of_running_laptop() is None


class RefusingAws:
    """A chain that is never idle, as a message comes again and again; at rest in between."""

    def __init__(self, *ones: Denied, resting: bool = True) -> None:
        self.report: Callable[[], UsageReport] = lambda: UsageReport(denied=ones)
        self.at_rest: Callable[[], bool] = lambda: resting

    def wait_idle(self, timeout_seconds: float, watch: Callable[[], None]) -> bool:
        for _ in range(3):
            watch()
        return False


def settled(aws: RefusingAws, monkeypatch: pytest.MonkeyPatch) -> Overview:
    monkeypatch.setattr(trial, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(trial, "_IDLE_AFTER_REFUSAL_SECONDS", 0.0)
    with stages() as staged:
        return trial.wait_until_settled(SimpleNamespace(aws=aws, deployment=Deployed()), 1, staged, 1.0)  # type: ignore[arg-type]


def test_nobody_waits_for_what_will_only_be_refused_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(settled(RefusingAws(denied()), monkeypatch).files) == 1
    assert capfd.readouterr().err.count("load was refused dynamodb:DeleteItem") == 1


@pytest.mark.parametrize("aws", [RefusingAws(), RefusingAws(denied(), resting=False)])
def test_a_chain_that_is_at_work_is_waited_for(aws: RefusingAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TerminalError, match="not idle within 1 s") as late:
        settled(aws, monkeypatch)
    # What was refused meanwhile stands in the error's last lines.
    assert ("was refused" in str(late.value)) == bool(aws.report().denied)
