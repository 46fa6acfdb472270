"""Decides about requests by the deployed policies, and counts the decisions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from localaws.endpoint import ACCOUNT, REGION
from localaws.errors import ApiError, NotSupported
from localaws.iam import requests, responses
from localaws.iam.call import Call, Unmapped
from localaws.iam.deployed import Deployed, Role
from localaws.iam.globs import Context
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Decision, Need, decide
from localaws.iam.principals import Principal
from localaws.iam.sessions import Caller, Session
from localaws.iam.usage import Usage

logger = logging.getLogger(__name__)


class Permissions:
    """What callers may do. Thread-safe: holds no state but the counters."""

    def __init__(
        self, deployed: Deployed, lookups: Lookups, usage: Usage, clock: Callable[[], float] = time.time
    ) -> None:
        self._deployed = deployed
        self._lookups = lookups
        self._usage = usage
        self._clock = clock

    def needs(self, call: Call, session: Session) -> list[Need]:
        """The permissions that a role's request needs. Raises ApiError (access denied) for an unmapped operation."""
        try:
            return requests.needs(call, self._lookups, session.caller.user_id)
        except Unmapped as error:
            self._usage.count_unmapped(session.caller, error.operation)
            logger.warning("role %s: %s", session.caller.role, error)
            raise responses.access_denied(call, str(error)) from error

    def require(self, call: Call, session: Session, needs: list[Need]) -> None:
        """Raises ApiError with the service's own "access denied" unless every need is allowed."""
        decisions = [(need, self._decide(call, session, need)) for need in needs]
        denied = next(((need, decision) for need, decision in decisions if not decision.allowed), None)
        # A refused request uses no grant: only the refusal counts.
        for need, decision in [denied] if denied else decisions:
            self._usage.count(session.caller, need, decision)
        if denied:
            raise self._refusal(call, session, *denied)

    def refused(self, call: Call, session: Session, need: Need) -> ApiError | None:
        """The service's own "access denied" if the need is not allowed; the decision counts."""
        decision = self._decide(call, session, need)
        self._usage.count(session.caller, need, decision)
        return None if decision.allowed else self._refusal(call, session, need, decision)

    def _decide(self, call: Call, session: Session, need: Need) -> Decision:
        """By the current policies of role and resource. A need that cannot be evaluated is refused."""
        try:
            role = self._role_of(call, session)
            context = {**_of_role(role, session), **self._of_request(call), **need.context}
            decision = decide(
                need,
                session.caller.principal(role.arn),
                context,
                role.policies,
                self._deployed.resource_policy(need.action, need.resource),
                role.boundary,
                requests.is_known_key,
            )
            return replace(decision, context=context)
        except NotSupported as error:
            logger.error("%s on %s cannot be evaluated: %s", need.action, need.resource, error)
            return Decision(False, f"because it cannot be evaluated here: {error}")

    def _refusal(self, call: Call, session: Session, need: Need, decision: Decision) -> ApiError:
        problem = responses.denied(call, session.caller.arn, need, decision)
        logger.info("%s", problem.message)
        return problem

    def require_service(self, service: str, need: Need, source_arn: str | None) -> None:
        """Check that an AWS service may do this in its own name: the resource's policy decides.

        Raises ApiError AccessDenied naming the service, the action and the resource.
        """
        context: dict[str, str | tuple[str, ...]] = {
            **self._everywhere(),
            "aws:requestedregion": REGION,
            "aws:sourceaccount": ACCOUNT,
            "aws:principalisawsservice": "true",
            "aws:principalservicename": service,
            **({"aws:sourcearn": source_arn} if source_arn else {}),
            **need.context,
        }
        policy = self._deployed.resource_policy(need.action, need.resource)
        decision = decide(
            need,
            Principal(ACCOUNT, service=service),
            context,
            resource=policy,
            known_key=requests.is_known_key,
        )
        if not decision.allowed:
            # In the report it counts like a refused role.
            caller = Caller(service, "", service, (source_arn or "").rpartition(":")[2], by_aws=True)
            self._usage.count(caller, need, decision)
            message = f"{service} is not authorized to perform: {need.action} on resource: {need.resource} "
            raise ApiError("AccessDenied", message + decision.reason, 403)

    def _role_of(self, call: Call, session: Session) -> Role:
        try:
            return self._deployed.role(session.caller.role or "")
        except ApiError as error:
            message = f"the role {session.caller.role!r} of these credentials does not exist any more"
            gone = ApiError("InvalidClientTokenId", message, 403)
            raise responses.bad_credentials(call, gone) from error

    def _of_request(self, call: Call) -> Context:
        return {
            **self._everywhere(),
            "aws:requestedregion": call.region,
            "aws:sourceip": str(call.environ.get("REMOTE_ADDR", "127.0.0.1")),
            "aws:useragent": call.header("user-agent") or "",
            "aws:principalisawsservice": "false",
        }

    def _everywhere(self) -> Context:
        now = self._clock()
        return {
            # The laptop speaks plain HTTP; the code under test would speak TLS.
            "aws:securetransport": "true",
            "aws:resourceaccount": ACCOUNT,
            "aws:viaawsservice": "false",
            "aws:epochtime": str(int(now)),
            "aws:currenttime": _iso(now),
        }


def _of_role(role: Role, session: Session) -> Context:
    """aws:SourceAccount and aws:SourceArn are not here: they come with calls that services make (AWS docs)."""
    return {
        "aws:userid": session.caller.user_id,
        "aws:principalarn": role.arn,
        "aws:principalaccount": ACCOUNT,
        "aws:principaltype": "AssumedRole",
        "aws:tokenissuetime": _iso(session.started_at),
        **{f"aws:principaltag/{key}": value for key, value in role.tags},
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
