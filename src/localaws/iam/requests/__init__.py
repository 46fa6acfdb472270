"""HTTP request ▸ the list of permissions it needs: action, resource ARN and condition context.

An operation that is not listed here is refused to every role, by name. Sources: the AWS
service authorization reference ("Actions, resources, and condition keys for ...") of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from localaws.iam.call import TARGETS, Call, Unmapped
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need
from localaws.iam.requests import dynamodb, glue, others, redshift, s3, s3_implied

__all__ = ["Call", "Unmapped", "is_known_key", "needs"]

Rule = Callable[[Call, Lookups], list[Need]]

_RULES: Mapping[str, Rule] = {
    "dynamodb": dynamodb.needs,
    "glue": glue.needs,
    "sqs": others.sqs,
    "logs": others.logs,
    "monitoring": others.cloudwatch,
    "events": others.events,
    "sns": others.sns,
    "secretsmanager": others.secrets,
    "kms": others.kms,
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
    _GLOBAL_KEYS | s3.KEYS | dynamodb.KEYS | glue.KEYS
    | redshift.KEYS | others.KEYS
)  # fmt: skip
_KEY_PREFIXES = ("aws:principaltag/", *s3.KEY_PREFIXES, *others.KEY_PREFIXES)


def is_known_key(key: str) -> bool:
    """Whether a condition on this key (lower case) is evaluated here as on AWS."""
    return key in _KEYS or key.startswith(_KEY_PREFIXES)


def needs(call: Call, lookups: Lookups, user_id: str) -> list[Need]:
    """Everything the caller (its aws:userid is `user_id`) must be allowed for this request.

    Raises Unmapped for an operation that isn't known, ApiError ValidationException for a body that does not
    name the resource.
    """
    if call.service == "s3":
        found = s3.needs(call)
        return [*found, *s3_implied.key_needs(call, found, lookups)]
    if call.service == "lambda":
        return others.functions(call)
    _check_target(call)
    try:
        if call.service in ("redshift-data", "redshift-serverless"):
            return redshift.needs(call, lookups, user_id)
        if call.service not in _RULES:
            raise Unmapped(f"{call.service}:{call.operation}")
        return _RULES[call.service](call, lookups)
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration) as error:
        raise others.unreadable(call, error) from error


def _check_target(call: Call) -> None:
    if call.target is None:
        return
    prefix, operation = call.target
    # With an Action in the URL moto would execute another operation than the one authorised here.
    if prefix != TARGETS.get(call.service) or "Action" in call.query:
        raise Unmapped(f"{call.service}:{prefix}.{operation}")
