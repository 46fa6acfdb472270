"""The entry points of the Lambda functions, with settings from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from gluebook.aws.ledger import Ledger
from gluebook.aws.metrics import embedded_metrics, emit
from gluebook.aws.objects import Objects
from gluebook.aws.services import Catalog, Jobs, Queue, Warehouse, admin_secret
from gluebook.aws.structured_logs import configure
from gluebook.clock import utc_now
from gluebook.core.backoff import Backoff
from gluebook.core.events import parse_event
from gluebook.core.keys import Lake
from gluebook.core.loading import CrawlPolicy
from gluebook.core.sql.schema import WarehouseUsers
from gluebook.errors import ConfigurationError
from gluebook.functions.admit import admit
from gluebook.functions.context import AdmitContext, LoadContext, SweepContext, WarehouseAdmin
from gluebook.functions.load import handle
from gluebook.functions.sweep import sweep


def on_messages(event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """The admit function: takes SQS records, returns the ids of those to be redelivered."""
    configure()
    messages = [(record["messageId"], record["body"]) for record in event["Records"]]
    admitted = admit(
        messages,
        AdmitContext(
            ledger=Ledger(_setting("LEDGER_TABLE"), f"admit {request_id}"),
            jobs=Jobs(),
            queue=Queue(_setting("ARRIVALS_URL")),
            job_names=_by_dataset("JOBS"),
            raw_bucket=_setting("RAW_BUCKET"),
            retry_seconds=int(_setting("START_RETRY_SECONDS")),
            clock=utc_now,
        ),
    )
    values = {
        "FilesRegistered": admitted.registered,
        "FilesRefused": admitted.refused,
        "MessagesRefused": admitted.foreign,
    }
    emit(embedded_metrics(_setting("METRICS_NAMESPACE"), {"Function": "admit"}, values, {}, utc_now()))
    return {"batchItemFailures": [{"itemIdentifier": message} for message in admitted.failed]}


def on_event(event: Mapping[str, Any], actor: str) -> None:
    """The load function: takes one EventBridge event."""
    configure()
    handle(parse_event(event), replace(_loading(actor), admin=_administrator()))


def on_schedule(actor: str) -> dict[str, Any]:
    """The sweep function: returns its findings by dataset and state."""
    configure()
    return sweep(SweepContext(_loading(actor), Objects(), _setting("RAW_BUCKET")))


def _loading(actor: str) -> LoadContext:
    return LoadContext(
        ledger=Ledger(_setting("LEDGER_TABLE"), actor),
        jobs=Jobs(),
        warehouse=Warehouse(_setting("WORKGROUP"), _setting("WAREHOUSE_DATABASE")),
        catalog=Catalog(_setting("CATALOG_DATABASE")),
        lake=Lake(_setting("LAKE_BUCKET")),
        job_names=_by_dataset("JOBS"),
        crawlers=_by_dataset("CRAWLERS"),
        copy_role_arn=_setting("COPY_ROLE_ARN"),
        crawl_policy=cast(CrawlPolicy, _setting("CRAWL_POLICY")),
        clock=utc_now,
        namespace=_setting("METRICS_NAMESPACE"),
        backoff=Backoff(timedelta(seconds=int(_setting("LOAD_RETRY_SECONDS")))),
    )


def _administrator() -> WarehouseAdmin:
    workgroup, database = _setting("WORKGROUP"), _setting("WAREHOUSE_DATABASE")

    def connect() -> Warehouse:
        # The stack's own namespace has a secret that Redshift manages; an external one is given by its ARN.
        secret = os.environ.get("WAREHOUSE_ADMIN_SECRET_ARN") or admin_secret(_setting("WAREHOUSE_NAMESPACE"))
        return Warehouse(workgroup, database, secret_arn=secret)

    loaders, readers = (tuple(_setting(f"WAREHOUSE_{who}").split()) for who in ("LOADERS", "READERS"))
    return WarehouseAdmin(connect, WarehouseUsers(loaders, readers))


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(f"environment variable {name} is not set; infra/pipeline.yaml sets it")
    return value


def _by_dataset(name: str) -> dict[str, str]:
    names: dict[str, str] = json.loads(_setting(name))
    return names
