"""Job runs and function workers are killed in the middle of their work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from infra.stack_kit import Stage, eventually, running_stage, stage, unique  # noqa: F401
from localaws.processes import is_alive, kill_session

# Says where its files are and what it has started, in groups of their own too, and waits.
SCRIPT = """
import boto3, json, os, pathlib, subprocess, sys, tempfile, threading
leave = ["sh", "-c", "touch $TMPDIR/left; exec sleep 600"]
children = [
    subprocess.Popen(leave),
    subprocess.Popen(leave, process_group=0),
]
told = {"children": [one.pid for one in children], "folder": str(pathlib.Path(tempfile.gettempdir()).parent)}
told["spark"] = os.environ["SPARK_LOCAL_DIRS"]
boto3.client("s3").put_object(Bucket=sys.argv[sys.argv.index("--told") + 1], Key="x", Body=json.dumps(told))
threading.Event().wait(600)
"""


def test_a_killed_run_fails_with_its_event_and_leaves_nothing_behind(stage: Stage) -> None:  # noqa: F811
    told, job = stage.bucket(events=False), unique("job")
    url, arn = stage.queue()
    stage.rule("aws.glue", arn)
    stage.client("s3").put_object(Bucket=told, Key="script.py", Body=SCRIPT.encode())
    stage.client("glue").create_job(
        Name=job,
        Role=stage.role("glue", "s3:*"),
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{told}/script.py"},
    )
    run_id = stage.client("glue").start_job_run(JobName=job, Arguments={"--told": told})["JobRunId"]
    eventually(lambda: len(stage.lines(told)) == 2, seconds=30)
    (said,) = (json.loads(line) for line in stage.lines(told) if line.startswith("{"))
    assert list(stage.aws.jobs.running()) == [run_id]
    assert all(is_alive(pid) for pid in said["children"])
    assert said["spark"].startswith(said["folder"])

    os.kill(stage.aws.jobs.running()[run_id], signal.SIGKILL)
    assert stage.aws.wait_idle(30)
    run = stage.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
    assert (run["JobRunState"], "SIGKILL" in run["ErrorMessage"]) == ("FAILED", True)
    assert not any(is_alive(pid) for pid in said["children"])
    assert not Path(said["folder"]).exists()
    assert stage.aws.jobs.running() == {}
    details = [json.loads(body)["detail"] for body in stage.bodies(url)]
    assert [(one["jobRunId"], one["state"]) for one in details] == [(run_id, "FAILED")]


def test_killing_a_session_that_is_gone_is_no_error() -> None:

    done = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    done.wait()
    kill_session(done.pid)


# Waits in its first invocations, so that it can be killed; tells of each.
SLOW = """
    import boto3, json, threading
    s3 = boto3.client("s3")
    def handler(event, context):
        told = s3.list_object_versions(Bucket="{told}").get("Versions", [])
        body = json.dumps(event.get("n", [one["body"] for one in event.get("Records", [])]))
        s3.put_object(Bucket="{told}", Key="x", Body=body.encode())
        if len(told) < {waits}:
            threading.Event().wait(25)
    """


def slow(told: str, waits: int) -> str:
    return SLOW.format(told=told, waits=waits)


def kill_one(stage: Stage, name: str, told: str, invocation: int) -> None:  # noqa: F811
    """Kill the function's worker in the middle of its n-th invocation."""
    eventually(lambda: len(stage.lines(told)) == invocation, seconds=30)
    (pid,) = stage.aws.functions.running(name)
    os.kill(pid, signal.SIGKILL)


def test_an_asynchronous_invocation_is_retried_twice_when_its_worker_is_killed(stage: Stage) -> None:  # noqa: F811
    told = stage.bucket(events=False)
    name = stage.function(slow(told, 3), "s3:*")
    stage.aws.functions.invoke_async(name, {"n": 7})
    for invocation in (1, 2, 3):
        kill_one(stage, name, told, invocation)
    assert stage.aws.wait_idle(20)  # at once, long before the function's timeout
    assert stage.lines(told) == ["7"] * 3
    assert stage.aws.functions.exhausted()[name] == 1


def test_messages_come_again_when_the_worker_that_had_them_is_killed(stage: Stage) -> None:  # noqa: F811
    told = stage.bucket(events=False)
    stage.aws.faults.visibility(1)
    url, _, name = stage.mapped(slow(told, 1), "s3:*", queue={"VisibilityTimeout": "720"})
    stage.client("sqs").send_message(QueueUrl=url, MessageBody="again")
    kill_one(stage, name, told, 1)
    assert not stage.aws.idle()
    assert stage.aws.wait_idle(20)
    assert stage.lines(told) == ['["again"]'] * 2


def test_a_synchronous_invocation_tells_at_once_that_its_worker_was_killed(stage: Stage) -> None:  # noqa: F811

    told = stage.bucket(events=False)
    name = stage.function(slow(told, 1), "s3:*")
    with ThreadPoolExecutor(1) as pool:
        answer: Any = pool.submit(stage.client("lambda").invoke, FunctionName=name, Payload=b'{"n": 1}')
        kill_one(stage, name, told, 1)
        found = answer.result(timeout=10)
    assert found["FunctionError"] == "Unhandled"
    assert json.loads(found["Payload"].read())["errorType"] == "Runtime.ExitError"
    assert stage.aws.functions.running(name) == []
    again = stage.client("lambda").invoke(FunctionName=name, Payload=b'{"n": 2}')
    assert "FunctionError" not in again


def test_a_delayed_message_to_its_own_queue_is_taken_when_its_time_has_come(stage: Stage) -> None:  # noqa: F811
    told = stage.bucket(events=False)
    url, _, _ = stage.mapped(
        f"""
        import boto3, time
        s3, sqs = boto3.client("s3"), boto3.client("sqs")
        def handler(event, context):
            (one,) = event["Records"]
            s3.put_object(Bucket="{told}", Key="x", Body=f"{{one['body']}} {{time.time()}}".encode())
            if one["body"] == "first":
                name = one["eventSourceARN"].rpartition(":")[2]
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody="second", DelaySeconds=1)
        """,
        "s3:PutObject",
    )
    stage.client("sqs").send_message(QueueUrl=url, MessageBody="first")
    assert stage.aws.wait_idle(30)  # nobody wakes the poller, and nobody is idle meanwhile
    (first, began), (second, ended) = (line.split() for line in stage.lines(told))
    assert (first, second) == ("first", "second")
    assert 1 <= float(ended) - float(began) < 10


def test_a_delayed_message_keeps_the_laptop_from_being_idle(stage: Stage) -> None:  # noqa: F811
    url, _, _ = stage.mapped("def handler(event, context): pass")
    entries = [{"Id": "1", "MessageBody": "x", "DelaySeconds": 900}]
    stage.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    eventually(stage.aws.mappings.idle)
    assert (stage.aws.mappings.empty(), stage.aws.idle()) == (False, False)
    stage.client("sqs").purge_queue(QueueUrl=url)
    assert stage.aws.wait_idle(10)
