"""The operator's commands: what they say, to people and to machines, and how they exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fakes import a_file
from fakes.pipeline import RAW, Pipeline
from gluebook.aws.logs import LogLine
from gluebook.cli import backfill, reconcile, replay, status
from gluebook.cli.app import app
from gluebook.cli.deployment import Deployment, raw_place
from gluebook.core.runs import FailedRun, failed_run_mark
from gluebook.core.states import BatchState, FileState
from gluebook.errors import ConfigurationError, TerminalError
from gluebook.operations.context import OperationsContext
from gluebook.operations.status import Overview, overview
from operator_kit import FakeFunctions, noted_in_warehouse, operations


class FakeLogs:
    """Why functions failed last, by name."""

    def __init__(self) -> None:
        self.failed: dict[str, LogLine] = {}

    def last_failure(self, function: str, since: datetime) -> LogLine | None:
        return self.failed.get(function)


class Deployed:
    """A deployment whose services are stand-ins."""

    raw_bucket = RAW

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.functions = FakeFunctions()
        self.logs = FakeLogs()

    def output(self, name: str) -> str:
        return f"gluebook-{name}"

    def operations(self) -> OperationsContext:
        return operations(self.pipeline, functions=self.functions)

    def overview(self) -> Overview:
        return overview(self.pipeline.ledger, self.pipeline.objects, self.pipeline.lake)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed()
    for command in (backfill, reconcile, replay, status):
        monkeypatch.setattr(command, "connect", lambda: made)
    return made


def gluebook(*words: str) -> Result:
    return CliRunner().invoke(app, words)  # type: ignore[return-value]


def told(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the JSON on stdout, which is all there is."""
    result = gluebook(*words, "--json")
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    answer: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, answer


# -- replay ------------------------------------------------------------------------------------------------


def test_replay_says_what_comes_again_and_what_rides_along(deployed: Deployed) -> None:
    files = [a_file(name) for name in ("one", "two")]
    batch = deployed.pipeline.batch(BatchState.LOADED, files=files)
    result = gluebook("replay", "--file", f"s3://{RAW}/{files[0].key}")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "Replayed 1 file version in 1 batch" in said
    assert f"{batch.batch_id}: LOADED in generation 1, next is 2" in said
    assert "Replayed with them, because they are in the same batches: 1 file version" in said
    assert "started run jr_1 of job job-logs" in said


def test_a_dry_run_shows_the_same_and_changes_nothing(deployed: Deployed) -> None:
    file = a_file("one")
    batch = deployed.pipeline.batch(BatchState.LOADED, files=[file])
    code, answer = told("replay", "--file", file.key, "--dry-run")
    assert (code, answer["dry_run"], answer["chosen"]) == (0, True, 1)
    assert [b["batch_id"] for b in answer["batches"]] == [batch.batch_id]
    assert deployed.pipeline.now(batch) == batch
    assert deployed.pipeline.jobs.started == []
    assert told("replay", "--file", file.key)[1]["dry_run"] is False


def test_replay_by_dataset_and_dates_finds_by_date_of_arrival(deployed: Deployed) -> None:
    for number in (1, 2, 3):
        deployed.pipeline.batch(BatchState.LOADED, files=[replace(a_file(), dt=f"2026-01-0{number}")])
    code, answer = told("replay", "--dataset", "app_logs", "--from", "2026-01-02", "--to", "2026-01-03")
    assert (code, answer["chosen"], len(answer["batches"])) == (0, 2, 2)


def test_replay_of_what_can_not_come_again_exits_with_1_and_says_why(deployed: Deployed) -> None:
    file = replace(a_file(), key="weblogs/x", dataset="", source="", dt="", state=FileState.FAILED)
    deployed.pipeline.ledger.register(file, "test")
    result = gluebook("replay", "--file", file.key)
    assert result.exit_code == 1
    assert "weblogs/x (v1): key_outside_convention" in " ".join(result.stdout.split())


def test_replay_of_nothing_known_is_an_error_that_names_it(deployed: Deployed) -> None:
    result = gluebook("replay", "--file", "app_logs/none")
    assert isinstance(result.exception, TerminalError)
    assert "app_logs/none" in str(result.exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "either --file KEY, or --dataset"),
        (("--file", "a", "--dataset", "app_logs"), "either --file KEY, or --dataset"),
        (("--file", "a", "--file", "b", "--version-id", "v"), "exactly one --file"),
        (("--dataset", "app_logs", "--version-id", "v"), "exactly one --file"),
        (("--file", "a", "--from", "2026-01-01"), "go with --dataset"),
        (("--file", "s3://elsewhere/a"), "isn't in the raw bucket of this stack"),
        (("--dataset", "weblogs"), "no dataset 'weblogs'"),
    ],
)
def test_a_choice_that_makes_no_sense_is_wrong_usage(
    deployed: Deployed, words: tuple[str, ...], says: str
) -> None:
    result = gluebook("replay", *words)
    assert isinstance(result.exception, ConfigurationError)
    assert says in str(result.exception)


