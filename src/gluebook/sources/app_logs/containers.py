"""Container logs as a collector exports them: CSV, in it Docker's JSON, in that what the program wrote.

A program writes a line: JSON of one shape or another, or text. Docker wraps it as `{"log", "stream", "time"}`; the
collector adds the pod and the trace and writes CSV.
"""

from __future__ import annotations

from gluebook.contracts.app_logs import APP_LOGS
from gluebook.sources.framing import Layout
from gluebook.sources.model import Source

_LEVELS = {
    **dict.fromkeys(("trace", "10"), "trace"),
    **dict.fromkeys(("debug", "20"), "debug"),
    **dict.fromkeys(("info", "information", "notice", "30"), "info"),
    **dict.fromkeys(("warn", "warning", "40"), "warning"),
    **dict.fromkeys(("error", "err", "severe", "50"), "error"),
    **dict.fromkeys(("fatal", "critical", "panic", "alert", "emergency", "60"), "fatal"),
}

CONTAINERS = Source(
    name="containers",
    contract=APP_LOGS,
    layout=Layout(
        framing="csv",
        columns=("Timestamp", "TimeUnixNano", "Node", "PodName", "Container", "TraceID", "SpanID", "Log"),
        required=("PodName", "Log"),
    ),
    inside=dict.fromkeys(("time", "severity", "class", "message", "fields"), "Log"),
    renames={
        "time": "occurred_at",
        "severity": "level",
        "class": "component",
        "Container": "context",
        "message": "message",
        "fields": "attributes",
        "TraceID": "trace_id",
        "SpanID": "span_id",
        "PodName": "pod",
        "Node": "node",
    },
    choices={"level": _LEVELS},
)
