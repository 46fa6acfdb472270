"""EventBridge: the default bus, and the events AWS services put on it."""

from .delivery import FailedInvocation
from .service import Deliveries, EventBus
from .shapes import (
    event,
    glue_crawler_event,
    glue_job_event,
    object_created_event,
    scheduled_event,
    timestamp,
)

__all__ = [
    "Deliveries",
    "EventBus",
    "FailedInvocation",
    "event",
    "glue_crawler_event",
    "glue_job_event",
    "object_created_event",
    "scheduled_event",
    "timestamp",
]
