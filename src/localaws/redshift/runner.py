"""Runs statements: one connection, one transaction, a state for each part, one event at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg

from localaws.endpoint import Credentials, Endpoint
from localaws.errors import LocalAwsError
from localaws.events.shapes import event
from localaws.redshift.errors import RedshiftError, StatementCancelled, UnsupportedSql
from localaws.redshift.load import Loader
from localaws.redshift.models import ABORTED, ACTIVE, FAILED, FINISHED, STARTED, Part, Record, Statements
from localaws.redshift.postgres.databases import Databases
from localaws.redshift.postgres.messages import translate
from localaws.redshift.session import Session
from localaws.redshift.sql.parameters import bind
from localaws.redshift.sql.rewrite import rewrite
from localaws.redshift.users import database_user

_log = logging.getLogger(__name__)


class Runner:
    """Executes records of `statements` and sends an event for those that asked for one."""

    def __init__(
        self,
        uri: str,
        endpoint: Endpoint,
        statements: Statements,
        workgroup_databases: Callable[[], dict[str, str]],
        on_event: Callable[[dict[str, Any]], None],
        assume: Callable[[str], Credentials],
        admin: Callable[[str, str], str],
    ) -> None:
        self._endpoint = endpoint
        self._statements = statements
        self._databases = Databases(uri)
        self._workgroup_databases = workgroup_databases
        self._on_event = on_event
        self._loader = Loader(endpoint, assume)
        self._admin = admin

    def run(self, record: Record) -> None:
        """Runs to a terminal state in any case, then sends the event."""
        with self._statements.lock:
            record.status, record.started = STARTED, self._statements.clock()
        status, error = FAILED, None
        began = time.monotonic()
        try:
            self._transaction(record)
            status = FINISHED
        except StatementCancelled as cancelled:
            status, error = ABORTED, str(cancelled)
        except psycopg.Error as failure:
            cancelled_now = record.cancellation.cancelled
            status = ABORTED if cancelled_now else FAILED
            error = "Query canceled on user's request" if cancelled_now else f"ERROR: {translate(failure)}"
        except UnsupportedSql as failure:
            error = f"ERROR: not supported by the laptop's Redshift: {failure}"
        except LocalAwsError as failure:
            error = f"ERROR: {failure}"
        except Exception as failure:  # noqa: BLE001  a statement that doesn't end keeps its caller waiting
            _log.exception("statement %s failed unexpectedly", record.id)
            error = f"ERROR: internal error of the laptop's Redshift: {failure!r}"
        self._end(record, status, error, time.monotonic() - began)

    def database_uri(self, workgroup: str, database: str) -> str:
        """The connection string of a workgroup's database."""
        return self._databases.conninfo(workgroup, database)

    def _transaction(self, record: Record) -> None:
        request = record.request
        known = self._workgroup_databases().get(request.workgroup)
        if known != request.database:
            raise RedshiftError(f'database "{request.database}" does not exist')
        record.cancellation.check()
        conninfo = self._databases.conninfo(request.workgroup, request.database)
        with Session(conninfo, self._log_in(record), self._loader, record.cancellation) as session:
            record.pid = session.backend_pid
            for part in record.parts:
                self._run_part(record, part, session)
            session.commit()

    def _log_in(self, record: Record) -> str:
        """As the caller's own database user, or as that of the secret that the call names."""
        request = record.request
        if request.secret is None:
            user = database_user(record.role, record.principal)
        else:
            user = self._admin(request.workgroup, request.secret)
        superuser = request.secret is not None
        return self._databases.log_in(request.workgroup, request.database, user, superuser=superuser)

    def _run_part(self, record: Record, part: Part, session: Session) -> None:
        with self._statements.lock:
            part.start(self._statements.clock())
        request = record.request
        text = bind(part.sql, dict(request.parameters))
        role_name = partial(self._databases.role_name, request.workgroup, request.database)
        outcome = session.run(rewrite(text, in_batch=request.is_batch, role_name=role_name))
        with self._statements.lock:
            part.finish(outcome, self._statements.clock())

    def _end(self, record: Record, status: str, error: str | None, seconds: float) -> None:
        with self._statements.lock:
            now = self._statements.clock()
            for number, part in enumerate(record.parts, start=1):
                if part.status == STARTED:
                    part.end(status, now, error)
                    if record.request.is_batch and status == FAILED:
                        error = f"Query #{number} failed with {error}"
                elif part.status in ACTIVE:
                    part.end(ABORTED, now)
            if status != FINISHED:
                # The transaction was rolled back; what it had read is no result.
                record.close()
                for part in record.parts:
                    part.result = None
            record.error, record.updated, record.status = error, now, status
        record.done.set()
        _log.info("statement %s: %s after %.1f s", record.id, status, seconds)
        if record.request.with_event:
            self._tell(record)

    def _tell(self, record: Record) -> None:
        try:
            self._on_event(status_event(record, self._endpoint))
        except Exception:  # noqa: BLE001  as below
            # As on AWS: a failing target doesn't change the statement's state.
            _log.exception("the event of statement %s couldn't be delivered", record.id)


def status_event(record: Record, endpoint: Endpoint) -> dict[str, Any]:
    """The EventBridge event of a statement in a terminal state.

    AWS docs: "Monitoring events for the Amazon Redshift Data API in Amazon EventBridge". One per call, also for a
    batch; there is no error text in it.
    """
    account, region = endpoint.account, endpoint.region
    workgroup = f"arn:aws:redshift-serverless:{region}:{account}:workgroup/{record.request.workgroup}"
    return event(
        "aws.redshift-data",
        "Redshift Data Statement Status Change",
        {
            "principal": record.principal,
            "statementName": record.request.name,
            "statementId": record.id,
            "redshiftQueryId": record.query_id,
            "state": record.status,
            "rows": record.rows,
            "expireAt": int(record.expires),
        },
        resources=(workgroup,),
        time=datetime.fromtimestamp(record.updated, UTC),
        account=account,
        region=region,
    )
