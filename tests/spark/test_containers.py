"""Container logs: CSV, in it Docker's JSON, in that whatever a program writes."""

from __future__ import annotations

import csv
import gzip
import hashlib
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
from gluebook.sources.app_logs.containers import SOURCE as CONTAINERS
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.sources.model import Source
from gluebook.transforms.verbs import conform, rejects_table
from spark.conftest import Frame
from spark.container_records import (
    BAD,
    COLUMNS,
    HARMLESS,
    HIDDEN,
    PODS,
    RECORDS,
    SECRETS,
    SHAPES,
    SPAN,
    TRACE,
    csv_file,
    docker,
    record,
)
from spark.pipelines import FakeRun, run_notebook

Row = dict[str, Any]


def run(spark: SparkSession, frame: Frame, **files: bytes) -> FakeRun:
    return run_notebook(spark, CONTAINERS, frame(CONTAINERS, **files))


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
    done = run_notebook(spark, source, frame(source, a=body))
    assert done.kept is not None
    plan = done.kept._jdf.queryExecution().optimizedPlan().toString()
    assert "MapInArrow" in plan and "Union" not in plan
    assert {row["source"] for row in rows(done)} == {source.name}


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
