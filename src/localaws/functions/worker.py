"""The program inside a function's warm worker: imports the handler once, then answers invocations.

`python -I -S -B worker.py SETTINGS ANSWERS`, in the environment that AWS Lambda sets. SETTINGS is JSON: {"first":
[paths before the standard library], "last": [paths after it], "function_arn": text}; ANSWERS is the number of an open
file descriptor. It reads lines of JSON from what was its standard input, and answers each with one to ANSWERS:

  worker ▸ {"ready": true} or {"error": {...}}, once
  parent ▸ {"request_id": str, "event": any, "deadline": seconds since the epoch}
  worker ▸ {"result": any} or {"error": {"errorType": str, "errorMessage": str, "stackTrace": [str]}}

Only the standard library may be imported here: everything else is the function's own.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO


class LambdaContext:
    """What a handler gets as its second argument. AWS docs: "Using the Lambda context object" for Python."""

    identity = None
    client_context = None

    def __init__(self, request_id: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = _FUNCTION_ARN
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout; never negative."""
        return max(0, int((self._deadline - time.time()) * 1000))


_FUNCTION_ARN = ""


def main() -> None:
    """Serve invocations until the parent closes the pipe."""
    settings, descriptor = json.loads(sys.argv[1]), int(sys.argv[2])
    sys.argv = [""]
    os.set_inheritable(descriptor, False)
    requests = _take_standard_input()
    with os.fdopen(descriptor, "w", encoding="utf-8") as answers:
        try:
            handler = _load_handler(settings)
        except Exception as error:  # noqa: BLE001 - an import may raise anything
            _write(answers, {"error": _init_error(error)})
            return
        _write(answers, {"ready": True})
        for line in requests:
            _write(answers, _answer(handler, json.loads(line)))


def _take_standard_input() -> TextIO:
    """Take the requests' pipe away from file descriptor 0, where the function's input would be."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return requests


def _load_handler(paths: dict[str, Any]) -> Callable[[Any, Any], Any]:
    global _FUNCTION_ARN
    _FUNCTION_ARN = paths["function_arn"]
    # As on Lambda: the function and its layers come before everything, Lambda's own boto3 last.
    sys.path[:] = [*paths["first"], *sys.path, *paths["last"]]
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    stream = logging.StreamHandler()
    stream.setFormatter(formatter)
    logging.getLogger().addHandler(stream)
    module_name, _, function_name = os.environ["_HANDLER"].rpartition(".")
    module = importlib.import_module(module_name.replace("/", "."))
    try:
        return getattr(module, function_name)  # type: ignore[no-any-return]
    except AttributeError:
        raise _HandlerNotFound(f"Handler '{function_name}' missing on module '{module_name}'") from None


class _HandlerNotFound(Exception):
    """The module has no such function."""


def _init_error(error: Exception) -> dict[str, Any]:
    """An error before the first invocation, named as Lambda names it."""
    module_name = os.environ["_HANDLER"].rpartition(".")[0]
    if isinstance(error, ImportError):
        named = "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
    elif isinstance(error, SyntaxError):
        named = "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
    elif isinstance(error, _HandlerNotFound):
        named = "Runtime.HandlerNotFound", str(error)
    else:
        named = type(error).__name__, str(error)
    return {
        "errorType": named[0],
        "errorMessage": named[1],
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _answer(handler: Callable[[Any, Any], Any], request: dict[str, Any]) -> dict[str, Any]:
    os.environ["_X_AMZN_REQUEST_ID"] = request["request_id"]
    try:
        result = handler(request["event"], LambdaContext(request["request_id"], request["deadline"]))
    except Exception as error:  # noqa: BLE001 - a handler may raise anything
        return {"error": _error(type(error).__name__, str(error), error)}
    try:
        json.dumps(result)
    except (TypeError, ValueError) as error:
        return {"error": _error("Runtime.MarshalError", f"Unable to marshal response: {error}", error)}
    return {"result": result}


def _error(kind: str, message: str, error: Exception) -> dict[str, Any]:
    # The first frame is this file's; it doesn't help the function's author.
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return {"errorType": kind, "errorMessage": message, "stackTrace": stack}


def _write(answers: TextIO, message: dict[str, Any]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
