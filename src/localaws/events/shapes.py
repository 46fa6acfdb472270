"""The events that AWS services put on the default event bus, in the shapes AWS documents."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from ..endpoint import ACCOUNT, REGION

# state -> (severity, message) of a "Glue Job State Change"; a failure's message is the error itself.
_JOB_STATES = {
    "SUCCEEDED": ("INFO", "Job run succeeded"),
    "FAILED": ("ERROR", "Job run failed"),
    "TIMEOUT": ("WARN", "Job run timed out"),
    "STOPPED": ("INFO", "Job run stopped"),
}


class Where(TypedDict, total=False):
    """When (default: now), in which account and in which region an event happens."""

    time: datetime | None
    account: str
    region: str


def event(
    source: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: tuple[str, ...] = (),
    **where: Unpack[Where],
) -> dict[str, Any]:
    """An EventBridge event (version "0") with a fresh id.

    AWS docs: "Events in Amazon EventBridge", "Event structure reference".
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": where.get("account", ACCOUNT),
        "time": timestamp(where.get("time") or datetime.now(UTC)),
        "region": where.get("region", REGION),
        "resources": list(resources),
        "detail": detail,
    }


def timestamp(moment: datetime) -> str:
    """A moment as events carry it: UTC, whole seconds, as in 2026-01-31T23:59:59Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def object_created_event(
    *,
    bucket: str,
    key: str,
    size: int,
    etag: str,
    sequencer: str,
    version_id: str | None = None,
    reason: str = "PutObject",
    **where: Unpack[Where],
) -> dict[str, Any]:
    """S3's "Object Created". `key` as it is (not URL-encoded), `size` in bytes, `etag` without quotes.

    `version_id` is left out for a bucket without versioning, as S3 does. `reason`: PutObject, CopyObject,
    CompleteMultipartUpload or POST Object. AWS docs: "EventBridge event message structure" of Amazon S3.
    """
    stored: dict[str, Any] = {"key": key, "size": size, "etag": etag.strip('"')}
    if version_id is not None:
        stored["version-id"] = version_id
    stored["sequencer"] = sequencer
    detail = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": stored,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": where.get("account", ACCOUNT),
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    }
    arn = f"arn:aws:s3:::{bucket}"
    return event("aws.s3", "Object Created", detail, resources=(arn,), **where)


def glue_job_event(
    job: str,
    run_id: str,
    state: str,
    message: str = "",
    **where: Unpack[Where],
) -> dict[str, Any]:
    """ "Glue Job State Change" for SUCCEEDED, FAILED, TIMEOUT or STOPPED; `message` defaults to AWS's own.

    KeyError for another state: Glue emits no event for it. AWS docs: "Automating AWS Glue with EventBridge".
    """
    severity, usual_message = _JOB_STATES[state]
    detail = {
        "jobName": job,
        "severity": severity,
        "state": state,
        "jobRunId": run_id,
        "message": message or usual_message,
    }
    return event("aws.glue", "Glue Job State Change", detail, **where)


def glue_crawler_event(
    crawler: str,
    state: str,
    details: dict[str, str] | None = None,
    **where: Unpack[Where],
) -> dict[str, Any]:
    """ "Glue Crawler State Change" for Started, Succeeded or Failed.

    `details` are the state's own fields, all of them strings as AWS sends them: for Started startTime; for
    Succeeded tablesCreated, partitionsCreated, "runningTime (sec)" and so on; for Failed errorMessage.
    """
    if state not in ("Started", "Succeeded", "Failed"):
        raise ValueError(f"crawler state {state!r}: Started, Succeeded or Failed")
    detail = {
        "accountId": where.get("account", ACCOUNT),
        "crawlerName": crawler,
        "state": state,
        "message": f"Crawler {state}",
        **(details or {}),
    }
    return event("aws.glue", "Glue Crawler State Change", detail, **where)


def scheduled_event(rule_arn: str, **where: Unpack[Where]) -> dict[str, Any]:
    """What a rule with a schedule sends. AWS docs: "Scheduled Event" of Amazon EventBridge."""
    return event("aws.events", "Scheduled Event", {}, (rule_arn,), **where)
