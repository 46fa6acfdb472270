"""The queue of arrivals and its delivery to the admit function."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bench.simulation.arrivals import Parcel
from bench.simulation.clock import MIDNIGHT
from bench.simulation.deployed import Deployed
from bench.simulation.happenings import Happenings
from bench.simulation.meter import Meter

RAW = "raw"
# What SQS adds to a message in a delivery: ids, receipt handle, attributes.
_RECORD_BYTES = 900


@dataclass(frozen=True)
class Message:
    """`copies`: how many messages it stands for."""

    at: float
    body: str
    copies: int

    @property
    def bytes(self) -> int:
        """In a delivery."""
        return (len(self.body) + _RECORD_BYTES) * self.copies


class Queue:
    """Messages wait for a full delivery or for the end of the window, and for a free invocation.

    deliver   invokes the function, and returns how long it takes
    """

    def __init__(
        self,
        happenings: Happenings,
        meter: Meter,
        deployed: Deployed,
        deliver: Callable[[list[Message]], float],
    ) -> None:
        self._happenings, self._meter, self._deployed, self._deliver = happenings, meter, deployed, deliver
        self._waiting: deque[Message] = deque()
        self._copies = self._bytes = self._busy = 0
        self.sent = self.deepest = 0
        self.busy_seconds = 0.0

    def send_later(self, body: str, seconds: int) -> None:
        """As the real one."""
        self._happenings.after(seconds, lambda: self.put(body, 1))

    def put(self, body: str, copies: int) -> None:
        """A message that can be seen now."""
        message = Message(self._happenings.clock.now, body, copies)
        self._waiting.append(message)
        self._copies += copies
        self._bytes += message.bytes
        self.sent += copies
        self.deepest = max(self.deepest, self._copies)
        self._poll()

    def _poll(self) -> None:
        now, most = self._happenings.clock.now, max(1, int(self._meter.limits["admits"].most))
        while self._waiting and self._busy < most:
            due = self._waiting[0].at + self._deployed.window_seconds
            if not self._is_full and now < due:
                self._happenings.at(due, self._poll)
                return
            self._busy += 1
            seconds = self._deliver(self._take())
            self.busy_seconds += seconds
            self._happenings.after(seconds, self._free)
        wanted = self._busy + self._copies // self._deployed.batch_size
        self._meter.observe("admits", wanted, now)

    @property
    def _is_full(self) -> bool:
        return self._copies >= self._deployed.batch_size or self._bytes >= self._most_bytes

    @property
    def _most_bytes(self) -> float:
        return self._meter.limits["delivery"].most * 1024

    def _take(self) -> list[Message]:
        taken: list[Message] = []
        copies = size = 0
        while self._waiting and copies < self._deployed.batch_size:
            if taken and size + self._waiting[0].bytes > self._most_bytes:
                break
            message = self._waiting.popleft()
            taken.append(message)
            copies += message.copies
            size += message.bytes
        self._copies -= copies
        self._bytes -= size
        self._meter.observe("delivery", size / 1024, self._happenings.clock.now)
        return taken

    def _free(self) -> None:
        self._busy -= 1
        self._poll()


def object_created(parcel: Parcel, number: int) -> str:
    """The event of a parcel, as EventBridge sends it."""
    return json.dumps(
        {
            "version": "0",
            "id": f"17793124-05d4-b198-2fde-{number:012d}",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "123456789012",
            "time": MIDNIGHT.isoformat(),
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{RAW}"],
            "detail": {
                "version": "0",
                "bucket": {"name": RAW},
                "object": {
                    "key": parcel.key,
                    "size": parcel.size,
                    "etag": "b57f9512698f4b09e608f4f2a65852e5",
                    "version-id": "1",
                    "sequencer": f"{number:018X}",
                },
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "123456789012",
                "source-ip-address": "1.2.3.4",
                "reason": "PutObject",
            },
        }
    )
