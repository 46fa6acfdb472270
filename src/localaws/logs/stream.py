"""A stream in CloudWatch Logs, written with the credentials of the role of a function, a job or a crawler."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..batching import batches
from ..endpoint import Credentials, Endpoint

log = logging.getLogger(__name__)

# AWS docs: PutLogEvents: 10,000 events or 1 MiB at once, of which each event takes 26 bytes more than its text.
_EVENTS_AT_ONCE = 10_000
_BYTES_AT_ONCE = 1 << 20
_BYTES_OF_EVENT = 26
_LONGEST_LINE = 1 << 16
# A request for each line would take too long, so lines are collected for this long.
_GATHER_SECONDS = 0.5


class LogStream:
    """Collects lines for a moment, then writes them; the stream is created with the first line.

    `makes_group`: whether CreateLogGroup is called each time (Glue), or only if there is no group (Lambda). What the
    role may not write is lost, as on AWS, without an error for the code whose output it is. Thread-safe.
    """

    def __init__(
        self, endpoint: Endpoint, credentials: Credentials, group: str, stream: str, *, makes_group: bool
    ) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._where = {"logGroupName": group, "logStreamName": stream}
        self._makes_group = makes_group
        self._client: Any = None
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._lines: list[dict[str, Any]] = []
        self._broken = False

    @property
    def name(self) -> str:
        """The stream's name within its group."""
        return self._where["logStreamName"]

    def add(self, line: str) -> None:
        """Add a line; it is written soon, or by `flush`."""
        if not line or self._broken:
            return
        with self._gathering:
            self._lines.append({"timestamp": int(time.time() * 1000), "message": line[:_LONGEST_LINE]})
            first = len(self._lines) == 1
        if first:
            later = threading.Timer(_GATHER_SECONDS, self.flush)
            later.daemon = True
            later.start()

    def flush(self) -> None:
        """Write the lines that are not written yet."""
        with self._writing:
            with self._gathering:
                lines, self._lines = self._lines, []
            if not lines or self._broken:
                return
            try:
                self._write(lines)
            except (ClientError, BotoCoreError, OSError) as error:
                self._broken = True
                log.warning("the log %s: %s", self._where, error)

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if self._client is None:
            self._client = self._made()
        for part in batches(lines, _size, most_entries=_EVENTS_AT_ONCE, most_bytes=_BYTES_AT_ONCE):
            self._client.put_log_events(**self._where, logEvents=part)

    def _made(self) -> Any:
        client = self._endpoint.client("logs", self._credentials)
        if self._makes_group:
            self._make_group(client)
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            try:
                client.create_log_stream(**self._where)
            except client.exceptions.ResourceNotFoundException:
                self._make_group(client)
                client.create_log_stream(**self._where)
        return client

    def _make_group(self, client: Any) -> None:
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=self._where["logGroupName"])


def _size(line: dict[str, Any]) -> int:
    return len(line["message"].encode()) + _BYTES_OF_EVENT
