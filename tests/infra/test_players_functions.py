"""Deployed functions run, cut off from this machine, and fail as they would on AWS."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.players_kit import Aws, aws, closing, eventually, zipped  # noqa: F401
from localaws.functions import FunctionError, Functions

ECHO = "def handler(event, context): return event"


@pytest.fixture
def functions(aws: Aws) -> Iterator[Functions]:  # noqa: F811
    with closing(Functions(aws.endpoint, aws.roles, retry_delays_seconds=(0.05, 0.05))) as made:
        yield made


def test_a_function_gets_the_event_and_its_result_comes_back(aws: Aws, functions: Functions) -> None:  # noqa: F811
    arn = aws.function("echo", ECHO)
    event = {"text": "äöü", "deep": [1, {"a": None}], "long": "x" * 300_000}
    assert functions.invoke("echo", event) == event
    assert functions.invoke(arn, 1) == 1
    assert functions.idle()


def test_what_a_function_prints_is_in_its_log_group(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function("talker", "def handler(event, context):\n    print('heard', event)\n    assert event != 'x'")
    functions.invoke("talker", "hello")
    with pytest.raises(FunctionError):
        functions.invoke("talker", "x")

    def logged() -> list[str]:
        found = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/talker")["events"]
        return [one["message"] for one in found]

    # What is printed last may be written with the next invocation only.
    functions.invoke("talker", "bye")
    assert "heard hello" in logged()
    assert [line.split()[0] for line in logged()].count("REPORT") == 3
    assert any(line.startswith("[ERROR] AssertionError") for line in logged())


def test_a_worker_stays_warm_and_is_replaced_when_code_or_configuration_change(
    aws: Aws,  # noqa: F811
    functions: Functions,
) -> None:
    code = """
        import os
        seen = []
        def handler(event, context):
            seen.append(event)
            return [os.getpid(), len(seen), os.environ.get("A")]
    """
    aws.function("warm", code)
    first = functions.invoke("warm", {})
    assert functions.invoke("warm", {}) == [first[0], 2, None]
    assert functions.pids("warm") == [first[0]]
    client = aws.client("lambda")
    client.update_function_configuration(FunctionName="warm", Environment={"Variables": {"A": "new"}})
    second = functions.invoke("warm", {})
    assert second[1:] == [1, "new"]
    client.update_function_code(FunctionName="warm", ZipFile=zipped({"handler.py": ECHO}))
    assert functions.invoke("warm", {"now": "other code"}) == {"now": "other code"}
    assert {first[0], second[0]}.isdisjoint(functions.pids("warm"))


def test_a_function_sees_its_own_variables_its_roles_credentials_and_nothing_of_the_host(
    aws: Aws,  # noqa: F811
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    aws.function(
        "environment",
        "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"LEDGER": "table"}},
    )
    got = functions.invoke("environment", {})
    expected = {
        "LEDGER": "table",
        "AWS_ACCESS_KEY_ID": "ASIAENVIRONMENT-ROLE",
        "AWS_ENDPOINT_URL": aws.endpoint.url,
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "environment",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "TZ": ":UTC",
    }
    assert {name: got.get(name) for name in expected} == expected
    # LC_CTYPE is Python's own doing, where a machine hasn't got Lambda's locale.
    assert {name for name in got if not name.startswith(("AWS_", "_"))} - {"LC_CTYPE"} == {
        *("LEDGER", "PATH", "LANG", "TZ", "TMPDIR", "LAMBDA_TASK_ROOT")
    }
    assert aws.roles.asked[0][1:] == ("lambda.amazonaws.com", "environment")


def test_a_function_that_imports_what_lambda_hasnt_got_fails_as_there(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function("importer", f"import pandas\n{ECHO}")
    with pytest.raises(FunctionError) as caught:
        functions.invoke("importer", {})
    assert caught.value.error_type == "Runtime.ImportModuleError"
    assert caught.value.message == "Unable to import module 'handler': No module named 'pandas'"
    assert functions.pids() == []


def test_neither_site_packages_nor_the_checkout_are_importable(aws: Aws, functions: Functions) -> None:  # noqa: F811
    code = """
        import importlib
        def handler(names, context):
            found = []
            for name in names:
                try:
                    found.append(importlib.import_module(name).__name__)
                except ModuleNotFoundError:
                    pass
            return found
    """
    aws.function("importer", code)
    names = ["pandas", "moto", "localaws", "gluebook", "pip", "pytest", "infra", "boto3", "six", "sqlite3"]
    assert functions.invoke("importer", names) == ["boto3", "six", "sqlite3"]


def test_boto3_and_layers_are_importable_and_the_function_comes_before_its_layers(
    aws: Aws,  # noqa: F811
    functions: Functions,
) -> None:
    files = {"python/helper.py": "where = 'layer'", "python/both.py": "where = 'layer'"}
    layer = aws.client("lambda").publish_layer_version(LayerName="l", Content={"ZipFile": zipped(files)})
    code = """
        import boto3, both, helper
        def handler(event, context):
            boto3.client("sqs").list_queues()
            return [helper.where, both.where]
    """
    aws.function("layered", ECHO, Layers=[layer["LayerVersionArn"]], Timeout=20)
    aws.client("lambda").update_function_code(
        FunctionName="layered", ZipFile=zipped({"handler.py": code, "both.py": "where = 'function'"})
    )
    assert functions.invoke("layered", {}) == ["layer", "function"]
    assert ("sqs", "ListQueues") in aws.operations("ASIALAYERED-ROLE")


def test_a_library_that_a_function_brings_along_wins_over_lambdas_own(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function("own", ECHO)
    files = {
        "handler.py": "import six\ndef handler(event, context): return six.where",
        "six.py": "where = 'function'",
    }
    aws.client("lambda").update_function_code(FunctionName="own", ZipFile=zipped(files))
    assert functions.invoke("own", {}) == "function"


def test_the_context_tells_what_lambda_tells(aws: Aws, functions: Functions) -> None:  # noqa: F811
    code = """
        def handler(event, context):
            return [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
                    len(context.aws_request_id), 0 < context.get_remaining_time_in_millis() <= 7000]
    """
    arn = aws.function("context", code, Timeout=7, MemorySize=256)
    assert functions.invoke("context", {}) == ["context", arn, "256", 36, True]


def test_what_a_function_prints_is_logged_and_does_not_disturb_its_answer(
    aws: Aws,  # noqa: F811
    functions: Functions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "localaws.functions")
    code = """
        import logging, os, subprocess, sys
        logging.getLogger().setLevel("INFO")
        def handler(event, context):
            print('{"result": "forged"}')
            os.write(1, b"from the descriptor\\n")
            subprocess.run(["echo", "from a child"])
            print("read:", repr(sys.stdin.read()))
            logging.info("from logging")
            return "true answer"
    """
    aws.function("chatty", code)
    assert functions.invoke("chatty", {}) == "true answer"

    def is_logged(text: str) -> bool:
        return text in caplog.text

    for text in ("forged", "from the descriptor", "from a child", "read: ''", "[INFO]"):
        eventually(partial(is_logged, text), text)
    assert {record.name for record in caplog.records if "forged" in record.message} == {
        "localaws.functions.chatty"
    }


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("def handler(event, context): raise ValueError('bad row')", "ValueError", "bad row"),
        ("def handler(event, context): return object()", "Runtime.MarshalError", "not JSON serializable"),
        (
            "def other(event, context): pass",
            "Runtime.HandlerNotFound",
            "'handler' missing on module 'handler'",
        ),
        ("def handler(event, context) return", "Runtime.UserCodeSyntaxError", "handler"),
        ("raise KeyError('at import')", "KeyError", "at import"),
        ("import sys\ndef handler(event, context): sys.exit(3)", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_an_error_is_named_as_lambda_names_it(
    aws: Aws,  # noqa: F811
    functions: Functions,
    code: str,
    kind: str,
    message: str,
) -> None:
    aws.function("failing", code)
    with pytest.raises(FunctionError) as caught:
        functions.invoke("failing", {})
    assert caught.value.error_type == kind
    assert message in caught.value.message


def test_an_error_has_the_stack_of_the_handler_only(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function(
        "failing", "def handler(event, context):\n    deeper()\ndef deeper():\n    raise ValueError('x')"
    )
    with pytest.raises(FunctionError) as caught:
        functions.invoke("failing", {})
    assert [line.split("in ")[1].split("\n")[0] for line in caught.value.stack] == ["handler", "deeper"]


def test_a_function_that_takes_too_long_is_killed_and_the_next_invocation_gets_a_new_worker(
    aws: Aws,  # noqa: F811
    functions: Functions,
) -> None:
    code = "import os, time\ndef handler(event, context):\n time.sleep(event)\n return os.getpid()"
    aws.function("slow", code, Timeout=1)
    before = functions.invoke("slow", 0)
    with pytest.raises(FunctionError, match=r"Sandbox.Timedout: .* Task timed out after 1.00 seconds"):
        functions.invoke("slow", 60)
    assert functions.pids() == []
    assert functions.invoke("slow", 0) != before


def test_a_worker_killed_from_outside_fails_its_invocation_and_the_next_one_works(
    aws: Aws,  # noqa: F811
    functions: Functions,
    tmp_path: Path,
) -> None:
    mark = tmp_path / "running"
    code = f"""
        import time
        def handler(event, context):
            if event:
                open({str(mark)!r}, "w").close()
                time.sleep(60)
            return "ok"
    """
    aws.function("victim", code, Timeout=100)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(functions.invoke, "victim", True)
        eventually(mark.exists)
        (pid,) = functions.pids("victim")
        assert not functions.idle()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(FunctionError, match=r"Runtime.ExitError: .* signal: killed"):
            running.result(20)
    assert functions.invoke("victim", False) == "ok"
    (pid,) = functions.pids("victim")
    os.kill(pid, signal.SIGKILL)  # at rest
    eventually(lambda: functions.pids("victim") == [])
    assert functions.invoke("victim", False) == "ok"


def test_not_more_workers_than_the_limit_run_at_once(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function(
        "busy", "import os, time\ndef handler(event, context):\n time.sleep(0.2)\n return os.getpid()"
    )
    with ThreadPoolExecutor(6) as threads:
        pids = list(threads.map(lambda _: functions.invoke("busy", {}), range(6)))
    assert len(set(pids)) == 2
    assert len(functions.pids()) == 2


def test_a_function_whose_role_lambda_may_not_assume_does_not_run(aws: Aws, functions: Functions) -> None:  # noqa: F811
    aws.function("lonely", ECHO)
    aws.roles.refused.add("lonely-role")
    with pytest.raises(FunctionError, match="cannot be assumed by Lambda"):
        functions.invoke("lonely", {})
    aws.roles.refused.clear()
    assert functions.invoke("lonely", 1) == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Runtime": "nodejs20.x"}, "nodejs20.x"),
        ({"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}}, "AWS_REGION"),
    ],
)
def test_a_function_that_isnt_supported_is_refused_by_name(
    aws: Aws,  # noqa: F811
    functions: Functions,
    settings: dict[str, Any],
    named: str,
) -> None:
    aws.function("odd", ECHO)
    aws.client("lambda").update_function_configuration(FunctionName="odd", **settings)
    with pytest.raises(FunctionError, match=named):
        functions.invoke("odd", {})
    with pytest.raises(FunctionError, match="ResourceNotFound"):
        functions.invoke("missing", {})
    with pytest.raises(FunctionError, match="versions and aliases"):
        functions.invoke("odd:7", {})


COUNTING = """
    import pathlib
    def handler(event, context):
        with open(event["file"], "a") as file:
            file.write("x")
        if len(pathlib.Path(event["file"]).read_text()) < event["works_at"]:
            raise RuntimeError("not yet")
