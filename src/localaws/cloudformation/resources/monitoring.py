"""AWS::CloudWatch::Alarm and AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from ..resource import (
    Change,
    Existing,
    Made,
    Place,
    Properties,
    ResourceType,
    TemplateError,
    retag,
    tag_list,
    tag_map,
    tags_of,
)
from ..shapes import call, whole


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
        call(cloudwatch, "PutMetricAlarm", {**properties, "Tags": tags_of(properties)})
        return Made(name, {"Arn": f"arn:aws:cloudwatch:{at.region}:{at.account}:alarm:{name}"})

    def update(self, at: Place, change: Change) -> Made:
        cloudwatch, arn = at.client("cloudwatch"), change.made.attributes["Arn"]
        # AWS docs: PutMetricAlarm overwrites the whole alarm, but ignores the tags of an existing one.
        call(cloudwatch, "PutMetricAlarm", {k: v for k, v in change.new.items() if k != "Tags"})
        retag(
            change,
            lambda tags: cloudwatch.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
            lambda keys: cloudwatch.untag_resource(ResourceARN=arn, TagKeys=keys),
        )
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        at.client("cloudwatch").delete_alarms(AlarmNames=[existing.made.ref])


class LogGroup(ResourceType):
    """`Ref` is the group's name; `Arn` ends in `:*`, as on AWS."""

    type_name = "AWS::Logs::LogGroup"
    implemented = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})
    unchangeable = frozenset({"KmsKeyId"})
    attributes = frozenset({"Arn"})
    name_property = "LogGroupName"
    name_limit = 512

    def create(self, at: Place, properties: Properties) -> Made:
        logs, name = at.client("logs"), properties["LogGroupName"]
        optional: dict[str, Any] = {"tags": tag_map(properties)} if "Tags" in properties else {}
        if "KmsKeyId" in properties:
            optional["kmsKeyId"] = properties["KmsKeyId"]
        logs.create_log_group(logGroupName=name, **optional)
        self._retain(logs, name, properties)
        return Made(name, {"Arn": f"arn:aws:logs:{at.region}:{at.account}:log-group:{name}:*"})

    def update(self, at: Place, change: Change) -> Made:
        logs = at.client("logs")
        if "RetentionInDays" in change.changed:
            self._retain(logs, change.made.ref, change.new)
        arn = change.made.attributes["Arn"].removesuffix(":*")
        retag(
            change,
            lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
            lambda keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
        )
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        at.client("logs").delete_log_group(logGroupName=existing.made.ref)

    def _retain(self, logs: Any, name: str, properties: Properties) -> None:
        if "RetentionInDays" in properties:
            days = whole(properties["RetentionInDays"])
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            logs.delete_retention_policy(logGroupName=name)
