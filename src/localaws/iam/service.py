"""The WSGI layer in front of moto: every request is authorised by the deployed policies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication

from werkzeug import Response

from localaws.endpoint import Credentials
from localaws.errors import ApiError, LocalAwsError
from localaws.iam import call as requested
from localaws.iam import responses, sts
from localaws.iam.call import Call
from localaws.iam.deployed import Deployed, MotoDeployed, Role, moto_lookups
from localaws.iam.faults import Decide, RequestFaults
from localaws.iam.lookups import Lookups
from localaws.iam.permissions import Permissions
from localaws.iam.policy import Need
from localaws.iam.principals import role_name
from localaws.iam.report import UsageReport
from localaws.iam.requests import bulk_delete, s3, s3_implied
from localaws.iam.sessions import Caller, Session, Sessions
from localaws.iam.usage import Allowed, Usage

logger = logging.getLogger(__name__)


class JsonService(Protocol):
    """Implements a service of the JSON protocol, in place of moto."""

    def __call__(self, operation: str, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """The operation's result: datetimes become seconds since 1970, bytes base64. Raises ApiError."""
        ...


class Authorizer:
    """A WSGI application around moto's: finds the caller and the needed permissions, and decides by policy.

    `services`: name as in the SigV4 credential scope ("redshift-data") ▸ its implementation in place of moto;
    "glue:RunStatement" names a single operation. `lookups`: replace its callables for ARNs and owners that moto does
    not know. Thread-safe.
    """

    def __init__(
        self,
        app: WSGIApplication,
        deployed: Deployed | None = None,
        lookups: Lookups | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.services: dict[str, JsonService] = {}
        # Makes requests of roles fail, for tests.
        self.interfere: Decide | None = None
        self.lookups = lookups or moto_lookups()
        self._app = app
        self._clock = clock
        self._deployed = deployed or MotoDeployed()
        self._sessions = Sessions(clock)
        self._usage = Usage()
        self._permissions = Permissions(self._deployed, self.lookups, self._usage, clock)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if requested.asks_for_report(environ):
            return responses.result(self.report().as_dict(), "application/json")(environ, start_response)
        if requested.is_motos_own(environ):
            return self._app(environ, start_response)
        call, problem = requested.read(environ)
        try:
            if problem is not None:
                raise problem
            route = self._route(call)
        except LocalAwsError as error:
            requested.drain(environ)
            # A request that cannot be evaluated is refused, with the reason.
            refusal = error if isinstance(error, ApiError) else responses.access_denied(call, str(error))
            return responses.error(call, refusal)(environ, start_response)
        return route(environ, start_response)

    def assume(
        self,
        role_arn: str,
        service: str,
        session_name: str,
        *,
        source_arn: str | None = None,
        seconds: int | None = None,
        caller: str = "",
        by_aws: bool = False,
    ) -> Credentials:
        """Credentials of the role for an AWS service, e.g. "lambda.amazonaws.com".

        `source_arn`: the function or job that it acts for, for trust policies with a condition on aws:SourceArn.
        `caller`, `by_aws`: who uses them, for the report; see `roles.Assume`.
        `seconds`: how long they are valid; None: as long as the laptop's AWS runs (AWS renews them automatically).
        Raises ApiError AccessDenied naming role and service unless the role's trust policy allows it.
        """
        role = self._role(role_arn)
        need = Need("sts:AssumeRole", role.arn, {"sts:rolesessionname": session_name})
        self._permissions.require_service(service, need, source_arn)
        acting = Caller(role.name, session_name, f"{role.role_id}:{session_name}", caller, by_aws)
        return self._sessions.start(acting, seconds).credentials

    def check_service(self, service: str, action: str, resource: str, source_arn: str | None = None) -> None:
        """Check that the service may do this in its own name, e.g. events.amazonaws.com sqs:SendMessage to a queue.

        The resource's own policy decides. Raises ApiError AccessDenied naming service, action and resource.
        """
        self._permissions.require_service(service, Need(action, resource), source_arn)

    def report(self) -> UsageReport:
        """Used and unused grants, refused and unmapped requests, per role, against what is deployed now."""
        return self._usage.report(self._deployed)

    def examples(self) -> tuple[Allowed, ...]:
        """Of everything that was allowed to roles, one for each role, action and set of grants that allowed it."""
        return self._usage.examples()

    def _route(self, call: Call) -> WSGIApplication:
        session = self._session(call)
        if self.interfere is None or session.caller.role is None:
            return self._authorised(call, session)
        faults = RequestFaults(self.interfere, call, session.caller.role)
        faults.before()
        return faults.after(self._authorised(call, session))

    def _authorised(self, call: Call, session: Session) -> WSGIApplication:
        if call.service == "sts":
            answer = self._sts(call, session)
            if answer is not None:
                return answer
        if session.caller.role is None:
            return self._handler(call, session)
        if s3.is_bulk_delete(call):
            return self._bulk_delete(call, session)
        needs = self._permissions.needs(call, session)
        self._permissions.require(call, session, needs)
        listing = [found for need in needs for found in s3_implied.listing_needs(need)]
        return self._hiding_missing(call, session, listing) if listing else self._handler(call, session)

    def _session(self, call: Call) -> Session:
        signature = call.signature
        try:
            session = self._sessions.find(signature.access_key, signature.token)
        except ApiError as error:
            raise responses.bad_credentials(call, error) from error
        if signature.expires_at is not None and signature.expires_at <= self._clock():
            raise ApiError("AccessDenied", "Request has expired", 403)
        return session

    def _handler(self, call: Call, session: Session) -> WSGIApplication:
        service = self.services.get(f"{call.service}:{call.operation}") or self.services.get(call.service)
        return self._app if service is None else self._answer(service, call, session.caller)

    def _answer(self, service: JsonService, call: Call, caller: Caller) -> WSGIApplication:
        if not call.is_json:
            raise ApiError("InvalidAction", f"{call.service} is answered here in the JSON protocol only")
        try:
            result = service(call.operation, dict(call.parameters), caller)
            return responses.result(result, call.environ.get("CONTENT_TYPE") or "application/x-amz-json-1.1")
        except ApiError:
            raise
        except LocalAwsError as error:
            raise ApiError("NotSupported", f"{call.service}:{call.operation}: {error}") from error
        except Exception as error:
            logger.exception("%s:%s failed", call.service, call.operation)
            message = f"{call.service}:{call.operation} failed: {type(error).__name__}: {error}"
            raise ApiError("InternalFailure", message, 500) from error

    def _sts(self, call: Call, session: Session) -> WSGIApplication | None:
        """None: moto answers if the caller is the deployer; for a role the operation is unmapped and refused."""
        if call.operation == "GetCallerIdentity":
            return sts.who(session.caller)
        if call.operation != "AssumeRole":
            return None
        need = sts.need(call.parameters)
        try:
            role = self._role(need.resource)
        except ApiError as error:
            raise responses.access_denied(call, f"AssumeRole {need.resource}: {error.message}") from error
        if session.caller.role is not None:
            self._permissions.require(call, session, [need])
        lasting = sts.seconds(call.parameters, role)
        name = call.parameters["RoleSessionName"]
        return sts.assumed(self._sessions.start(Caller(role.name, name, f"{role.role_id}:{name}"), lasting))

    def _role(self, role_arn: str) -> Role:
        role = self._deployed.role(role_name(role_arn))
        if role.arn != role_arn:
            raise ApiError("NoSuchEntity", f"there is no role {role_arn}; there is {role.arn}", 404)
        return role

    def _hiding_missing(self, call: Call, session: Session, listing: list[Need]) -> WSGIApplication:
        """Answers 403 instead of 404 for a missing object to a caller that may not list the bucket."""

        def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            response = Response.from_app(self._app, environ)
            if response.status_code == 404 and b"NoSuchBucket" not in response.get_data():
                for need in listing:
                    if refusal := self._permissions.refused(call, session, need):
                        response = responses.error(call, refusal)
                        break
            return response(environ, start_response)

        return app

    def _bulk_delete(self, call: Call, session: Session) -> WSGIApplication:
        refused: list[tuple[bulk_delete.Deletion, str]] = []
        deletions = bulk_delete.read(call.body)
        for deletion in deletions:
            need = s3.delete_need(call, deletion.key, deletion.version)
            if refusal := self._permissions.refused(call, session, need):
                refused.append((deletion, refusal.message))
        if not refused:
            return self._app
        if len(refused) == len(deletions):
            body = bulk_delete.with_errors(bulk_delete.nothing_deleted(), refused)
            return Response(body, content_type="application/xml")
        return self._deleting_the_rest(call, refused)

    def _deleting_the_rest(
        self, call: Call, refused: list[tuple[bulk_delete.Deletion, str]]
    ) -> WSGIApplication:
        def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            rest = bulk_delete.without(call.body, [deletion for deletion, _ in refused])
            response = Response.from_app(self._app, requested.put_back(environ, rest))
            if response.status_code == 200:
                response.set_data(bulk_delete.with_errors(response.get_data(), refused))
            return response(environ, start_response)

        return app
