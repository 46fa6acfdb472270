"""AWS::CloudWatch::Alarm and AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, retag


class Alarm(ResourceType):
    """An alarm on one metric. `Ref` is its name."""

    type_name = "AWS::CloudWatch::Alarm"
    not_implemented = frozenset(
        {
            *("ActionConfiguration", "EvaluateLowSampleCountPercentile", "EvaluationCriteria"),
            *("EvaluationInterval", "EvaluationWindow", "Metrics", "ThresholdMetricId"),
            *("WarmUpConfiguration",),
        }
    )
    needed = frozenset({"ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace"})
    attributes = frozenset({"Arn"})
    name_property = "AlarmName"
    name_limit = 255

    def create(self, at: Place, properties: Properties) -> Made:
        cloudwatch, name = at.client("cloudwatch"), properties["AlarmName"]
        if cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            raise TemplateError(f"Alarm {name} already exists")
        call(cloudwatch, "PutMetricAlarm", dict(properties))
        return Made(name, {"Arn": f"arn:aws:cloudwatch:{at.region}:{at.account}:alarm:{name}"})

    def update(self, at: Place, change: Change) -> Made:
        cloudwatch, arn = at.client("cloudwatch"), change.made.attributes["Arn"]
        # AWS docs: PutMetricAlarm overwrites the whole alarm, but ignores the tags of an existing one.
        call(cloudwatch, "PutMetricAlarm", without(change.new, "Tags"))
        retag(cloudwatch, arn, change)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        at.client("cloudwatch").delete_alarms(AlarmNames=[existing.made.ref])


class LogGroup(ResourceType):
    """`Ref` is the group's name; `Arn` ends in `:*`, as on AWS."""

    type_name = "AWS::Logs::LogGroup"
    deletes = ("logs", "DeleteLogGroup", "logGroupName")
    implemented = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})
    unchangeable = frozenset({"KmsKeyId"})
    attributes = frozenset({"Arn"})
    name_property = "LogGroupName"
    name_limit = 512

    def create(self, at: Place, properties: Properties) -> Made:
        logs, name = at.client("logs"), properties["LogGroupName"]
        members = {"KmsKeyId": "kmsKeyId", "LogGroupName": "logGroupName", "Tags": "tags"}
        wanted = {api: properties[key] for key, api in members.items() if key in properties}
        call(logs, "CreateLogGroup", wanted)
        self._retain(logs, name, properties)
        return Made(name, {"Arn": f"arn:aws:logs:{at.region}:{at.account}:log-group:{name}:*"})

    def update(self, at: Place, change: Change) -> Made:
        logs = at.client("logs")
        if "RetentionInDays" in change.changed:
            self._retain(logs, change.made.ref, change.new)
        retag(logs, change.made.attributes["Arn"].removesuffix(":*"), change)
        return change.made

    def _retain(self, logs: Any, name: str, properties: Properties) -> None:
        if "RetentionInDays" in properties:
            wanted = {"logGroupName": name, "retentionInDays": properties["RetentionInDays"]}
            call(logs, "PutRetentionPolicy", wanted)
        else:
            logs.delete_retention_policy(logGroupName=name)
