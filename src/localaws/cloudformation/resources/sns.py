"""AWS::SNS::Topic, AWS::SNS::Subscription and AWS::SNS::TopicPolicy."""

from __future__ import annotations

import json

from ...errors import NotSupported
from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError
from ..shapes import call, json_text, retag, text

_ARGUMENTS = {"Endpoint", "Protocol", "TopicArn"}  # of Subscribe; the other properties are attributes
# Lambda, HTTP and Firehose endpoints are never called on the laptop.
_PROTOCOLS = {"sqs", "email", "email-json", "sms"}


class Topic(ResourceType):
    """`Ref` is the topic's ARN. Subscriptions are resources of their own."""

    type_name = "AWS::SNS::Topic"
    deletes = ("sns", "DeleteTopic", "TopicArn")
    implemented = frozenset({"DisplayName", "KmsMasterKeyId", "Tags", "TopicName"})
    attributes = frozenset({"TopicArn", "TopicName"})
    name_property = "TopicName"
    name_limit = 256

    def create(self, at: Place, properties: Properties) -> Made:
        sns, name = at.client("sns"), properties["TopicName"]
        arn = f"arn:aws:sns:{at.region}:{at.account}:{name}"
        if any(
            arn == it["TopicArn"]
            for page in sns.get_paginator("list_topics").paginate()
            for it in page["Topics"]
        ):
            raise TemplateError(f"Topic {name} already exists")
        attributes = {k: text(properties[k]) for k in ("DisplayName", "KmsMasterKeyId") if k in properties}
        call(sns, "CreateTopic", {"Name": name, "Attributes": attributes, "Tags": properties.get("Tags", [])})
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, at: Place, change: Change) -> Made:
        sns = at.client("sns")
        for name in change.changed - {"Tags"}:
            value = text(change.new.get(name, ""))
            sns.set_topic_attributes(TopicArn=change.made.ref, AttributeName=name, AttributeValue=value)
        retag(sns, change.made.ref, change)
        return change.made


class Subscription(ResourceType):
    """`Ref` is the subscription's ARN."""

    type_name = "AWS::SNS::Subscription"
    deletes = ("sns", "Unsubscribe", "SubscriptionArn")
    not_implemented = frozenset({"DeliveryPolicy", "Region", "ReplayPolicy", "SubscriptionRoleArn"})
    needed = frozenset({"Endpoint"})
    attributes = frozenset({"Arn"})

    def create(self, at: Place, properties: Properties) -> Made:
        protocol = str(properties["Protocol"])
        if protocol not in _PROTOCOLS:
            raise NotSupported(
                f"the laptop delivers no SNS messages by {protocol}; it knows {', '.join(sorted(_PROTOCOLS))}"
            )
        attributes = {k: json_text(v) for k, v in properties.items() if k not in _ARGUMENTS}
        answer = at.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=protocol,
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        arn = answer["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, at: Place, change: Change) -> Made:
        defaults = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}
        for name in change.changed:
            value = json_text(change.new[name]) if name in change.new else defaults.get(name, "{}")
            at.client("sns").set_subscription_attributes(
                SubscriptionArn=change.made.ref, AttributeName=name, AttributeValue=value
            )
        return change.made


class TopicPolicy(ResourceType):
    """One policy for several topics."""

    type_name = "AWS::SNS::TopicPolicy"
    unchangeable = frozenset({"Topics"})

    def create(self, at: Place, properties: Properties) -> Made:
        self._put(at, properties["Topics"], json.dumps(properties["PolicyDocument"]))
        return Made(at.generated_name())

    def update(self, at: Place, change: Change) -> Made:
        self._put(at, change.new["Topics"], json.dumps(change.new["PolicyDocument"]))
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        # The policy that AWS gives a new topic: its owner may do everything, other accounts nothing.
        owner = {"Effect": "Allow", "Principal": {"AWS": at.account}, "Action": "sns:*"}
        for arn in existing.properties["Topics"]:
            statement = {**owner, "Resource": arn}
            self._put(at, [arn], json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def _put(self, at: Place, topics: list[str], policy: str) -> None:
        for arn in topics:
            at.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
