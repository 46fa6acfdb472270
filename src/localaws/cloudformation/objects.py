"""S3's "Object Created", told to whoever listens instead of being delivered by moto.

moto's own S3 events carry a constant sequencer, come twice for a multipart upload and before the
object's metadata is set, and are delivered by moto's EventBridge, which stops at the first target it
can't handle. Here each created object is told exactly once, after the request that made it is done.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from moto.s3 import notifications
from moto.s3.exceptions import MissingBucket, PreconditionFailed, S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.notifications import S3NotificationEvent
from moto.s3.responses import S3Response

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
# Storing, checking If-None-Match before it, and numbering are one step: otherwise two writers of one
# key could both succeed, or be numbered in the other order than they are stored. Deleting a version
# writes the key's list of versions anew, and would lose one that is stored meanwhile.
_storing = threading.RLock()
_last_sequencer = 0


def listen_to_objects(callback: Listener) -> Callable[[], None]:
    """Have `callback` called once for every created object, until the returned function is called.

    It is called in the thread that answers the S3 request, before the answer is sent: it should hand
    the event on and return. What it raises is logged; the object is stored all the same.
    """
    _listeners.append(callback)

    def stop() -> None:
        if callback in _listeners:
            _listeners.remove(callback)

    return stop


def store(account: str, bucket_name: str, key: str, body: bytes) -> ObjectCreated | None:
    """Put an object straight into moto's S3, as PutObject without headers would; nobody is told.

    Gives back what listeners would have been told; None if the bucket's notifications don't go to EventBridge.
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


def install() -> None:
    """Replace moto's S3 notifications, in this process, for good. To be called once."""
    notifications.send_event = _notice
    S3Response.key_response = _telling(S3Response.key_response)
    S3Response.bucket_response = _telling(S3Response.bucket_response)
    S3Response.put_object = _one_at_a_time(S3Response.put_object)
    S3Response.delete_object = _one_at_a_time(S3Response.delete_object)
    S3Response.copy_object = _one_at_a_time(_conditional(S3Response.copy_object))
    S3Response._key_response_post = _one_at_a_time(S3Response._key_response_post)
    S3Response._bucket_response_post = _one_at_a_time(S3Response._bucket_response_post)
    _refuse_other_notifications()


def _notice(_account: str, event_name: Any, bucket: Any, key: Any) -> None:
    """In the place of moto's `send_event`, which is called where an object has just been stored."""
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
        _tell(created)
    else:
        waiting.append(created)


def _next_sequencer() -> str:
    global _last_sequencer
    with _storing:
        _last_sequencer = max(_last_sequencer + 1, time.time_ns())
        return f"{_last_sequencer:016X}"


def _tell(created: ObjectCreated) -> None:
    for listener in tuple(_listeners):
        try:
            listener(created)
        except Exception:
            log.exception("A listener failed for s3://%s/%s", created.bucket, created.key)


def _telling(respond: Callable[..., Any]) -> Callable[..., Any]:
    """Hold the events of one request back until the request is done and the lock is free."""

    def response(it: Any, *arguments: Any, **named: Any) -> Any:
        if getattr(_pending, "events", None) is not None:
            return respond(it, *arguments, **named)
        _pending.events = []
        try:
            return respond(it, *arguments, **named)
        finally:
            created, _pending.events = _pending.events, None
            for event in created:
                _tell(event)

    return response


def _one_at_a_time(respond: Callable[..., Any]) -> Callable[..., Any]:
    def response(it: Any, *arguments: Any, **named: Any) -> Any:
        with _storing:
            return respond(it, *arguments, **named)

    return response


def _conditional(copy: Callable[..., Any]) -> Callable[..., Any]:
    """moto ignores the conditions of CopyObject on the destination. AWS docs: "Conditional writes"."""

    def copy_object(it: Any) -> Any:
        existing = it.backend.get_object(it.bucket_name, it.parse_key_name())
        if it.headers.get("If-None-Match") == "*" and existing is not None:
            raise PreconditionFailed("If-None-Match")
        match = it.headers.get("If-Match")
        if match and (existing is None or existing.etag.strip('"') != match.strip('"')):
            raise PreconditionFailed("If-Match")
        return copy(it)

    return copy_object


def _refuse_other_notifications() -> None:
    """S3 straight to Lambda, SQS or SNS: moto's way needs Docker or doubles events; ours is EventBridge."""
    configure = FakeBucket.set_notification_configuration

    def set_notification_configuration(bucket: Any, wanted: dict[str, Any] | None) -> None:
        kinds = {"TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration"}
        unknown = sorted(kinds & set(wanted or {}))
        if unknown:
            raise S3ClientError(
                "NotImplemented",
                f"the laptop's S3 notifies EventBridge only, not by {', '.join(unknown)}; "
                "use EventBridgeConfiguration and an EventBridge rule",
            )
        configure(bucket, wanted)

    FakeBucket.set_notification_configuration = set_notification_configuration
