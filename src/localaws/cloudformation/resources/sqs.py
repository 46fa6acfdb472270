"""AWS::SQS::Queue and AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, json_text, retag, truth

# What an attribute falls back to when it leaves the template. AWS docs: SetQueueAttributes.
_DEFAULTS: dict[str, str] = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


class Queue(ResourceType):
    """`Ref` is the queue's URL."""

    type_name = "AWS::SQS::Queue"
    deletes = ("sqs", "DeleteQueue", "QueueUrl")
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    name_property = "QueueName"
    name_limit = 75

    def create(self, at: Place, properties: Properties) -> Made:
        sqs, name = at.client("sqs"), properties["QueueName"]
        fifo = truth(properties.get("FifoQueue", False))
        if fifo and not name.endswith(".fifo"):
            name += ".fifo"
        arn = f"arn:aws:sqs:{at.region}:{at.account}:{name}"
        if any(
            url.endswith(f"/{name}") for url in sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", [])
        ):
            raise TemplateError(f"Queue {name} already exists")
        attributes = _attributes(without(properties, "QueueName", "Tags", "FifoQueue"))
        if fifo:
            attributes["FifoQueue"] = "true"
        wanted = {"QueueName": name, "Attributes": attributes, "tags": properties.get("Tags", [])}
        url = call(sqs, "CreateQueue", wanted)["QueueUrl"]
        return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def update(self, at: Place, change: Change) -> Made:
        sqs = at.client("sqs")
        new = {key: change.new.get(key, _DEFAULTS.get(key)) for key in change.changed - {"Tags"}}
        if new:
            sqs.set_queue_attributes(QueueUrl=change.made.ref, Attributes=_attributes(new))
        retag(sqs, change.made.ref, change, "Queue")
        return change.made


def _attributes(properties: Properties) -> dict[str, str]:
    return {key: json_text(value) for key, value in properties.items()}


class QueuePolicy(ResourceType):
    """One policy for several queues."""

    type_name = "AWS::SQS::QueuePolicy"

    def create(self, at: Place, properties: Properties) -> Made:
        self._put(at, properties["Queues"], json.dumps(properties["PolicyDocument"]))
        return Made(at.generated_name())

    def update(self, at: Place, change: Change) -> Made:
        self._put(at, [url for url in change.old["Queues"] if url not in change.new["Queues"]], "")
        self._put(at, change.new["Queues"], json.dumps(change.new["PolicyDocument"]))
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        self._put(at, existing.properties["Queues"], "")

    def _put(self, at: Place, urls: list[str], policy: str) -> None:
        for url in urls:
            at.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
