"""The template's alarms: each tells somebody, each watches what somebody writes, nothing that fails is left out."""

from __future__ import annotations

from typing import Any

import pytest

from gluebook.contracts import CONTRACTS
from gluebook.core.backoff import ALARM_AFTER
from gluebook.core.health import Health
from template_kit import pipeline_template

RESOURCES: dict[str, dict[str, Any]] = pipeline_template()["Resources"]
ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
# What the sweep writes beside a dataset's health.
COMPARED = {"WarehouseDrift", "DriftUnanswered"}


def of(resource_type: str) -> set[str]:
    return {name for name, resource in RESOURCES.items() if resource["Type"] == resource_type}


def test_every_alarm_tells_the_topic_and_the_topic_takes_it() -> None:
    assert len(ALARMS) > 8
    assert {tuple(alarm["AlarmActions"]) for alarm in ALARMS.values()} == {("Alarms",)}
    [statement] = RESOURCES["AlarmsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [source] = statement["Condition"]["ArnLike"].values()
    assert source.endswith(":alarm:${Prefix}-*")
    assert all(alarm["AlarmName"].startswith("${Prefix}-") for alarm in ALARMS.values())


def test_somebody_is_told_by_email_only_if_one_is_given() -> None:
    assert RESOURCES["AlarmsByEmail"]["Condition"] == "TellsByEmail"
    assert pipeline_template()["Parameters"]["AlarmEmail"]["Default"] == ""


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_of_each_dataset_the_same_is_watched_and_it_is_written(dataset: str) -> None:
    watched = {
        alarm["MetricName"]: alarm
        for alarm in ALARMS.values()
        if {"Name": "Dataset", "Value": dataset} in alarm["Dimensions"]
    }
    every = {"Failures", "OldestUnloadedAge", "LoadsFailing", "VerdictsFailing"} | COMPARED
    assert set(watched) == every <= Health().metrics().keys() | COMPARED
    # Tries: the latest of them may be under way.
    assert watched["DriftUnanswered"]["Threshold"] == ALARM_AFTER


def test_every_function_that_fails_again_and_again_is_told_of() -> None:
    errors = [alarm for alarm in ALARMS.values() if alarm["Namespace"] == "AWS/Lambda"]
    named = {dimension["Value"] for alarm in errors for dimension in alarm["Dimensions"]}
    assert named == of("AWS::Lambda::Function")
    assert {alarm["MetricName"] for alarm in errors} == {"Errors"}
