"""HTTP request ▸ the list of permissions it needs: action, resource ARN and condition context.

An operation that isn't listed here is refused to every role, by name: never a silent pass. Sources: the AWS
service authorization reference ("Actions, resources, and condition keys for ...") of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from localaws.iam import (
    dynamodb_requests,
    glue_requests,
    s3_implied,
    s3_requests,
    small_services,
    warehouse_requests,
)
from localaws.iam.call import Call, Unmapped
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

__all__ = ["Call", "Unmapped", "is_known_key", "needs"]

Rule = Callable[[Call, Lookups], list[Need]]

# X-Amz-Target must begin so; another prefix is another version, or another service, with other operations.
_TARGETS = {
    "sqs": "AmazonSQS",
    "dynamodb": "DynamoDB_20120810",
    "glue": "AWSGlue",
    "logs": "Logs_20140328",
    "kms": "TrentService",
    "secretsmanager": "secretsmanager",
    "events": "AWSEvents",
    "redshift-data": "RedshiftData",
    "redshift-serverless": "RedshiftServerless",
    "monitoring": "GraniteServiceVersion20100801",
}
_RULES: Mapping[str, Rule] = {
    "dynamodb": dynamodb_requests.needs,
    "glue": glue_requests.needs,
    "sqs": small_services.sqs,
    "logs": small_services.logs,
    "monitoring": small_services.cloudwatch,
    "events": small_services.events,
    "sns": small_services.sns,
    "secretsmanager": small_services.secrets,
    "kms": small_services.kms,
}
# Keys that every request has, or that no request of a laptop's role can have (they are then missing, as on
# AWS outside a VPC, an organisation or a chain of services).
_GLOBAL_KEYS = {
    *("aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:requestedregion"),
    *("aws:securetransport", "aws:sourceip", "aws:useragent", "aws:currenttime", "aws:epochtime"),
    *("aws:resourceaccount", "aws:principalisawsservice", "aws:viaawsservice", "aws:tokenissuetime"),
    *("aws:sourcearn", "aws:sourceaccount", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
    *("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:principalorgid", "aws:resourceorgid"),
    *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:username", "aws:sourceidentity"),
    *("aws:sourceowner", "aws:principalservicename", "sts:externalid", "sts:rolesessionname"),
}
_KEYS = (
    _GLOBAL_KEYS | s3_requests.KEYS | dynamodb_requests.KEYS | glue_requests.KEYS
    | warehouse_requests.KEYS | small_services.KEYS
)  # fmt: skip
_KEY_PREFIXES = ("aws:principaltag/", *s3_requests.KEY_PREFIXES, *small_services.KEY_PREFIXES)


def is_known_key(key: str) -> bool:
    """Whether a condition on this key (lower case) is judged here as AWS would judge it."""
    return key in _KEYS or key.startswith(_KEY_PREFIXES)


def service_of_target(target: str) -> str:
    """The service that an X-Amz-Target header addresses; its prefix if that is no service known here."""
    prefix = target.rpartition(".")[0]
    return next((service for service, known in _TARGETS.items() if known == prefix), prefix)


def needs(call: Call, lookups: Lookups, user_id: str) -> list[Need]:
    """Everything the caller (its aws:userid is `user_id`) must be allowed for this request.

    Raises Unmapped for an operation that isn't known, ApiError ValidationException for a body that lacks
    what names the resource.
    """
    if call.service == "s3":
        found = s3_requests.needs(call)
        return [*found, *s3_implied.key_needs(call, found, lookups)]
    if call.service == "lambda":
        return small_services.functions(call)
    _check_target(call)
    try:
        if call.service in ("redshift-data", "redshift-serverless"):
            return warehouse_requests.needs(call, lookups, user_id)
        return _rule(call)(call, lookups)
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration) as error:
        raise small_services.unreadable(call, error) from error


def _rule(call: Call) -> Rule:
    if call.service not in _RULES:
        raise Unmapped(f"{call.service}:{call.operation}")
    return _RULES[call.service]


def _check_target(call: Call) -> None:
    if call.target is None:
        return
    prefix, operation = call.target
    # An Action in the URL would make another operation of this request than the one authorised here.
    if prefix != _TARGETS.get(call.service) or "Action" in call.query:
        raise Unmapped(f"{call.service}:{prefix}.{operation}")
