"""The whole laptop AWS: one endpoint that answers for AWS, and the services that do the work behind it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from moto.moto_api._internal import moto_api_backend

from localaws import cloudformation
from localaws.cloudformation.deploy import deploy
from localaws.crawler import Crawlers
from localaws.endpoint import Credentials
from localaws.errors import ApiError, LocalAwsError
from localaws.events import EventBus, object_created_event
from localaws.events.schedule import Schedule
from localaws.faults import Faults
from localaws.functions import Functions
from localaws.iam import Allowed, Authorizer, UsageReport
from localaws.iam.sessions import DEPLOYING
from localaws.jobs import Jobs, WarmStart
from localaws.mappings import Mappings
from localaws.redshift import DataApi, Postgres, RedshiftError, ServerlessApi
from localaws.redshift.sql.copy import DEFAULT_ROLE
from localaws.redshift.users import database_user
from localaws.s3 import ObjectCreated, listen_to_objects, store
from localaws.server import Server, moto
from localaws.sessions import Sessions

log = logging.getLogger(__name__)

_CHECK_SECONDS = 0.05
# Work may pass from one service to the next between two checks; several checks in a row cannot all miss it.
_CHECKS_IN_A_ROW = 3
# moto's state is one per process, so there can be one of us.
_alone = threading.Lock()


class LocalAws:
    """AWS on this machine, from `start` to `stop`; a context manager. One at a time in a process."""

    def __init__(
        self,
        *,
        port: int = 0,
        schedule_speed: float | None = 1.0,
        clock: Callable[[], float] = time.time,
        warm: WarmStart | None = None,
    ) -> None:
        """Start everything. `schedule_speed`: how much faster schedules run; None: they only fire by `fire_now`.

        `clock`: seconds since 1970, by which the Data API's statements expire. `warm`: how Java is started for Glue
        jobs, to be kept from run to run of a job; None: each run starts its own.

        Raises LocalAwsError if another one runs in this process, OSError if the port is taken.
        """
        if not _alone.acquire(blocking=False):
            raise LocalAwsError("a laptop AWS is already running in this process; stop it first")
        self._closing = ExitStack()
        self._closing.callback(_alone.release)
        try:
            self._start(port, schedule_speed, clock, warm)
        except BaseException:
            self._closing.close()
            raise

    def _start(
        self,
        port: int,
        schedule_speed: float | None,
        clock: Callable[[], float],
        warm: WarmStart | None,
    ) -> None:
        closing = self._closing
        self.authorizer = Authorizer(moto())
        server = Server(self.authorizer, port)
        closing.callback(server.stop)
        self.endpoint = server.endpoint
        moto_api_backend.reset()  # the state that an earlier one left in this process

        self.postgres = Postgres.start()
        closing.callback(self.postgres.stop)
        assume = self.authorizer.assume
        self.functions = Functions(self.endpoint, assume)
        self.bus = EventBus(
            self.endpoint, self.authorizer.check_service, self.functions.invoke_async, self._wake
        )
        self.jobs = Jobs(self.endpoint, assume, self.bus.put, warm=warm)
        self.sessions = Sessions(self.endpoint, assume)
        self.crawlers = Crawlers(self.endpoint, assume, self.bus.put)
        self.warehouse = DataApi(
            self.postgres.uri,
            self.endpoint,
            lambda: {name: group.database for name, group in self._workgroups().items()},
            self.bus.put,
            self._assume_for_copy,
            self._warehouse_admin,
            clock=clock,
        )
        self.mappings = Mappings(self.endpoint, assume, self.functions.invoke)
        self.faults = Faults(self.bus, self.authorizer, self.mappings)
        self.schedule = Schedule(self.endpoint, self.bus.fire, speed=schedule_speed)
        # What creates work is closed before what does it.
        for close in (
            self.bus.close,
            self.warehouse.close,
            self.crawlers.close,
            self.sessions.close,
            self.jobs.close,
            self.mappings.close,
            self.functions.close,
            listen_to_objects(self._object_created),
            self.schedule.close,
        ):
            closing.callback(close)
        self.authorizer.services["redshift-data"] = self.warehouse
        serverless = ServerlessApi(lambda: cloudformation.namespaces(self.endpoint))
        self.authorizer.services["redshift-serverless"] = serverless
        self.authorizer.lookups.namespace_arn = serverless.arn
        self.authorizer.lookups.workgroup_arn = self._workgroup_arn
        self.authorizer.lookups.statement_owner = self.warehouse.owner

    def _wake(self, queue_arn: str) -> None:
        self.mappings.wake(queue_arn)

    def _workgroups(self) -> dict[str, cloudformation.Workgroup]:
        return cloudformation.workgroups(self.endpoint)

    def _workgroup_arn(self, name: str) -> str:
        group = self._workgroups().get(name)
        if group is None:
            raise ApiError("ValidationException", f"Redshift endpoint doesn't exist: workgroup {name}")
        return group.arn

    def _assume_for_copy(self, role_arn: str) -> Credentials:
        """What COPY's IAM_ROLE gives it: a role of the namespace, or its default one, which Redshift may assume."""
        spaces = cloudformation.namespaces(self.endpoint).values()
        if role_arn == DEFAULT_ROLE:
            role_arn = next((space.default_iam_role for space in spaces if space.default_iam_role), role_arn)
        if not any(role_arn in space.iam_roles for space in spaces):
            raise ApiError(
                "AccessDenied",
                f"role {role_arn} is not associated with the namespace; add it to its IamRoles",
            )
        return self.authorizer.assume(
            role_arn, "redshift.amazonaws.com", "RedshiftIamRoleSession", caller="COPY", by_aws=True
        )

    def _warehouse_admin(self, workgroup: str, secret: str) -> str:
        """The user that a secret logs in: a workgroup's administrator, for the secret of its namespace.

        AWS docs: "Storing database credentials in AWS Secrets Manager" (Redshift Data API). Whether the caller may
        read the secret was decided with the request.
        """
        space = cloudformation.namespaces(self.endpoint)[self._workgroups()[workgroup].namespace]
        if secret != space.admin_secret:
            raise RedshiftError(f"secret {secret} is not the administrator's of namespace {space.name}")
        return space.admin

    def _object_created(self, created: ObjectCreated) -> None:
        self.bus.put(object_created_event(**asdict(created)))

    def put_objects(
        self,
        bucket: str,
        items: Iterable[tuple[str, bytes]],
        *,
        repeat: Callable[[int], int] | None = None,
    ) -> int:
        """Store (key, body) pairs as PutObject does, many times as fast; returns the number of events sent.

        What is skipped: HTTP, signatures and permissions, and PutObject's headers (metadata, tags, encryption).
        What isn't: versions, ETags, sequencers, and "Object Created" on its way over the bus if the bucket's
        notifications go to EventBridge. `repeat(n)`: how many times the event of the n-th pair (from 0) is
        sent; 0 loses it, 2 is a duplicate with the same id. Raises LocalAwsError if there is no such bucket.
        """
        sent = 0
        for number, (key, body) in enumerate(items):
            created = store(self.endpoint.account, bucket, key, body)
            if created is None:
                continue
            event = object_created_event(**asdict(created))
            for _ in range(1 if repeat is None else repeat(number)):
                self.bus.put(event)
                sent += 1
        return sent

    def deploy(
        self, template: Path, stack_name: str, parameters: dict[str, str], artefact_bucket: str
    ) -> dict[str, str]:
        """Deploy a template with the plain AWS CLI; its outputs. Raises DeployFailed."""
        outputs = deploy(self.endpoint, template, stack_name, parameters, artefact_bucket)
        self.mappings.refresh()
        self.jobs.prepare()
        return outputs

    @property
    def deployer_user(self) -> str:
        """The deployer's user in every warehouse's database: no administrator there, whatever it is elsewhere."""
        return database_user(DEPLOYING.role, DEPLOYING.arn)

    def idle(self) -> bool:
        """Whether there is no event, message, invocation, run, crawl or statement left to process."""
        # A message that failed, or is delayed, is still in its queue.
        return self.mappings.empty() and self.at_rest()

    def at_rest(self) -> bool:
        """Whether nothing runs. Queues may hold messages that failed and will be received again."""
        return (
            self.bus.idle()
            and self.functions.idle()
            and self.jobs.idle()
            and self.sessions.idle()
            and self.crawlers.idle()
            and self.warehouse.idle()
        )

    def wait_idle(self, timeout_seconds: float, watch: Callable[[], None] | None = None) -> bool:
        """Wait until `idle`; False after the timeout. `watch` is called at every check."""
        deadline = time.monotonic() + timeout_seconds
        idle_checks = 0
        while idle_checks < _CHECKS_IN_A_ROW:
            if time.monotonic() > deadline:
                return False
            idle_checks = idle_checks + 1 if self.idle() else 0
            if watch:
                watch()
            time.sleep(_CHECK_SECONDS)
        return True

    def report(self) -> UsageReport:
        """Used and unused grants, refused requests, per role."""
        return self.authorizer.report()

    def allowed(self) -> tuple[Allowed, ...]:
        """Of everything that was allowed to roles, one for each role, action and set of grants that allowed it."""
        return self.authorizer.examples()

    def stop(self) -> None:
        """End everything: no process, thread or temporary file stays. A second call does nothing."""
        self._closing.close()

    def __enter__(self) -> LocalAws:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
