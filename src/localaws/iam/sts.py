"""STS: GetCallerIdentity and AssumeRole. Answered here, because moto does not know the keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from werkzeug import Response

from localaws.endpoint import ACCOUNT
from localaws.errors import ApiError
from localaws.iam import responses
from localaws.iam.deployed import Role
from localaws.iam.policy import Need
from localaws.iam.sessions import Caller, Session

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_KNOWN = {"Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId"}
_SHORTEST_SECONDS = 900


def who(caller: Caller) -> Response:
    """GetCallerIdentity: needs no permission (AWS docs)."""
    inner = f"<Arn>{caller.arn}</Arn><UserId>{caller.user_id}</UserId><Account>{ACCOUNT}</Account>"
    return responses.xml("GetCallerIdentity", _NAMESPACE, inner)


def need(parameters: Mapping[str, str]) -> Need:
    """What AssumeRole needs. Raises ApiError for parameters that aren't known here (session policies, tags)."""
    unknown = sorted(set(parameters) - _KNOWN)
    if unknown:
        raise ApiError(
            "ValidationError", f"AssumeRole: {', '.join(unknown)} is not implemented here; leave it out"
        )
    for name in ("RoleArn", "RoleSessionName"):
        if not parameters.get(name):
            raise ApiError("ValidationError", f"AssumeRole needs {name}")
    context = {"sts:rolesessionname": parameters["RoleSessionName"]}
    if "ExternalId" in parameters:
        context["sts:externalid"] = parameters["ExternalId"]
    return Need("sts:AssumeRole", parameters["RoleArn"], context)


def seconds(parameters: Mapping[str, str], role: Role) -> int:
    """How long the session lasts. Raises ApiError ValidationError as AWS does beyond the role's maximum."""
    text = parameters.get("DurationSeconds", "3600")
    wanted = int(text) if text.isdigit() else -1
    if not _SHORTEST_SECONDS <= wanted <= role.max_session_seconds:
        raise ApiError(
            "ValidationError",
            f"The requested DurationSeconds {text} is outside {_SHORTEST_SECONDS} to {role.max_session_seconds}, "
            f"the MaxSessionDuration set for role {role.name}",
        )
    return wanted


def assumed(session: Session) -> Response:
    """AssumeRole's result."""
    keys = session.credentials
    until = datetime.fromtimestamp(session.expires_at or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    inner = (
        f"<Credentials><AccessKeyId>{keys.access_key}</AccessKeyId>"
        f"<SecretAccessKey>{escape(keys.secret_key)}</SecretAccessKey>"
        f"<SessionToken>{escape(keys.token or '')}</SessionToken><Expiration>{until}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>{session.caller.user_id}</AssumedRoleId>"
        f"<Arn>{session.caller.arn}</Arn></AssumedRoleUser>"
    )
    return responses.xml("AssumeRole", _NAMESPACE, inner)
