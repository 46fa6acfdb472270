"""Glue's interactive sessions: statements are really run, one after the other, as the session's role."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.players_kit import Aws, aws, closing, eventually
from localaws.processes import is_alive
from localaws.sessions import Sessions, repl

__all__ = ["aws"]
COMMAND = {"Name": "glueetl", "PythonVersion": "3"}


@pytest.fixture
def sessions(aws: Aws) -> Iterator[Sessions]:
    with closing(Sessions(aws.endpoint, aws.roles, minute_seconds=0.5)) as player:
        yield player


class Client:
    """One session, as the kernel of AWS Glue works with it."""

    def __init__(self, aws: Aws, name: str, **more: Any) -> None:
        self.glue = aws.client("glue")
        self.name = name
        self.glue.create_session(Id=name, Role=aws.role("analyst"), Command=COMMAND, **more)

    def session(self) -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_session(Id=self.name)["Session"]
        return found

    def is_in(self, status: str) -> dict[str, Any]:
        eventually(lambda: self.session()["Status"] == status, f"{self.name} is {status}: {self.session()}")
        return self.session()

    def start(self, code: str) -> int:
        self.is_in("READY")
        number: int = self.glue.run_statement(SessionId=self.name, Code=code)["Id"]
        return number

    def statement(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_statement(SessionId=self.name, Id=number)["Statement"]
        return found

    def began(self, number: int) -> bool:
        return bool(self.statement(number)["State"] != "WAITING")

    def output(self, number: int) -> dict[str, Any]:
        eventually(
            lambda: self.statement(number)["State"] in ("AVAILABLE", "CANCELLED", "ERROR"),
            f"statement {number}",
        )
        found: dict[str, Any] = self.statement(number)["Output"]
        return found

    def run(self, code: str) -> dict[str, Any]:
        return self.output(self.start(code))


def text(output: dict[str, Any]) -> str:
    assert output["Status"] == "ok", output
    found: str = output["Data"]["TextPlain"]
    return found


@pytest.mark.usefixtures("sessions")
def test_statements_share_names_and_show_what_they_print_and_their_last_value(aws: Aws) -> None:
    client = Client(aws, "shared")
    assert text(client.run("x = 20\ndef double(y):\n    return y * 2")) == ""
    assert text(client.run("print('so')\ndouble(x) + 2")) == "so\n42\n"
    assert text(client.run("None")) == ""
    shown = client.statement(2)
    assert (shown["State"], shown["Code"], shown["Progress"]) == (
        "AVAILABLE",
        "print('so')\ndouble(x) + 2",
        1.0,
    )
    assert shown["CompletedOn"] >= shown["StartedOn"] > 1_700_000_000_000
    assert [one["Id"] for one in client.glue.list_statements(SessionId="shared")["Statements"]] == [1, 2, 3]


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("print('before')\n1 / 0", "ZeroDivisionError", "division by zero"),
        ("x = = 1", "SyntaxError", "invalid syntax"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("import gluebook", "ModuleNotFoundError", "No module named 'gluebook'"),
    ],
)
def test_a_statement_that_fails_says_how_and_the_session_goes_on(
    aws: Aws, code: str, name: str, value: str
) -> None:
    client = Client(aws, "failing")
    output = client.run(code)
    assert (output["Status"], output["ErrorName"]) == ("error", name)
    assert value in output["ErrorValue"] and any(name in line for line in output["Traceback"])
    assert ("before" in output["Data"]["TextPlain"]) == ("before" in code)
    assert text(client.run("1 + 1")) == "2\n"


@pytest.mark.usefixtures("sessions")
def test_a_session_works_as_its_role_and_finds_what_its_arguments_name(aws: Aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lib")
    s3.put_object(Bucket="lib", Key="extra.py", Body=b"ANSWER = 42")
    client = Client(aws, "role", DefaultArguments={"--extra-py-files": "s3://lib/extra.py"})
    assert text(client.run("import extra\nextra.ANSWER")) == "42\n"
    code = "import boto3, awsglue.utils\nboto3.client('s3').list_buckets()['Buckets'][0]['Name']"
    assert text(client.run(code)) == "'lib'\n"
    assert ("s3", "GET") in aws.operations("ASIAANALYST")
    assert aws.roles.asked[-1][1] == "glue.amazonaws.com"


def test_a_session_that_cannot_be_made_is_failed_with_its_reason(aws: Aws, sessions: Sessions) -> None:
    aws.roles.refused.add("analyst")
    assert "may not assume" in Client(aws, "refused").is_in("FAILED")["ErrorMessage"]
    aws.roles.refused.clear()
    missing = Client(aws, "missing", DefaultArguments={"--extra-py-files": "s3://nowhere/x.py"})
    assert "NoSuchBucket" in missing.is_in("FAILED")["ErrorMessage"]
    jars = Client(aws, "jars", DefaultArguments={"--extra-jars": "s3://b/x.jar"})
    assert "--extra-jars" in jars.is_in("FAILED")["ErrorMessage"]
    with pytest.raises(ClientError, match="IllegalSessionStateException"):
        jars.glue.run_statement(SessionId="jars", Code="1")
    assert sessions.idle() and not sessions.pids()


def test_stopping_a_session_ends_its_process_and_what_it_runs(aws: Aws, sessions: Sessions) -> None:
    client = Client(aws, "stopped")
    client.run("import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])")
    child = int(text(client.run("child.pid")))
    leader = sessions.running()["stopped"]
    running, waiting = client.start("time.sleep(600)"), client.start("1")
    assert not sessions.idle()
    client.glue.stop_session(Id="stopped")
    client.is_in("STOPPED")
    assert not any(is_alive(pid) for pid in (child, leader))
    assert [client.statement(number)["State"] for number in (running, waiting)] == ["CANCELLED"] * 2
    assert sessions.idle()
    with pytest.raises(ClientError, match="IllegalSessionStateException"):
        client.glue.stop_session(Id="stopped")
    client.glue.delete_session(Id="stopped")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        client.session()


@pytest.fixture
def ignored() -> Iterator[None]:
    """SIGINT and SIGTERM are ignored, as in what a script starts with `&`; by all processes that are started now."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("ignored")
