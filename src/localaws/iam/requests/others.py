"""SQS, Lambda, Logs, CloudWatch, EventBridge, SNS, Secrets Manager and KMS requests ▸ the permissions they need."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from localaws.endpoint import ACCOUNT
from localaws.errors import ApiError
from localaws.iam.call import Call, Unmapped
from localaws.iam.globs import Context
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

KEYS = {
    *("cloudwatch:namespace", "events:source", "events:detail-type", "events:eventbusinvocation"),
    *("secretsmanager:secretid", "secretsmanager:versionid", "secretsmanager:versionstage"),
    *("kms:calleraccount", "kms:encryptionalgorithm", "kms:encryptioncontextkeys", "kms:viaservice"),
    "kms:requestalias",
}
KEY_PREFIXES = ("kms:encryptioncontext:",)

_QUEUE_OPERATIONS = {
    *("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"),
    *("SetQueueAttributes", "PurgeQueue", "ListDeadLetterSourceQueues", "ListQueueTags"),
}
_BATCHED = {"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}
_STREAM_OPERATIONS = {"CreateLogStream", "PutLogEvents", "GetLogEvents"}
_GROUP_OPERATIONS = {"CreateLogGroup", "DescribeLogStreams", "FilterLogEvents", "PutRetentionPolicy"}
_METRIC_READS = {"GetMetricData", "GetMetricStatistics", "ListMetrics"}
_ALARM_OPERATIONS = {"PutMetricAlarm", "SetAlarmState"}
_SECRET_OPERATIONS = {
    "GetSecretValue",
    "DescribeSecret",
    "PutSecretValue",
    "UpdateSecret",
    "ListSecretVersionIds",
}
_KEY_OPERATIONS = {
    *("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey"),
    *("GenerateMac", "VerifyMac"),
}
_FUNCTION_ACTIONS: dict[tuple[str, str | None], str] = {
    ("POST", "invocations"): "InvokeFunction",
    ("GET", "configuration"): "GetFunctionConfiguration",
    ("GET", None): "GetFunction",
}
_FUNCTION = re.compile(r"/2015-03-31/functions/([^/]+)(?:/(invocations|configuration))?")


def sqs(call: Call, _: Lookups) -> list[Need]:
    """A batch needs what one of its entries needs (AWS docs: "Amazon SQS API permissions")."""
    operation = call.operation.removesuffix("Batch") if call.operation in _BATCHED else call.operation
    if operation == "ListQueues":
        return [Need("sqs:ListQueues", "*")]
    if operation in ("GetQueueUrl", "CreateQueue"):
        name = call.parameters["QueueName"]
    elif operation in _QUEUE_OPERATIONS:
        name = call.parameters["QueueUrl"].rstrip("/").rpartition("/")[2]
    else:
        raise Unmapped(f"sqs:{call.operation}")
    return [Need(f"sqs:{operation}", call.arn(name))]


def functions(call: Call) -> list[Need]:
    """Lambda: `/functions/NAME/invocations`; NAME may be an ARN and may end in a qualifier."""
    found = _FUNCTION.fullmatch(call.path)
    if found is None or (call.method, found[2]) not in _FUNCTION_ACTIONS:
        raise Unmapped(f"lambda {call.operation}")
    name = unquote(found[1])
    if name.startswith("arn:"):
        name = name.split(":function:", 1)[-1]
    qualifier = call.query.get("Qualifier")
    if qualifier and ":" not in name:
        name = f"{name}:{qualifier}"
    return [Need(f"lambda:{_FUNCTION_ACTIONS[call.method, found[2]]}", call.arn(f"function:{name}"))]


def logs(call: Call, _: Lookups) -> list[Need]:
    body, operation = call.parameters, call.operation
    if operation == "DescribeLogGroups":
        return [Need("logs:DescribeLogGroups", call.arn("log-group::log-stream:"))]
    if operation not in _STREAM_OPERATIONS | _GROUP_OPERATIONS:
        raise Unmapped(f"logs:{operation}")
    group = _log_group(body)
    stream = body["logStreamName"] if operation in _STREAM_OPERATIONS else ""
    return [Need(f"logs:{operation}", call.arn(f"log-group:{group}:log-stream:{stream}"))]


def cloudwatch(call: Call, _: Lookups) -> list[Need]:
    """PutMetricData is granted on `*` only, limited by cloudwatch:namespace."""
    body, operation = call.parameters, call.operation
    if operation == "PutMetricData":
        return [Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": body["Namespace"]})]
    if operation in _METRIC_READS:
        return [Need(f"cloudwatch:{operation}", "*")]
    if operation in _ALARM_OPERATIONS:
        return [Need(f"cloudwatch:{operation}", call.arn(f"alarm:{body['AlarmName']}", "cloudwatch"))]
    if operation == "DescribeAlarms":
        return [Need("cloudwatch:DescribeAlarms", call.arn("alarm:*", "cloudwatch"))]
    raise Unmapped(f"cloudwatch:{operation}")


def events(call: Call, _: Lookups) -> list[Need]:
    if call.operation != "PutEvents":
        raise Unmapped(f"events:{call.operation}")
    return [_event_need(call, entry) for entry in call.parameters["Entries"]]


def sns(call: Call, _: Lookups) -> list[Need]:
    if call.operation not in ("Publish", "PublishBatch"):
        raise Unmapped(f"sns:{call.operation}")
    topic = call.parameters.get("TopicArn") or call.parameters.get("TargetArn")
    if not topic:
        raise Unmapped("sns:Publish", "to a phone number")
    return [Need("sns:Publish", str(topic))]


def secrets(call: Call, lookups: Lookups) -> list[Need]:
    """A secret's ARN ends in six random characters: a policy on the bare name refuses (as on AWS)."""
    body, operation = call.parameters, call.operation
    if operation in ("ListSecrets", "GetRandomPassword"):
        return [Need(f"secretsmanager:{operation}", "*")]
    if operation not in _SECRET_OPERATIONS:
        raise Unmapped(f"secretsmanager:{operation}")
    arn = lookups.secret_arn(body["SecretId"])
    context = {"secretsmanager:secretid": arn}
    if operation == "GetSecretValue":
        context["secretsmanager:versionstage"] = str(body.get("VersionStage", "AWSCURRENT"))
    if "VersionId" in body:
        context["secretsmanager:versionid"] = str(body["VersionId"])
    return [Need(f"secretsmanager:{operation}", arn, context)]


