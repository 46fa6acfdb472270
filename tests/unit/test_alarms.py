"""The template's alarms: each notifies the topic, each watches a metric that is written, every failure has one."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from aws_events import aws_event
from gluebook.contracts import CONTRACTS
from gluebook.core.backoff import ALARM_AFTER
from gluebook.core.health import Health
from gluebook.deployment.build import project_root
from gluebook.deployment.template import parse_template
from gluebook.functions.handlers import on_messages
from template_kit import TEMPLATE

DOCUMENT = parse_template(TEMPLATE)
RESOURCES: dict[str, dict[str, Any]] = DOCUMENT["Resources"]
ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
# What the sweep writes beside a dataset's health.
COMPARED = {"WarehouseDrift", "DriftUnanswered"}


def of(resource_type: str) -> set[str]:
    return {name for name, resource in RESOURCES.items() if resource["Type"] == resource_type}


def test_every_alarm_notifies_the_topic_which_lets_it() -> None:
    assert len(ALARMS) > 8
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in ALARMS.values())
    [statement] = RESOURCES["AlarmsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [source] = statement["Condition"]["ArnLike"].values()
    assert source["Fn::Sub"].endswith(":alarm:${Prefix}-*")
    assert all(alarm["AlarmName"]["Fn::Sub"].startswith("${Prefix}-") for alarm in ALARMS.values())


def test_an_email_is_sent_only_if_an_address_is_given() -> None:
    assert RESOURCES["AlarmsByEmail"]["Condition"] == "TellsByEmail"
    assert DOCUMENT["Parameters"]["AlarmEmail"]["Default"] == ""


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_each_dataset_has_the_same_alarms_on_metrics_that_are_written(dataset: str) -> None:
    watched = {
        alarm["MetricName"]: alarm
        for alarm in ALARMS.values()
        if {"Name": "Dataset", "Value": dataset} in alarm["Dimensions"]
    }
    every = {"Failures", "OldestUnloadedAge", "LoadsFailing", "VerdictsFailing"} | COMPARED
    assert set(watched) == every <= Health().metrics().keys() | COMPARED
    # Tries: the latest of them may be under way.
    assert watched["DriftUnanswered"]["Threshold"] == ALARM_AFTER


def test_a_message_that_admit_refuses_raises_an_alarm(
    gluebook_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that names another bucket: somebody else's events reach the queue."""
    function = RESOURCES["Admit"]["Properties"]
    for name in function["Environment"]["Variables"]:
        monkeypatch.setenv(name, "{}" if name == "JOBS" else "60")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    message = {"messageId": "1", "body": json.dumps(aws_event("s3_object_created"))}
    assert on_messages({"Records": [message]}, "r-1") == {"batchItemFailures": []}
    [written] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert written["MessagesRefused"] == 1
    [alarm] = [one for one in ALARMS.values() if one["MetricName"] == "MessagesRefused"]
    [dimensions] = written["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == {
        name: written[name] for name in dimensions
    }
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Namespace"]) == ("Sum", 0, {"Ref": "Prefix"})


def test_every_function_has_an_alarm_on_its_errors() -> None:
    errors = [alarm for alarm in ALARMS.values() if alarm["Namespace"] == "AWS/Lambda"]
    named = {dimension["Value"]["Ref"] for alarm in errors for dimension in alarm["Dimensions"]}
    assert named == of("AWS::Lambda::Function")
    assert {alarm["MetricName"] for alarm in errors} == {"Errors"}


def test_the_operations_page_lists_every_alarm() -> None:
    page = (project_root() / "docs" / "operations.md").read_text(encoding="utf-8")
    for alarm in ALARMS.values():
        name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${Prefix}")
        for dataset in CONTRACTS:
            name = name.replace(f"-{dataset.replace('_', '-')}-", "-<dataset>-")
        assert f"`gluebook{name}`" in page or f"`{name}`" in page, name