def test_a_place_is_a_key_or_an_uri_in_the_raw_bucket() -> None:
    assert raw_place("a/b", "raw") == "a/b"
    assert raw_place("s3://raw/a/b", "raw") == "a/b"
    assert raw_place("s3://raw", "raw") == ""
    with pytest.raises(ConfigurationError):
        raw_place("s3://raw-other/a", "raw")


# -- backfill ----------------------------------------------------------------------------------------------


def test_backfill_counts_what_it_took_in(deployed: Deployed) -> None:
    deployed.pipeline.objects.put(RAW, "app_logs/mongod/dt=2026-01-05/1.json", b"{}")
    deployed.pipeline.objects.put(RAW, "old/stuff", b"{}")
    code, answer = told("backfill", "/")
    assert code == 0
    assert (answer["registered"], answer["known"], answer["refused"]) == (1, 0, 1)
    assert answer["started"]["app_logs"]["run"] == "jr_1"
    said = " ".join(gluebook("backfill", "/").stdout.split())
    assert "file versions: 0 registered, 2 known, 0 refused" in said


def test_backfill_wants_to_be_told_if_it_is_to_be_the_whole_bucket(deployed: Deployed) -> None:
    result = gluebook("backfill", "")
    assert isinstance(result.exception, ConfigurationError)
    assert "say /" in str(result.exception)


def test_backfill_stopped_by_ctrl_c_says_how_to_go_on(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.pipeline.objects.put(RAW, "app_logs/mongod/dt=2026-01-05/1.json", b"{}")

    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deployed.pipeline.jobs, "start", stop)
        result = gluebook("backfill", "app_logs/")
    assert result.exit_code != 0
    assert "the same command resumes from here" in result.stderr
    assert told("backfill", "app_logs/")[1]["known"] == 1


# -- reconcile ---------------------------------------------------------------------------------------------


def test_reconcile_exits_with_0_where_all_agrees(deployed: Deployed) -> None:
    result = gluebook("reconcile")
    assert (result.exit_code, "warehouse agree" in result.stdout) == (0, True)
    assert told("reconcile") == (
        0,
        {"differences": [], "repaired": [], "failed_repairs": [], "remaining": 0},
    )


def test_reconcile_tells_a_difference_with_meaning_and_way_out_and_exits_with_1(deployed: Deployed) -> None:
    deployed.pipeline.objects.put(RAW, "app_logs/mongod/dt=2026-01-05/[lost].json", b"{}")
    result = gluebook("reconcile")
    said = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "1 in the raw bucket, not in the ledger" in said
    assert "▸ --repair registers them" in said
    assert "app_logs/mongod/dt=2026-01-05/[lost].json" in said


def test_reconcile_exits_with_0_when_all_was_repaired_and_says_what_was(deployed: Deployed) -> None:
    deployed.pipeline.objects.put(RAW, "app_logs/mongod/dt=2026-01-05/lost.json", b"{}")
    code, answer = told("reconcile", "--repair")
    assert (code, answer["remaining"]) == (0, 0)
    assert answer["repaired"][0].startswith("registered 1 file versions")


def test_reconcile_exits_with_1_when_something_remains(deployed: Deployed) -> None:
    deployed.pipeline.batch(BatchState.LOADED)
    noted_in_warehouse(deployed.pipeline)
    code, answer = told("reconcile", "--repair")
    assert (code, answer["remaining"]) == (1, len(answer["differences"]))
    assert {d["kind"] for d in answer["differences"]} == {"not-in-warehouse", "missing-file"}


def test_of_many_differences_of_one_kind_twenty_are_shown(deployed: Deployed) -> None:
    for number in range(25):
        deployed.pipeline.objects.put(RAW, f"app_logs/mongod/dt=2026-01-05/{number:02d}.json", b"{}")
    said = gluebook("reconcile").stdout
    assert said.count(".json") == 20
    assert "... and 5 more" in said
    assert len(told("reconcile")[1]["differences"]) == 25


# -- status ------------------------------------------------------------------------------------------------


def test_status_failed_shows_only_what_a_person_should_look_at_with_its_reason(deployed: Deployed) -> None:
    broken, fine = a_file("broken"), a_file("fine")
    deployed.pipeline.curate(deployed.pipeline.carried(broken, fine), bad={broken.key: "not_gzip"})
    code, answer = told("status", "--failed")
    assert code == 0
    assert [(f["key"], f["state"], f["reason"]) for f in answer["files"]] == [
        (broken.key, "FAILED", "not_gzip")
    ]
    assert len(told("status")[1]["files"]) == 2


