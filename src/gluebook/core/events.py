"""AWS events, typed once at the edge. Shapes as in the AWS documentation of each service's events.

S3 events through EventBridge hold the key unencoded; only S3's own notifications (to SQS, SNS, Lambda) encode it.
AWS docs: "EventBridge event message structure" and "Event message structure" of Amazon S3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gluebook.errors import ContractError

# Final states of Glue job runs.
ENDED_RUNS = frozenset({"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"})


@dataclass(frozen=True)
class ObjectArrived:
    """A new object version in the raw bucket; `size` in bytes."""

    bucket: str
    key: str
    version_id: str
    size: int
    sequencer: str


@dataclass(frozen=True)
class JobEnded:
    """A Glue job run reached a terminal state."""

    job: str
    run_id: str
    state: str
    message: str


@dataclass(frozen=True)
class StatementEnded:
    """A Redshift Data API statement reached a terminal state. The event has no error text."""

    statement_id: str
    name: str
    state: str


@dataclass(frozen=True)
class CrawlEnded:
    """A Glue crawler succeeded or failed."""

    crawler: str
    state: str


@dataclass(frozen=True)
class StartWanted:
    """A delayed message: retry the refused start of a dataset's job if it is still needed."""

    dataset: str


@dataclass(frozen=True)
class Tick:
    """A scheduled event."""


@dataclass(frozen=True)
class Ignored:
    """An event that needs no action, and the reason."""

    reason: str


Event = ObjectArrived | StartWanted | JobEnded | StatementEnded | CrawlEnded | Tick | Ignored


_START_WANTED = ("gluebook", "Start Wanted")


def start_wanted(dataset: str) -> str:
    """The message that retries a refused start."""
    source, kind = _START_WANTED
    return json.dumps({"source": source, "detail-type": kind, "detail": {"dataset": dataset}})


def parse_event(event: Mapping[str, Any]) -> Event:
    """Parse an EventBridge event. Raises ContractError naming what is missing; unknown kinds are Ignored."""
    kind = (str(event.get("source")), str(event.get("detail-type")))
    parse = _PARSERS.get(kind)
    if parse is None:
        return Ignored(f"unknown event {event.get('source')!r} {event.get('detail-type')!r}")
    try:
        return parse(event.get("detail", {}))
    except KeyError as missing:
        raise ContractError(f"event {event.get('id')} {kind[1]!r} lacks {missing}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ContractError(f"event {event.get('id')} {kind[1]!r} has an unexpected shape: {error}") from None


def _object_arrived(detail: Mapping[str, Any]) -> Event:
    item, bucket = detail["object"], detail["bucket"]["name"]
    if not (isinstance(item["key"], str) and isinstance(bucket, str)):
        raise TypeError(f"bucket {bucket!r} and key {item['key']!r} must be strings")
    if not item.get("version-id"):
        raise ContractError(f"object {item['key']!r} has no version id: enable versioning on bucket {bucket}")
    return ObjectArrived(
        bucket=bucket,
        key=item["key"],
        version_id=item["version-id"],
        size=int(item.get("size", 0)),
        sequencer=item.get("sequencer", ""),
    )


def _job_ended(detail: Mapping[str, Any]) -> Event:
    if detail["state"] not in ENDED_RUNS:
        return Ignored(f"job run is {detail['state']}")
    return JobEnded(detail["jobName"], detail["jobRunId"], detail["state"], detail.get("message", ""))


def _crawl_ended(detail: Mapping[str, Any]) -> Event:
    if detail["state"] not in ("Succeeded", "Failed"):
        return Ignored(f"crawler is {detail['state']}")
    return CrawlEnded(detail["crawlerName"], detail["state"])


def _statement_ended(detail: Mapping[str, Any]) -> Event:
    return StatementEnded(detail["statementId"], detail.get("statementName", ""), detail["state"])


# By source and detail type.
_PARSERS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Event]] = {
    ("aws.s3", "Object Created"): _object_arrived,
    ("aws.glue", "Glue Job State Change"): _job_ended,
    ("aws.glue", "Glue Crawler State Change"): _crawl_ended,
    ("aws.redshift-data", "Redshift Data Statement Status Change"): _statement_ended,
    ("aws.events", "Scheduled Event"): lambda _detail: Tick(),
    _START_WANTED: lambda detail: StartWanted(detail["dataset"]),
}


def parse_queue_message(body: str) -> Event:
    """Parse an event from SQS. Raises ContractError if the body is not a JSON object."""
    try:
        event = json.loads(body)
    except ValueError:
        raise ContractError(f"queue message is not JSON: {body[:80]!r}") from None
    if not isinstance(event, dict):
        raise ContractError(f"queue message is not a JSON object: {body[:80]!r}")
    return parse_event(event)
