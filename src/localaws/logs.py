"""CloudWatch Logs: what functions and job runs print, in the groups and streams in which AWS has it."""

from __future__ import annotations

import threading
import time

from moto.logs.models import LogsBackend, logs_backends

from .endpoint import Endpoint

# AWS docs, "Logging for AWS Glue jobs": since Glue 5.0 the script's stdout and stderr are in this group, in a stream
# <job run id>-driver.
JOB_OUTPUT = "/aws-glue/jobs/output"


class Stream:
    """A log stream, made with its first line. Without its group nothing is kept, unless the writer makes groups.

    Written in-process: moto has all else that CloudWatch Logs answers, and a request for each line takes too long.
    """

    def __init__(self, endpoint: Endpoint, group: str, name: str, *, makes_group: bool = False) -> None:
        self.group, self.name = group, name
        self._endpoint = endpoint
        self._makes_group = makes_group
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Add one event."""
        backend: LogsBackend = logs_backends[self._endpoint.account][self._endpoint.region]
        if self._makes_group:
            backend.ensure_log_group(self.group)
        elif self.group not in backend.groups:
            return
        with self._lock:
            backend.ensure_log_stream(self.group, self.name)
            event = {"timestamp": int(time.time() * 1000), "message": text}
            backend.put_log_events(self.group, self.name, [event])
