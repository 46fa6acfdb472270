"""CloudWatch Logs of job runs and functions, in the groups and streams that AWS uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from boto3.session import Session

from gluebook.aws.sessions import new_session

# AWS docs, "Logging for AWS Glue jobs": since Glue 5.0 the script's stdout and stderr go to the first, Spark's and
# Glue's own log to the second; a run's streams begin with its id.
JOB_GROUPS = ("/aws-glue/jobs/output", "/aws-glue/jobs/error")
# AWS docs, "Log and monitor Python Lambda functions", "Troubleshoot execution issues in Lambda": an uncaught
# exception, a time-out, a process that dies.
_FAILURES = ("[ERROR]", "Task timed out", "Runtime exited")
_PATTERN = " ".join(f'?"{words}"' for words in _FAILURES)
_REQUEST = re.compile(r"^(\S+Z )?(RequestId: )?[0-9a-f-]{36} (Error: )?")


def function_group(function: str) -> str:
    """The log group of a function."""
    return f"/aws/lambda/{function}"


@dataclass(frozen=True)
class LogLine:
    """One event of a log."""

    at: datetime
    stream: str
    text: str


class Logs:
    """Reads CloudWatch Logs. A missing group counts as empty."""

    def __init__(self, session: Session | None = None) -> None:
        self._logs = (session or new_session()).client("logs")

    def of_run(self, group: str, run_id: str, most: int) -> list[LogLine]:
        """The last lines of a job run, at most `most` of each of its streams, oldest first."""
        try:
            streams = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=run_id)
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        found: list[LogLine] = []
        for stream in (one["logStreamName"] for one in streams["logStreams"]):
            events = self._logs.get_log_events(
                logGroupName=group, logStreamName=stream, limit=most, startFromHead=False
            )["events"]
            found += [_line(event, stream) for event in events]
        return sorted(found, key=lambda line: line.at)

    def since(self, group: str, since: datetime, most: int, pattern: str = "") -> list[LogLine]:
        """The last lines of a group after `since`, at most `most`, oldest first; `pattern` filters them."""
        request: dict[str, Any] = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
        if pattern:
            request["filterPattern"] = pattern
        found: list[LogLine] = []
        try:
            for page in self._logs.get_paginator("filter_log_events").paginate(**request):
                found = [*found, *(_line(event, event["logStreamName"]) for event in page["events"])][-most:]
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        return sorted(found, key=lambda line: line.at)

    def last_failure(self, function: str, since: datetime) -> LogLine | None:
        """The last failure of a function since then, in one line; None if there is none."""
        lines = self.since(function_group(function), since, 1000, _PATTERN)
        failed = [line for line in lines if any(words in line.text for words in _FAILURES)]
        if not failed:
            return None
        last = failed[-1]
        first = next((one for one in last.text.splitlines() if one.strip()), "")
        return LogLine(last.at, last.stream, _REQUEST.sub("", first.removeprefix("[ERROR]").strip()))


def _line(event: dict[str, Any], stream: str) -> LogLine:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogLine(at, stream, event["message"].rstrip("\n"))
