"""What the gate has found reaches the warehouse, be the batch loaded or not."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from fakes.pipeline import DATASET, Pipeline, job_ended
from gluebook.core.events import StatementEnded, Tick
from gluebook.core.model import Batch, NotedVerdict
from gluebook.core.sql.quality import (
    DQ_COLUMNS,
    DQ_RESULTS,
    dataset_of_recording,
    quality_ddl,
    record_sql,
    recording_name,
    recording_token,
)
from gluebook.core.states import BatchState

NOTED = NotedVerdict("app_logs-1", "app_logs", generation=1, epoch=3, rows=60)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def verdict(pipeline: Pipeline, batch: Batch, rows: int = 60, *, passed: bool = False) -> Batch:
    """The batch once the gate has answered."""
    manifest = pipeline.lake.quality_manifest(batch.dataset, batch.batch_id, batch.epoch)
    of = (batch.batch_id, batch.dataset, batch.generation, batch.epoch)
    noted = NotedVerdict(*of, rows, passed, 2, manifest)
    return pipeline.ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), "t", "gate", noted)


def rejected(pipeline: Pipeline, rows: int = 60) -> Batch:
    going = verdict(pipeline, pipeline.batch(BatchState.CLAIMED, owner="jr_0"), rows)
    return pipeline.ledger.advance(going, replace(going, state=BatchState.REJECTED), "t", "gate")


def recordings(pipeline: Pipeline) -> dict[str, str]:
    """The statements that record a verdict, by id, with their names."""
    found = pipeline.warehouse.statements.items()
    return {number: s.name for number, s in found if s.name.startswith("gluebook-quality:")}


def ended(pipeline: Pipeline, number: str, state: str = "FINISHED") -> None:
    name = pipeline.warehouse.statements[number].name
    pipeline.handle(StatementEnded(number, name, state))


def schemas(pipeline: Pipeline) -> int:
    return sum(name == "gluebook-schema" for name, _ in pipeline.warehouse.ran)


# -- statements --------------------------------------------------------------------------------------------


def test_a_verdict_takes_the_place_of_the_one_before_in_one_transaction_unless_a_later_one_is_there() -> None:
    lock, gone, stage, copy, kept, *rest = record_sql(NOTED, "s3://lake/q/rows/b.json", "arn:role")
    later = "exists (select 1 from dq_verdicts where batch_id = 'app_logs-1' and epoch > 3)"
    assert lock == "lock table dq_results"
    assert gone == f"delete from dq_results where batch_id = 'app_logs-1' and not {later}"
    assert stage.startswith("create temp table dq_stage (batch_id varchar(64) not null, generation integer")
    assert copy == (
        "copy dq_stage from 's3://lake/q/rows/b.json' iam_role 'arn:role' format as parquet manifest"
    )
    assert kept == f"delete from dq_stage where {later}"
    inserted, forgotten, noted = rest
    assert inserted.startswith("insert into dq_results (batch_id, generation, ")
    assert forgotten == "delete from dq_verdicts where batch_id = 'app_logs-1' and epoch <= 3"
    assert noted.startswith("insert into dq_verdicts (batch_id, epoch) select 'app_logs-1', 3 from (")


def test_where_there_is_nothing_to_show_nothing_is_copied() -> None:
    sqls = record_sql(replace(NOTED, rows=0), "s3://lake/q/rows/b.json", "arn:role")
    assert [sql.split()[2] for sql in sqls] == ["dq_results", "dq_results", "dq_verdicts", "dq_verdicts"]


def test_the_table_has_the_columns_of_the_parquet_in_their_order() -> None:
    ddl = quality_ddl()[DQ_RESULTS]
    lines = [line.strip().rstrip(",") for line in ddl.splitlines()[1:-1]]
    assert [line.split()[0] for line in lines] == [column.name for column in DQ_COLUMNS]
    assert ddl.startswith(f"create table if not exists {DQ_RESULTS} (")


def test_the_name_of_a_recording_tells_its_dataset_and_no_other_name_does() -> None:
    assert dataset_of_recording(recording_name(NOTED)) == "app_logs"
    for name in ("", "gluebook-load:b:1:1", "gluebook-quality:app_logs:b", "gluebook-quality:app_logs:b:x"):
        assert dataset_of_recording(name) is None


def test_another_verdict_and_another_attempt_have_tokens_of_their_own() -> None:
    others = [
        NOTED,
        replace(NOTED, attempts=1),
        replace(NOTED, generation=2),
        replace(NOTED, epoch=4),
        replace(NOTED, batch_id="app_logs-2"),
    ]
    tokens = {recording_token(noted) for noted in others}
    assert len(tokens) == len(others)
    assert max(map(len, tokens)) <= 64
    assert len(recording_token(replace(NOTED, batch_id="x" * 90))) == 64


# -- the outbox --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [60, 0])
def test_the_verdict_on_a_rejected_batch_is_submitted_at_once_and_dropped_when_recorded(
    pipeline: Pipeline, rows: int, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = rejected(pipeline, rows)
    pipeline.handle(job_ended("jr_0"))
    [(number, name)] = recordings(pipeline).items()
    assert name == f"gluebook-quality:{DATASET}:{batch.batch_id}:1"
    sqls = pipeline.warehouse.statements[number].sqls
    assert any(f"quality/{DATASET}/rows/{batch.batch_id}-e1.json" in sql for sql in sqls) == bool(rows)
    assert '"BatchesRejected": 1' in capsys.readouterr().out
    pipeline.warehouse.finish(number, 0, 0)
    ended(pipeline, number)
    assert pipeline.ledger.verdicts(DATASET) == []
    pipeline.handle(Tick(), job_ended("jr_0"))
    assert len(recordings(pipeline)) == 1


def test_a_verdict_is_not_resubmitted_while_its_statement_runs(pipeline: Pipeline) -> None:
    rejected(pipeline)
    pipeline.handle(job_ended("jr_0"), Tick(), job_ended("jr_0"))
    assert len(recordings(pipeline)) == 1


@pytest.mark.parametrize(
    "error", ["ERROR: 1023 Serializable isolation violation", "ERROR: Value too long for type"]
)
def test_a_refused_verdict_is_retried_at_once_and_then_with_growing_pauses_without_end(
    pipeline: Pipeline, error: str
) -> None:
    rejected(pipeline)
    pipeline.handle(job_ended("jr_0"))
    began = pipeline.clock.seconds
    tries: list[float] = []
    while len(tries) < 14:
        known = len(recordings(pipeline))
        [*_, number] = recordings(pipeline)
        tries.append((pipeline.clock.seconds - began) // 60)
        pipeline.warehouse.fail(number, error)
        ended(pipeline, number, "FAILED")
        while len(recordings(pipeline)) == known:
            pipeline.clock.forward(60)
            pipeline.handle(Tick(), job_ended("jr_0"))
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses == [0, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]
    [*_, number] = recordings(pipeline)
    pipeline.warehouse.finish(number, 0, 0)
    ended(pipeline, number)
    assert pipeline.ledger.verdicts(DATASET) == []


def test_a_verdict_with_failed_attempts_of_an_earlier_release_is_retried(pipeline: Pipeline) -> None:
    rejected(pipeline)
    pipeline.handle(job_ended("jr_0"))
    [number] = recordings(pipeline)
    [noted] = pipeline.ledger.verdicts(DATASET)
    # It has noted no time.
    pipeline.ledger.verdict_submitted(replace(noted, attempts=2, retry_at=""), number)
    pipeline.warehouse.fail(number, "ERROR: no")
    pipeline.handle(Tick())
    assert len(recordings(pipeline)) == 2


def test_a_recreated_warehouse_gets_its_tables_and_the_verdict(pipeline: Pipeline) -> None:
    rejected(pipeline)
    pipeline.handle(job_ended("jr_0"))
    [number] = recordings(pipeline)
    assert schemas(pipeline) == 1
    pipeline.warehouse.fail(number, 'ERROR: relation "dq_results" does not exist')
    ended(pipeline, number, "FAILED")
    assert len(recordings(pipeline)) == 2
    assert schemas(pipeline) == 2


def test_a_later_verdict_is_recorded_though_an_earlier_one_was_under_way(pipeline: Pipeline) -> None:
    batch = rejected(pipeline)
    pipeline.handle(job_ended("jr_0"))
    [first] = recordings(pipeline)
    again = pipeline.again(batch)
    verdict(pipeline, again, rows=61)
    pipeline.warehouse.finish(first, 0, 0)
    ended(pipeline, first)
    [waiting] = pipeline.ledger.verdicts(DATASET)
    assert (waiting.rows, waiting.epoch) == (61, again.epoch)
    _, second = recordings(pipeline)
    sqls = pipeline.warehouse.statements[second].sqls
    assert any(f"quality/{DATASET}/rows/{batch.batch_id}-e{again.epoch}.json" in sql for sql in sqls)


def test_a_busy_warehouse_keeps_the_verdict_waiting(pipeline: Pipeline) -> None:
    rejected(pipeline)
    pipeline.warehouse.busy = True
    pipeline.handle(job_ended("jr_0"))
    assert (recordings(pipeline), len(pipeline.ledger.verdicts(DATASET))) == ({}, 1)
    pipeline.warehouse.busy = False
    pipeline.handle(Tick())
    assert len(recordings(pipeline)) == 1
