"""Scheduled rules fire."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from infra.players_kit import Aws, aws, closing, eventually  # noqa: F401
from localaws.errors import LocalAwsError, NotSupported
from localaws.events import EventBus
from localaws.events.schedule import Schedule, rate_seconds


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172800)],
)
def test_a_rate_is_understood(expression: str, seconds: int) -> None:
    assert rate_seconds(expression) == seconds


@pytest.mark.parametrize(
    "expression", ["cron(0 12 * * ? *)", "at(2026-01-31T00:00:00)", "rate(1 minutes)", "rate(0 minutes)"]
)
def test_every_other_schedule_is_refused_by_name(expression: str) -> None:
    with pytest.raises(NotSupported, match="schedule '"):
        rate_seconds(expression)


def test_a_rule_fires_again_and_again_in_scaled_time(aws: Aws) -> None:  # noqa: F811
    arn = aws.rule("sweep", ScheduleExpression="rate(1 minute)")
    aws.rule("off", ScheduleExpression="rate(1 minute)", State="DISABLED")
    fired: list[tuple[str, dict[str, Any]]] = []
    with closing(Schedule(aws.endpoint, lambda *call: fired.append(call), speed=600.0)):
        eventually(lambda: len(fired) >= 3)
    assert {name for name, _ in fired} == {"sweep"}
    event = fired[0][1]
    assert (event["source"], event["detail-type"], event["resources"]) == (
        "aws.events",
        "Scheduled Event",
        [arn],
    )
    assert len({one["id"] for _, one in fired}) == len(fired)


def test_without_a_clock_a_rule_fires_when_told_to_and_reaches_its_function(aws: Aws) -> None:  # noqa: F811
    function = aws.function("sweep", "def handler(event, context): pass")
    arn = aws.rule(
        "sweep",
        None,
        ({"Arn": function, "Input": '{"why": "schedule"}'},),
        ScheduleExpression="rate(5 minutes)",
    )
    aws.client("lambda").add_permission(
        FunctionName="sweep",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=arn,
    )
    calls: list[Any] = []
    with closing(EventBus(aws.endpoint, aws.check_service, lambda *call: calls.append(call))) as bus:
        schedule = Schedule(aws.endpoint, bus.fire, speed=None)
        schedule.fire_now("sweep")
        assert bus.wait_idle(20)
        with pytest.raises(LocalAwsError, match="'missing'"):
            schedule.fire_now("missing")
        schedule.close()
    assert calls == [("sweep", {"why": "schedule"})]


def test_a_cron_rule_never_fires_and_says_so(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:  # noqa: F811
    aws.rule("nightly", ScheduleExpression="cron(0 12 * * ? *)")
    with closing(Schedule(aws.endpoint, lambda *call: None, speed=600.0)):
        eventually(lambda: "cron(0 12" in caplog.text)
    assert not [one for one in threading.enumerate() if one.name == "localaws-schedule"]
