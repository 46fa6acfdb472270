"""S3's "Object Created", given to listeners instead of being delivered by moto.

moto's own S3 events carry a constant sequencer, come twice for a multipart upload and before the object's metadata
is set, and are delivered by moto's EventBridge, which stops at the first target that it cannot handle. Here
listeners get each created object exactly once, after the request that created it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from moto.core.responses import ActionResult
from moto.s3.exceptions import MissingBucket, S3ClientError
from moto.s3.models import s3_backends
from moto.s3.notifications import S3NotificationEvent

from localaws.errors import LocalAwsError

log = logging.getLogger(__name__)

Reason = Literal["PutObject", "CopyObject", "CompleteMultipartUpload", "POST Object"]

_REASONS: dict[Any, Reason] = {
    S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: "PutObject",
    S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: "CopyObject",
    S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: "CompleteMultipartUpload",
    S3NotificationEvent.OBJECT_CREATED_POST_EVENT: "POST Object",
}


@dataclass(frozen=True)
class ObjectCreated:
    """An object that was stored in a bucket whose notifications go to EventBridge.

    AWS docs: "EventBridge event message structure" (S3).
    """

    bucket: str
    key: str  # as it is: EventBridge's events, unlike S3's own, don't URL-encode it
    size: int  # bytes
    etag: str  # without quotes
    version_id: str | None  # None in a bucket without versioning
    sequencer: str  # 16 hex digits; greater for whatever was stored later, in this process
    reason: Reason


Listener = Callable[[ObjectCreated], None]

_listeners: list[Listener] = []
_pending = threading.local()
# Checking If-None-Match, storing and numbering are one step: otherwise two writers of one key could both succeed, or
# get their numbers in another order than their objects are stored. Deleting a version rewrites the key's list of
# versions, and would lose one that is stored at the same time.
_storing = threading.RLock()
_last_sequencer = 0


def listen_to_objects(callback: Listener) -> Callable[[], None]:
    """Have `callback` called once for every created object, until the returned function is called.

    It is called in the thread that answers the S3 request, before the answer is sent, so it should pass the event on
    and return. An exception of it is logged, and the object stays stored.
    """
    _listeners.append(callback)

    def stop() -> None:
        if callback in _listeners:
            _listeners.remove(callback)

    return stop


def store(account: str, bucket_name: str, key: str, body: bytes) -> ObjectCreated | None:
    """Store an object in moto's S3 as PutObject without headers would, without a call to the listeners.

    Returns what listeners would get; None if the bucket's notifications do not go to EventBridge.
    Raises LocalAwsError if there is no such bucket.
    """
    waiting: list[ObjectCreated] = []
    _pending.events = waiting
    try:
        backend = s3_backends[account]["aws"]
        with _storing:
            stored = backend.put_object(bucket_name, key, body)
            stored.set_acl(backend.get_bucket(bucket_name).acl)
    except MissingBucket as missing:
        raise LocalAwsError(f"s3://{bucket_name}/{key} can't be stored: there is no such bucket") from missing
    finally:
        _pending.events = None
    return waiting[0] if waiting else None


def send_event(_account: str, event_name: Any, bucket: Any, key: Any) -> None:
    """In the place of moto's `send_event`, which it calls when an object has been stored."""
    configuration = bucket.notification_configuration
    reason = _REASONS.get(event_name)
    if reason is None or configuration is None or configuration.event_bridge is None:
        return
    if reason == "PutObject" and key.multipart is not None:
        return  # a multipart upload is stored by a put; its own event follows
    created = ObjectCreated(
        bucket.name,
        key.name,
        key.size,
        key.etag.strip('"'),
        None if key.version_id in {None, "null"} else str(key.version_id),
        _next_sequencer(),
        reason,
    )
    waiting = getattr(_pending, "events", None)
    if waiting is None:
        _publish(created)
    else:
        waiting.append(created)


def _next_sequencer() -> str:
    global _last_sequencer
    with _storing:
        _last_sequencer = max(_last_sequencer + 1, time.time_ns())
        return f"{_last_sequencer:016X}"


def _publish(created: ObjectCreated) -> None:
    for listener in tuple(_listeners):
        try:
            listener(created)
        except Exception:
            log.exception("A listener failed for s3://%s/%s", created.bucket, created.key)


def publish_after(respond: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Hold the events of one request back until the request is done and the lock is free."""
    if getattr(_pending, "events", None) is not None:
        return respond(*arguments, **named)
    _pending.events = []
    try:
        return respond(*arguments, **named)
    finally:
        created, _pending.events = _pending.events, None
        for event in created:
            _publish(event)


def one_at_a_time(respond: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Requests that store or delete objects exclude each other."""
    with _storing:
        return respond(*arguments, **named)


def refuse_other_notifications(
    configure: Callable[..., None], bucket: Any, wanted: dict[str, Any] | None
) -> None:
    """S3 directly to Lambda, SQS or SNS: moto needs Docker for it or sends events twice; here EventBridge does it."""
    kinds = {"TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration"}
    unknown = sorted(kinds & set(wanted or {}))
    if unknown:
        raise S3ClientError(
            "NotImplemented",
            f"the laptop's S3 notifies EventBridge only, not by {', '.join(unknown)}; "
            "use EventBridgeConfiguration and an EventBridge rule",
        )
    configure(bucket, wanted)


def show_event_bridge(get: Callable[[Any], Any], response: Any) -> Any:
    """GetBucketNotificationConfiguration, which in moto does not say that EventBridge is on."""
    configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
    if configuration is None or configuration.event_bridge is None:
        return get(response)
    response.data["Action"] = "GetBucketNotificationConfiguration"
    return response.serialized(ActionResult({"EventBridgeConfiguration": {}}))
