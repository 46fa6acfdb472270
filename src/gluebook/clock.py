"""The clock that is passed to code without side effects."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def new_batch_id(dataset: str, moment: datetime) -> str:
    """A batch id with dataset and time, at most 64 characters."""
    return f"{dataset}-{moment.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