"""


def test_an_asynchronous_failure_is_retried_twice(aws: Aws, functions: Functions, tmp_path: Path) -> None:  # noqa: F811
    aws.function("flaky", COUNTING)
    good, bad = tmp_path / "good", tmp_path / "bad"
    functions.invoke_async("flaky", {"file": str(good), "works_at": 3})
    functions.invoke_async("flaky", {"file": str(bad), "works_at": 9})
    assert not functions.idle()
    eventually(functions.idle)
    assert (good.read_text(), bad.read_text()) == ("xxx", "xxx")
    assert functions.exhausted() == {"flaky": 1}


def test_a_given_up_event_goes_to_the_on_failure_queue_by_the_functions_role(
    aws: Aws,  # noqa: F811
    functions: Functions,
    tmp_path: Path,
) -> None:
    aws.function("flaky", COUNTING)
    url, arn = aws.queue("failed")
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName="flaky",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    event = {"file": str(tmp_path / "bad"), "works_at": 9}
    functions.invoke_async("flaky", event)
    eventually(functions.idle)
    (record,) = [json.loads(body) for body in aws.messages(url)]
    assert record["requestPayload"] == event
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"]["errorMessage"] == "not yet"
    assert ("sqs", "SendMessage") in aws.operations("ASIAFLAKY-ROLE")


def test_invoke_by_the_api_runs_the_function(aws: Aws, functions: Functions, tmp_path: Path) -> None:  # noqa: F811
    aws.function("flaky", COUNTING)
    client = aws.client("lambda")
    payload = json.dumps({"file": str(tmp_path / "f"), "works_at": 2})
    failed = client.invoke(FunctionName="flaky", Payload=payload)
    assert (failed["FunctionError"], json.load(failed["Payload"])["errorMessage"]) == ("Unhandled", "not yet")
    done = client.invoke(FunctionName="flaky", Payload=payload)
    assert ("FunctionError" in done, json.load(done["Payload"])) == (False, None)
    assert client.invoke(FunctionName="flaky", InvocationType="Event", Payload=payload)["StatusCode"] == 202
    eventually(functions.idle)
    assert (tmp_path / "f").read_text() == "xxx"


def test_close_ends_busy_and_resting_workers_and_leaves_nothing_behind(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    temp: Path,
) -> None:
    threads_before = set(threading.enumerate())
    mark = tmp_path / "running"
    code = f"import time\ndef handler(event, context):\n if event: open({str(mark)!r}, 'w').close(); time.sleep(60)"
    aws.function("long", code, Timeout=100)
    functions = Functions(aws.endpoint, aws.roles)
    functions.invoke("long", False)
    functions.invoke_async("long", {"wait": True})
    eventually(mark.exists)
    pids = functions.pids()
    functions.close()
    assert pids and not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert list(temp.iterdir()) == []
    ours = [one for one in set(threading.enumerate()) - threads_before if one.name.startswith("localaws")]
    assert ours == []