def test_status_tells_why_the_last_run_and_a_function_failed(deployed: Deployed) -> None:
    failed = FailedRun("jr_7", 0, "SelfCheckFailed: self-check: no chmod", 1)
    deployed.pipeline.ledger.set_mark(failed_run_mark("app_logs"), failed.to_text())
    at = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)
    deployed.logs.failed["gluebook-LoadFunction"] = LogLine(at, "stream", "KeyError: 'WORKGROUP'")
    lines = [
        "job gluebook-AppLogsJob, last run jr_7 failed: SelfCheckFailed: self-check: no chmod; "
        "`gluebook logs app_logs` shows more",
        "function gluebook-LoadFunction failed at 10:15:00 UTC: KeyError: 'WORKGROUP'; "
        "`gluebook logs load` shows more",
    ]
    assert told("status")[1]["failures"] == lines
    assert gluebook("status").stdout.splitlines() == ["No file has arrived yet.", *lines]
    deployed.pipeline.batch(BatchState.LOADED)
    assert gluebook("status", "--failed").stdout.splitlines() == lines


def test_status_shows_a_file_whose_batch_was_divided_with_the_reason(deployed: Deployed) -> None:
    files = [a_file(name) for name in ("one", "two")]
    pipeline = deployed.pipeline
    batch = pipeline.batch(BatchState.DIVIDING, files=files)
    assert {f["state"] for f in told("status")[1]["files"]} == {"DIVIDING"}
    for number, file in enumerate(pipeline.ledger.files_now(files), start=1):
        pipeline.ledger.release(batch, [file], f"{batch.batch_id}/{number}", "2026-01-05T11:00:00Z")
    pipeline.ledger.advance(
        batch, replace(batch, state=BatchState.DIVIDED, reason="load_failed: x"), "2026-01-05T11:00:00Z", "d"
    )
    shown = told("status")[1]["files"]
    assert {f["state"] for f in shown} == {"PENDING"}
    assert {f["reason"] for f in shown} == {f"batch {batch.batch_id} was divided: load_failed: x"}


def test_a_stack_from_another_template_is_told_by_the_output_it_lacks() -> None:
    with pytest.raises(ConfigurationError, match=r"no output SweepFunction: .* deploy it again"):
        Deployment({}).output("SweepFunction")


# -- as a process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("replay",), 2, "either --file KEY, or --dataset"),
        (("backfill", ""), 2, "for the whole bucket say /"),
        (("reconcile",), 2, "no laptop AWS is up"),
        (("replay", "--dataset", "app_logs", "--from", "yesterday"), 2, "yesterday"),
    ],
)
def test_errors_are_one_line_without_a_traceback(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    place = {**kept, "XDG_STATE_HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", "from gluebook.cli import main; main()", *words],
        env={**place, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert says in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


# -- one object's failure ----------------------------------------------------------------------------------

BAD, LATE = (f"app_logs/mongod/dt=2026-01-05/{name}" for name in ("bad.txt", "zzz/late.txt"))


@pytest.fixture
def refusing(deployed: Deployed) -> Deployed:
    """Two objects that nobody knows, of which the ledger refuses the first."""
    for key in (BAD, LATE):
        deployed.pipeline.objects.put(RAW, key, b"{}")
    deployed.pipeline.ledger.refuse(BAD)
    return deployed


def test_backfill_names_what_could_not_be_registered_and_exits_with_1(refusing: Deployed) -> None:
    result = gluebook("backfill", "/")
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    assert "1 registered" in said
    assert f"Could not be registered: 1 object; the same command tries again: {BAD}: An error" in said
    code, answer = told("backfill", "/")
    assert (code, answer["known"], [one["key"] for one in answer["failed"]]) == (1, 1, [BAD])
    refusing.pipeline.ledger.refuse()
    code, answer = told("backfill", "/")
    assert (code, answer["registered"], answer["failed"]) == (0, 1, [])


def test_repair_registers_what_it_can_names_the_rest_and_exits_with_1(refusing: Deployed) -> None:
    code, answer = told("reconcile", "--repair")
    assert code == 1
    assert [file.key for file in refusing.pipeline.ledger.pending("app_logs", 10)] == [LATE]
    assert [line.split(":")[0] for line in answer["failed_repairs"]] == [f"could not register {BAD}"]
    assert answer["remaining"] >= 1
    refusing.pipeline.ledger.refuse()
    told("reconcile", "--repair")
    assert {file.key for file in refusing.pipeline.ledger.pending("app_logs", 10)} == {LATE, BAD}
