"""Container logs: CSV, in it Docker's JSON, in that whatever a program writes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from chain.kit import log_line, real
from gluebook.transforms.containers import CONTAINERS
from gluebook.transforms.mongod import MONGOD
from gluebook.transforms.source import Source
from gluebook.transforms.verbs import conform, rejects_table
from spark.conftest import Frame
from spark.pipelines import FakeRun, run_notebook

Row = dict[str, Any]
COLUMNS = CONTAINERS.layout.columns
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


def run(spark: SparkSession, frame: Frame, **files: bytes) -> FakeRun:
    return run_notebook(spark, CONTAINERS, frame(CONTAINERS.layout, **files))


def rows(done: FakeRun) -> list[Row]:
    """The curated rows, in file order."""
    assert done.kept is not None
    found = conform(done.kept.where("_copy = 1"), done.contract).orderBy("_source_file", "_source_record")
    return [row.asDict() for row in found.collect()]


def rejected(done: FakeRun) -> list[Row]:
    """The rejects as the quarantine keeps them, in file order."""
    assert done.rejects is not None
    table = rejects_table(done.rejects, "app_logs").orderBy("_source_file", "_source_record")
    return [row.asDict() for row in table.collect()]


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


@dataclass(frozen=True)
class Outcome:
    """What became of `RECORDS`, by their names."""

    rows: dict[str, Row]
    rejects: dict[str, Row]


@pytest.fixture(scope="module")
def outcome(spark: SparkSession, frame: Frame) -> Outcome:
    done = run(spark, frame, a=csv_file(*RECORDS.values()))
    names = dict(enumerate(RECORDS, 1))
    return Outcome(
        {names[row["_source_record"]]: row for row in rows(done)},
        {names[row["_source_record"]]: row for row in rejected(done)},
    )


def test_every_record_is_a_row_or_a_reject(outcome: Outcome) -> None:
    assert outcome.rows.keys() | outcome.rejects.keys() == RECORDS.keys()
    assert outcome.rejects.keys() == {name for name in RECORDS if name.startswith("bad ")}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_a_program_writes_has_a_level_and_a_message(outcome: Outcome, shape: str) -> None:
    found = outcome.rows[f"shape {shape}"]
    line, expected = SHAPES[shape]
    assert (found["level"], found["component"], found["message"], found["attributes"]) == expected
    assert found["is_error"] is (found["level"] in ("error", "fatal"))
    assert found["duration_ms"] == (54 if "took_ms" in line else None)
    about = {"service": "shop", "pod": "shop-6cfdd55578-gfj6q", "node": "10.1.2.3", "context": "server"}
    about |= {"trace_id": TRACE, "span_id": SPAN, "source": "containers"}
    assert {name: found[name] for name in about} == about
    assert found["occurred_at"] == datetime(2026, 1, 5, 10, 0, 0, 123456), "Docker's time, not the program's"


def test_a_clock_of_the_year_1754_is_not_looked_at(outcome: Outcome) -> None:
    assert outcome.rows["1754"]["occurred_at"] == datetime(2026, 1, 5, 10, 0, 0, 123456)
    assert outcome.rows["1754"]["level"] == "error"


@pytest.mark.parametrize(("pod", "container"), PODS)
def test_a_service_is_the_pod_without_what_kubernetes_appends(
    outcome: Outcome, pod: str, container: str
) -> None:
    found = outcome.rows[f"pod {pod} {container}"]
    assert found["service"] == PODS[pod, container]
    assert found["pod"] == (pod or None)


@pytest.mark.parametrize("log", BAD)
def test_what_cannot_be_trusted_is_a_reject_with_a_reason(outcome: Outcome, log: str) -> None:
    assert outcome.rejects[f"bad {log}"]["reason"] == BAD[log]


@pytest.mark.parametrize("secret", SECRETS)
def test_tokens_and_addresses_come_out_nowhere(outcome: Outcome, secret: str) -> None:
    for found in (outcome.rows[f"secret {secret}"], outcome.rejects[f"bad secret {secret}"]):
        assert "<masked>" in repr(found)
        assert not [hidden for hidden in HIDDEN if hidden in repr(found)]


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_only_sounds_like_a_token_stays(outcome: Outcome, harmless: str) -> None:
    assert outcome.rows[f"harmless {harmless}"]["message"] == harmless


def test_columns_may_change_places_and_go_and_fields_too_many_are_a_reject(
    spark: SparkSession, frame: Frame
) -> None:
    less = csv_file(record(docker("x")), columns=("Log", "PodName", "Node"))
    done = run(spark, frame, a=less + b"a,b\n", b=csv_file())
    (row,) = rows(done)
    assert (row["service"], row["node"], row["trace_id"]) == ("shop", "10.1.2.3", None)
    assert [(reject["reason"], reject["_source_record"]) for reject in rejected(done)] == [
        ("malformed_record", 2)
    ]


@pytest.mark.parametrize("source", [MONGOD, CONTAINERS], ids=lambda source: source.name)
def test_a_source_of_which_a_batch_holds_nothing_is_not_in_the_plan(
    spark: SparkSession, frame: Frame, source: Source
) -> None:
    body = log_line(1) if source is MONGOD else csv_file(record(docker("x")))
    done = run_notebook(spark, source, frame(source.layout, a=body))
    assert done.kept is not None
    plan = done.kept._jdf.queryExecution().optimizedPlan().toString()  # type: ignore[operator]
    assert ("AS source" in plan) and "Union" not in plan
    (other,) = {MONGOD.name, CONTAINERS.name} - {source.name}
    assert f"{other} AS source" not in plan and f"{source.name} AS source" in plan


def test_a_record_in_two_files_is_one_row_and_its_id_is_the_hash_of_its_text(
    spark: SparkSession, frame: Frame
) -> None:
    body = csv_file(record(docker("x")), record(docker("y")))
    done = run(spark, frame, a=body, b=body)
    assert done.kept is not None
    assert Counter(row["_copy"] for row in done.kept.collect()) == {1: 2, 2: 2}
    texts = body.decode().splitlines()[1:]
    assert [row["log_id"] for row in rows(done)] == [hashlib.sha256(t.encode()).hexdigest() for t in texts]


# -- the real thing ----------------------------------------------------------------------------------------


def real_files() -> list[Path]:
    folder = real("logs/containers/2022-08-22/05_19_log.csv.gz").parents[1]
    return sorted(folder.glob("*/*.csv.gz"))


def independent(name: str, body: bytes) -> Iterator[tuple[tuple[str, int], str, dict[str, str]]]:
    """Place, text and fields of each record, by the standard library; a record is a line in these files."""
    _, *texts = body.decode().splitlines()
    for number, text in enumerate(texts, 1):
        (fields,) = csv.reader([text])
        yield (name, number), text, dict(zip(COLUMNS, fields, strict=True))


def level_of(line: str) -> str:
    if line.startswith("{"):
        return str(json.loads(line)["severity"]).lower()
    word = line.split()[1]
    return {"INFO": "info", "WARN": "warning", "ERROR": "error"}.get(word, "info")


def test_the_real_container_logs_come_out_as_an_independent_reader_has_them(
    spark: SparkSession, frame: Frame
) -> None:
    files = {f"{path.parent.name}/{path.name}": gzip.decompress(path.read_bytes()) for path in real_files()}
    done = run(spark, frame, **files)
    assert done.kept is not None and done.rejects is not None
    theirs = {
        place: (text, fields)
        for name in sorted(files)
        for place, text, fields in independent(name, files[name])
    }
    first: dict[str, tuple[str, int]] = {}
    for place, (text, _) in theirs.items():
        first.setdefault(text, place)
    found = {(row["_source_file"], row["_source_record"]): row for row in rows(done)}
    assert len(theirs) == 52_863
    assert len(found) == 50_165
    assert done.kept.where("_copy > 1").count() == 2_698
    assert done.rejects.count() == 0
    assert found.keys() == set(first.values())
    for place, row in found.items():
        text, fields = theirs[place]
        outer = json.loads(fields["Log"])
        line = outer["log"].rstrip("\n")
        assert row["log_id"] == hashlib.sha256(text.encode()).hexdigest()
        assert row["occurred_at"] == datetime.fromisoformat(outer["time"]).replace(tzinfo=None)
        assert row["level"] == level_of(line)
        assert fields["PodName"].startswith(f"{row['service']}-") and "@" not in row["message"]
        assert (row["trace_id"], row["span_id"]) == (fields["TraceID"], fields["SpanID"])
        said = json.loads(line)["message"] if line.startswith("{") else line
        assert "<masked>" in row["message"] or said.strip().endswith(row["message"])
    errors = [place for place, (_, f) in theirs.items() if level_of(json.loads(f["Log"])["log"]) == "error"]
    assert len(errors) == done.kept.where("is_error").count() == 379
    assert sum(row["is_error"] for row in found.values()) == 379 - 11, "so many of them are copies"
    of_1754 = [p for p in found if theirs[p][1]["TimeUnixNano"].startswith("-")]
    assert len(of_1754) == 34
    assert all(found[place]["occurred_at"].year == 2023 for place in of_1754)
    assert sum("<masked>" in row["message"] for row in found.values()) >= 73
    assert not any("eyJ" in repr(row) for row in found.values())