def test_a_session_that_inherits_ignored_signals_is_interrupted_and_ended_by_them(
    aws: Aws, sessions: Sessions
) -> None:
    client = Client(aws, "deaf")
    child = int(text(client.run("import subprocess, time\nsubprocess.Popen(['sleep', '600']).pid")))
    number = client.start("time.sleep(600)")
    client.glue.cancel_statement(SessionId="deaf", Id=number)
    assert client.output(number)["ErrorName"] == "KeyboardInterrupt"
    os.kill(sessions.running()["deaf"], signal.SIGTERM)
    assert "process has ended" in client.is_in("FAILED")["ErrorMessage"]
    assert not is_alive(child)


@pytest.mark.usefixtures("sessions")
def test_a_cancelled_statement_stops_and_the_session_goes_on(aws: Aws) -> None:
    client = Client(aws, "cancelled")
    number, waiting = client.start("import time\ntime.sleep(600)"), client.start("1")
    eventually(lambda: client.statement(number)["State"] == "RUNNING")
    client.glue.cancel_statement(SessionId="cancelled", Id=waiting)
    client.glue.cancel_statement(SessionId="cancelled", Id=number)
    assert client.output(number)["ErrorName"] == "KeyboardInterrupt"
    assert client.statement(number)["State"] == client.statement(waiting)["State"] == "CANCELLED"
    assert text(client.run("2")) == "2\n"


def test_a_statement_cancelled_before_its_process_gets_to_it_stops_as_well(
    aws: Aws, sessions: Sessions
) -> None:
    client = Client(aws, "busy")
    client.run("import time")
    pid = sessions.running()["busy"]
    os.kill(pid, signal.SIGSTOP)  # as on a busy machine, where it has to wait for its turn
    number = client.start("time.sleep(600)")
    eventually(lambda: client.statement(number)["State"] == "RUNNING")
    client.glue.cancel_statement(SessionId="busy", Id=number)
    eventually(lambda: _pending(pid) & 1 << (signal.SIGINT - 1), "the first interrupt")
    os.kill(pid, signal.SIGCONT)
    assert client.output(number)["ErrorName"] == "KeyboardInterrupt"
    assert text(client.run("2")) == "2\n"


