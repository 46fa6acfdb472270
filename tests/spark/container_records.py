"""Container logs by hand: records as a collector writes them, and what must become of each."""

from __future__ import annotations

import csv
import io
import json

COLUMNS = ("Timestamp", "TimeUnixNano", "Node", "PodName", "Container", "TraceID", "SpanID", "Log")
TIME = "2026-01-05T10:00:00.123456789Z"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
IDS = f"TraceID: {TRACE} SpanID: {SPAN} "
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEiLCJyb2xlIjoidXNlciJ9.c2lnbmF0dXJlLW9mLW5vYm9keQ"


def docker(line: str, **more: str) -> str:
    """What Docker makes of a line that a program writes."""
    return json.dumps({"log": f"{line}\n", "stream": "stdout", "time": TIME} | more)


def record(log: str, **columns: str) -> dict[str, str]:
    """A record as the collector writes it, around what Docker gave."""
    return {
        "Timestamp": TIME,
        "TimeUnixNano": "1767607200123456789",
        "Node": "10.1.2.3",
        "PodName": "shop-6cfdd55578-gfj6q",
        "Container": "server",
        "TraceID": TRACE,
        "SpanID": SPAN,
        "Log": log,
    } | columns


def csv_file(*records: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


JAVA = "18:00:00.123 {} {}a.b.OrderService#42 " + IDS + "order 7 is late"
# What a program writes -> level, component, message, attributes.
SHAPES: dict[str, tuple[str, tuple[str, str | None, str | None, str | None]]] = {
    "go": (
        f'{{"message":"{IDS}asked","severity":"info","timestamp":"2026-01-05T10:00:00.1Z"}}',
        ("info", None, "asked", None),
    ),
    "go with a request": (
        '{"http.resp.status":200,"http.resp.took_ms":54,"message":"done","severity":"warning","timestamp":""}',
        (
            "warning",
            None,
            "done",
            '{"http.resp.status":200,"http.resp.took_ms":54,"message":"done","severity":"warning","timestamp":""}',
        ),
    ),
    "node": (
        '{"severity":"error","pid":1,"hostname":"h","name":"n","message":"no","v":1}',
        ("error", None, "no", '{"severity":"error","pid":1,"hostname":"h","name":"n","message":"no","v":1}'),
    ),
    "pino": ('{"level":30,"time":1767607200123,"msg":"started"}', ("info", None, "started", None)),
    "logrus": ('{"level":"panic","msg":"lost","time":"2026-01-05"}', ("fatal", None, "lost", None)),
    "python": ('{"timestamp": "t", "severity": "INFO", "message": "sent"}', ("info", None, "sent", None)),
    "nested": (
        '{"severity":"DEBUG","message":{"id":7},"user":null}',
        ("debug", None, '{"id":7}', '{"severity":"DEBUG","message":{"id":7},"user":null}'),
    ),
    "nul escaped": (
        '{"severity":"in\\u0000fo","message":"a\\u0000b","id":"c\\u0000d"}',
        ("info", None, "ab", '{"severity":"in\\u0000fo","message":"a\\u0000b","id":"c\\u0000d"}'),
    ),
    "nul in a text": ("a\0b", ("info", None, "ab", None)),
    "json without a level": ('{"message":"hello"}', ("info", None, "hello", None)),
    "json with an empty level": (
        '{"message":"hello","severity":" ","level":"warn"}',
        ("warning", None, "hello", None),
    ),
    "json without a message": ('{"id":7}', ("info", None, '{"id":7}', '{"id":7}')),
    "java info": (
        JAVA.format("INFO ", ""),
        ("info", "a.b.OrderService", "order 7 is late", '{"line":42}'),
    ),
    "java warning": (
        JAVA.format("WARN ", ""),
        ("warning", "a.b.OrderService", "order 7 is late", '{"line":42}'),
    ),
    "java error": (
        JAVA.format("ERROR", " "),
        ("error", "a.b.OrderService", "order 7 is late", '{"line":42}'),
    ),
    "java with lines": (
        f"18:00:00.123 ERROR a.B.[.[dispatcher]#7 {IDS}failed\nat a.b\nat c.d",
        ("error", "a.B.[.[dispatcher]", "failed\nat a.b\nat c.d", '{"line":7}'),
    ),
    "java without a class": (f"10:00:00.123 INFO  - {IDS}found", ("info", None, "found", None)),
    "java without a place": ("10:00:00,123 DEBUG found it", ("debug", None, "found it", None)),
    "a sentence": (f"{IDS}GetCart called with user=7", ("info", None, "GetCart called with user=7", None)),
    "a sentence of another request": (
        "TraceID: 00 SpanID: 00 called",
        ("info", None, "TraceID: 00 SpanID: 00 called", None),
    ),
    "a sentence about errors": ("ERROR is a word", ("info", None, "ERROR is a word", None)),
    "half a JSON object": ('{"message":"cut o', ("info", None, '{"message":"cut o', None)),
    "two JSON objects": (
        '{"message":"a"} {"message":"b"}',
        ("info", None, '{"message":"a"} {"message":"b"}', None),
    ),
    "a list": ("[1, 2]", ("info", None, "[1, 2]", None)),
    "a CSV of its own": ('a,"b ""c""",\\d\\n', ("info", None, 'a,"b ""c""",\\d\\n', None)),
    "nothing": ("", ("info", None, None, None)),
}


# Pod and container -> the service.
PODS = {
    ("ts-order-service-64469b5b48-25zj6", "server"): "ts-order-service",
    ("ts-travel2-service-f5756978c-k8vqf", "server"): "ts-travel2-service",
    ("node-exporter-x7x2k", "exporter"): "node-exporter",
    ("postgres-0", "postgres"): "postgres",
    ("by-hand", "server"): "by-hand",
    ("", "server"): "server",
    ("", ""): "containers",
    ("no name: ü", "server"): "server",
    ("x" * 129, "server"): "server",
}
# What stands in `Log` -> why it is set aside.
BAD = {
    "not Docker's": "malformed_record",
    "": "malformed_record",
    '{"log":"cut off': "malformed_record",
    '{"stream":"stdout","time":"2026-01-05T10:00:00Z"}': "malformed_record",
    f"{docker('one')} {docker('two')}": "malformed_record",
    '{"log":"no time","stream":"stdout"}': "missing:occurred_at",
    '{"log":"x","time":"yesterday"}': "unreadable:occurred_at",
    docker('{"severity":"loud","message":"x"}'): "unknown:level",
    docker("x" * 65_536): "too_long:message",
}
SECRETS = {
    "a token": f"[success][USER TOKEN: {JWT} USER ID: 7]",
    "a token at the beginning of a line": f"here:\n{JWT}",
    "a token that was cut off": f"here: {JWT[:30]}",
    "a header": "Authorization: Bearer 0123-4567.89ab=",
    "a header in JSON": '{"severity":"info","message":"x","headers":{"authorization":"bearer zyx987654"}}',
    "a password": 'GET / {authorization: "Basic YWRhOnNlY3JldA=="}',
    "an address": "mail to ada@example.com failed",
}
HIDDEN = (*JWT.split("."), JWT[:30], "0123-4567", "zyx987654", "YWRhOnNlY3JldA", "ada@example")
HARMLESS = ("the bearer of news", "KeyJsonSerializer", "authorization is basic", "eyJ is how tokens begin")
YEAR_1754 = record(
    docker(JAVA.format("ERROR", "")),
    Timestamp="2026-01-05T10:00:00.119",
    TimeUnixNano="-6795364578871345152",
)
RECORDS = {
    "1754": YEAR_1754,
    **{f"shape {name}": record(docker(line)) for name, (line, _) in SHAPES.items()},
    **{f"pod {pod} {box}": record(docker("x"), PodName=pod, Container=box) for pod, box in PODS},
    **{f"bad {log}": record(log) for log in BAD},
    **{f"secret {name}": record(docker(text)) for name, text in SECRETS.items()},
    **{f"bad secret {name}": record(docker(text, time="never")) for name, text in SECRETS.items()},
    **{f"harmless {text}": record(docker(text)) for text in HARMLESS},
}