def kms(call: Call, lookups: Lookups) -> list[Need]:
    body, operation = call.parameters, call.operation
    if operation not in _KEY_OPERATIONS:
        raise Unmapped(f"kms:{operation}")
    key = body.get("KeyId") or _key_of(body, lookups)
    return [Need(f"kms:{operation}", lookups.key_arn(key), _key_context(body))]


def unreadable(call: Call, error: Exception) -> ApiError:
    """The error for a body whose field for the resource's name is missing or has another shape."""
    return ApiError(
        "ValidationException", f"{call.service}:{call.operation}: can't read the request: {error!r}"
    )


def _log_group(body: Mapping[str, Any]) -> str:
    """By name, or by ARN as `logGroupIdentifier`."""
    if "logGroupName" in body:
        return str(body["logGroupName"])
    identifier = str(body["logGroupIdentifier"])
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*")


def _event_need(call: Call, entry: Mapping[str, Any]) -> Need:
    bus = str(entry.get("EventBusName") or "default")
    arn = bus if bus.startswith("arn:") else call.arn(f"event-bus/{bus}")
    context = {"events:source": str(entry["Source"]), "events:detail-type": str(entry["DetailType"])}
    return Need("events:PutEvents", arn, {**context, "events:eventbusinvocation": "false"})


def _key_of(body: Mapping[str, Any], lookups: Lookups) -> str:
    """Decrypt needs no KeyId: the ciphertext knows its key."""
    try:
        key = lookups.ciphertext_key(base64.b64decode(body["CiphertextBlob"]))
    except binascii.Error as error:
        raise ApiError("SerializationException", "CiphertextBlob is no base64") from error
    if key is None:
        raise ApiError("InvalidCiphertextException", "no key here has made this ciphertext")
    return key


def _key_context(body: Mapping[str, Any]) -> Context:
    pairs: Mapping[str, str] = body.get("EncryptionContext") or {}
    context: dict[str, str | tuple[str, ...]] = {"kms:calleraccount": ACCOUNT}
    context |= {f"kms:encryptioncontext:{name.lower()}": value for name, value in pairs.items()}
    if pairs:
        context["kms:encryptioncontextkeys"] = tuple(pairs)
    alias = str(body.get("KeyId", "")).partition("alias/")[2]
    if alias:
        context["kms:requestalias"] = f"alias/{alias}"
    if "EncryptionAlgorithm" in body:
        context["kms:encryptionalgorithm"] = str(body["EncryptionAlgorithm"])
    return context
