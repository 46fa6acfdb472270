"""Container logs as a collector exports them: CSV, in it Docker's JSON, in that what the program wrote.

A program writes a line: JSON of one shape or another, or text. Docker wraps it as `{"log", "stream", "time"}`; the
collector adds the pod and the trace and writes CSV.
"""

from __future__ import annotations

import re

from gluebook.sources.csv_fields import csv_fields
from gluebook.sources.fields import Fields, Malformed
from gluebook.sources.framing import Layout
from gluebook.sources.json_fields import Members, first_text, json_members, text_of, whole_number
from gluebook.sources.model import Source, identity

# Where programs that write JSON put what they have to say; the first that is there counts.
_SEVERITY_KEYS = ("severity", "level")
_MESSAGE_KEYS = ("message", "msg")
_DURATION_KEYS = ("durationMillis", "http.resp.took_ms")
_PLAIN_KEYS = {*_SEVERITY_KEYS, *_MESSAGE_KEYS, "timestamp", "time", "ts"}
# A Java program's text: clock, level, class and line (or a dash), message. The clock is local time: of no use.
_TEXT = re.compile(
    r"\d{2}:\d{2}:\d{2}[.,]\d+ +(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +"
    r"(?:- |(?P<class>\S+)#(?P<line>[1-9]\d*) )?(?P<message>.*)",
    re.ASCII | re.DOTALL,
)
# What Kubernetes appends to the name of a Deployment, DaemonSet or StatefulSet to name its pods: generated parts have
# no vowels, so that they are no words (k8s.io/apimachinery/pkg/util/rand).
_MADE_UP = "bcdfghjklmnpqrstvwxz2456789"
_POD_SUFFIX = re.compile(rf"((-[{_MADE_UP}]{{6,10}})?-[{_MADE_UP}]{{5}}|-[0-9]+)\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
# A line that doesn't say how severe it is was written by a program that has no levels.
_DEFAULT_LEVEL = "info"

_LEVELS = {
    **dict.fromkeys(("trace", "10"), "trace"),
    **dict.fromkeys(("debug", "20"), "debug"),
    **dict.fromkeys(("info", "information", "notice", "30"), "info"),
    **dict.fromkeys(("warn", "warning", "40"), "warning"),
    **dict.fromkeys(("error", "err", "severe", "50"), "error"),
    **dict.fromkeys(("fatal", "critical", "panic", "alert", "emergency", "60"), "fatal"),
}


def parse(record: str, columns: tuple[str, ...]) -> Fields:
    """The collector's columns, and what stands inside `Log`; Malformed unless that is one JSON object with a `log`.

    time      when Docker took the line, in UTC: the one clock that is right in every record. TimeUnixNano may be
              that of Go's zero time, in the year 1754; Timestamp has no zone there
    severity  the program's word for it; `info` where it has none
    class     of programs that write text, the class that logged
    message   without the trace and span ids that it begins with, if they are those of the columns
    fields    JSON text: the program's own, where it says more than time, severity and message; of text, the line
              of the class
    took      how long what is logged took, in milliseconds
    workload  the pod's name without what Kubernetes appends to it; the container's where the pod has none
    """
    collected = csv_fields(record, columns)
    docker = json_members(collected.get("Log") or "")
    log = text_of(docker.get("log"))
    if log is None:
        raise Malformed("Docker's JSON has no log")
    said = _said(log.rstrip("\r\n"))
    return {
        **collected,
        **said,
        "time": text_of(docker.get("time")),
        "message": _without_ids(said["message"] or "", collected.get("TraceID"), collected.get("SpanID")),
        "workload": _workload(collected.get("PodName"), collected.get("Container")),
    }


def _said(line: str) -> Fields:
    """What a program says in its line: JSON, or text in which a level may be found."""
    try:
        return _said_in_json(line, json_members(line))
    except Malformed:
        found = _TEXT.match(line)
        part = found.groupdict() if found else {}
        return {
            "severity": part.get("level") or _DEFAULT_LEVEL,
            "class": part.get("class"),
            "message": part.get("message") or line,
            "fields": f'{{"line":{part["line"]}}}' if part.get("line") else None,
            "took": None,
        }


def _said_in_json(line: str, members: Members) -> Fields:
    return {
        "severity": first_text(members, _SEVERITY_KEYS) or _DEFAULT_LEVEL,
        "class": None,
        "message": first_text(members, _MESSAGE_KEYS) or line,
        "fields": line if members.keys() - _PLAIN_KEYS else None,
        "took": whole_number(first_text(members, _DURATION_KEYS)),
    }


def _without_ids(message: str, trace: str | None, span: str | None) -> str:
    return message.removeprefix(f"TraceID: {trace} SpanID: {span} ") if trace and span else message


def _workload(pod: str | None, container: str | None) -> str:
    """The first that is a name as Kubernetes gives them and a service may have; this source's, if neither is."""
    names = (_POD_SUFFIX.sub("", pod or ""), container or "")
    return next((name for name in names if _NAME.fullmatch(name)), SOURCE.name)


SOURCE = Source(
    *identity(__name__),
    layout=Layout(framing="csv", required=("PodName", "Log")),
    parse=parse,
    renames={
        "time": "occurred_at",
        "severity": "level",
        "class": "component",
        "Container": "context",
        "message": "message",
        "fields": "attributes",
        "took": "duration_ms",
        "workload": "service",
        "TraceID": "trace_id",
        "SpanID": "span_id",
        "PodName": "pod",
        "Node": "node",
    },
    choices={"level": _LEVELS},
)