def _pending(pid: int) -> int:
    """The signals that wait for a process, as a set of bits."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("ShdPnd:")]
    return int(line.split()[1], 16)


@pytest.mark.usefixtures("sessions")
def test_a_session_that_nobody_uses_times_out(aws: Aws) -> None:
    idle = Client(aws, "idle", IdleTimeout=1)
    idle.is_in("TIMEOUT")
    # By this code the kernel of AWS Glue knows that it may make another session.
    with pytest.raises(ClientError, match="InvalidInputException"):
        idle.glue.run_statement(SessionId="idle", Code="1")


def test_a_session_that_has_had_its_time_ends_whatever_it_runs(aws: Aws, sessions: Sessions) -> None:
    client = Client(aws, "long", Timeout=8)
    number = client.start("import time\ntime.sleep(600)")
    client.is_in("TIMEOUT")
    assert client.statement(number)["State"] == "CANCELLED"
    assert sessions.idle() and not sessions.pids()


@pytest.mark.usefixtures("sessions")
def test_a_session_whose_process_dies_is_failed(aws: Aws) -> None:
    client = Client(aws, "dying")
    number = client.start("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert "process has ended" in client.is_in("FAILED")["ErrorMessage"]
    assert client.statement(number)["State"] == "ERROR"
    assert "process has ended" in client.output(number)["ErrorValue"]


@pytest.mark.usefixtures("sessions")
def test_a_statement_that_is_cancelled_just_when_it_ends_is_answered_all_the_same(aws: Aws) -> None:
    client = Client(aws, "racing")
    client.run("import time")
    for _ in range(20):
        number = client.start("time.sleep(0.02)")
        eventually(partial(client.began, number))
        client.glue.cancel_statement(SessionId="racing", Id=number)
        client.output(number)
    assert text(client.run("1 + 1")) == "2\n"


def test_an_interrupt_stops_statements_and_never_their_answer() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        interrupts = repl._Interrupts()
        signal.raise_signal(signal.SIGINT)  # nothing runs: nobody notices
        code = "import signal\nsignal.raise_signal(signal.SIGINT)"
        assert repl.run(code, {}, interrupts)["error"] == "KeyboardInterrupt"
        # What a library makes of the signal, as Spark does, is kept to statements.
        told: dict[str, list[int]] = {"told": []}
        assert "error" not in repl.run(
            "import signal\nsignal.signal(signal.SIGINT, lambda *_: told.append(1))", told, interrupts
        )
        signal.raise_signal(signal.SIGINT)
        assert told["told"] == []
        repl.run("signal.raise_signal(signal.SIGINT)", told, interrupts)
        assert told["told"] == [1]
    except KeyboardInterrupt:  # it would end the whole run of tests
        pytest.fail("an interrupt got out of a statement")
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sessions")
def test_of_a_long_output_the_beginning_is_kept_and_the_rest_counted(aws: Aws) -> None:
    output = text(Client(aws, "long").run("for _ in range(30):\n    print('x' * 99_999)"))
    assert output.startswith("x" * 99_999 + "\n") and output.endswith("... and 2,000,000 characters more")
    assert len(output) < 1_000_100


@pytest.mark.usefixtures("sessions")
def test_what_is_defined_in_a_session_can_be_pickled_and_spark_is_only_made_if_nobody_else_has(
    aws: Aws,
) -> None:
    client = Client(aws, "module")
    client.run("import pickle\nclass Point:\n    pass\nspark = 'mine'")
    assert text(client.run("type(pickle.loads(pickle.dumps(Point()))).__name__")) == "'Point'\n"
    assert text(client.run("def asked():\n    return spark\nasked()")) == "'mine'\n"
    assert client.run("nothing")["ErrorName"] == "NameError"
    assert text(client.run("import sys\n'pyspark' in sys.modules")) == "False\n"


@pytest.mark.usefixtures("sessions")
def test_sessions_are_listed_newest_first_in_pages_and_by_tag(aws: Aws) -> None:
    for name in ("one", "two", "three"):
        Client(aws, name, Tags={"owner": "ada" if name == "two" else "bob"})
    glue = aws.client("glue")
    first = glue.list_sessions(MaxResults=2)
    assert first["Ids"] == ["three", "two"]
    rest = glue.list_sessions(MaxResults=2, NextToken=first["NextToken"])
    assert (rest["Ids"], "NextToken" in rest) == (["one"], False)
    assert glue.list_sessions(Tags={"owner": "ada"})["Ids"] == ["two"]


@pytest.mark.usefixtures("sessions")
def test_what_is_not_there_or_not_possible_is_refused_in_glues_words(aws: Aws) -> None:
    glue, client = aws.client("glue"), Client(aws, "there")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_session(Id="nowhere")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        Client(aws, "there")
    with pytest.raises(ClientError, match="InvalidInputException"):
        Client(aws, "no id")
    with pytest.raises(ClientError, match="only glueetl is supported"):
        glue.create_session(Id="x", Role=aws.role("analyst"), Command={"Name": "gluestreaming"})
    client.is_in("READY")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        client.statement(1)
    with pytest.raises(ClientError, match="longer than 68000 characters"):
        client.start("#" * 68_001)
    with pytest.raises(ClientError, match="IllegalSessionStateException"):
        glue.delete_session(Id="there")
    assert glue.list_sessions()["Ids"] == ["there"]
