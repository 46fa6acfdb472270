"""The program in a session's process: `python -I -S -B repl.py SETTINGS ANSWERS`

SETTINGS is JSON: {"first": [paths before the standard library], "last": [paths after it]}. ANSWERS is the
number of an open file descriptor. Statements come as lines of JSON on standard input, {"code": text}; for each a
line of JSON goes to ANSWERS: {"text": what it printed and the value of its last expression} and, if it failed,
{"error": name, "value": text, "traceback": [lines]}. Only the standard library may be imported here.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import os
import queue
import signal
import site
import sys
import threading
import traceback
import types
from typing import Any

# AWS Glue keeps a statement's output; more than this is cut off.
LONGEST_OUTPUT = 1_000_000


def main() -> None:
    """Answer statements until standard input ends."""
    settings, answers = json.loads(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(answers, False)
    sys.path[:] = [*settings["first"], *sys.path, *settings["last"]]
    sys.argv = ["session"]
    site.setquit()
    signal.signal(signal.SIGTERM, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    statements: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(statements,), daemon=True).start()
    namespace, interrupts = _namespace(), _Interrupts()
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        _answer(out, {"text": ""})
        while True:
            _answer(out, run(statements.get(), namespace, interrupts))


def run(code: str, namespace: dict[str, Any], interrupts: _Interrupts) -> dict[str, Any]:
    """Execute one statement, as an interactive interpreter would."""
    printed = _Printed()
    answer: dict[str, Any] = {}
    try:
        with interrupts, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            _execute(code, namespace)
    except BaseException as error:  # noqa: BLE001 - a statement may raise anything, SystemExit as well
        answer = {
            "error": type(error).__name__,
            "value": str(error)[:LONGEST_OUTPUT],
            "traceback": [line[:LONGEST_OUTPUT] for line in traceback.format_exception(error)],
        }
    return {**answer, "text": printed.kept()}


def _execute(code: str, namespace: dict[str, Any]) -> None:
    tree = ast.parse(code, "<statement>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<statement>", "exec"), namespace)  # noqa: S102 - that is what a session is for
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<statement>", "eval"), namespace)  # noqa: S307
        if value is not None:
            print(repr(value))  # noqa: T201


def _read(statements: queue.Queue[str]) -> None:
    """The end of standard input means that the parent has died or has closed this session."""
    for line in sys.stdin:
        statements.put(json.loads(line)["code"])
    _end()


def _end(*_: object) -> None:
    """End this process with all that the statements have started."""
    os.killpg(0, signal.SIGKILL)


def _answer(out: io.TextIOBase, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


def _namespace() -> dict[str, Any]:
    """That of a module `__main__` of its own: what is defined there can be pickled, as Spark's workers need it."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["__builtins__"] = _Builtins(module.__dict__)
    return module.__dict__


class _Builtins(dict[str, Any]):
    """Python's builtins and, as a Glue session has them, `spark` and `sc`: made at their first use.

    A JVM takes seconds to start, and code may assign a `spark` of its own first.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(vars(builtins))
        self._namespace = namespace

    def __missing__(self, name: str) -> Any:
        if name not in ("spark", "sc"):
            raise KeyError(name)
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.appName("session").config("spark.ui.enabled", "false")
        for end in ("spark.driver.host", "spark.driver.bindAddress"):
            builder = builder.config(end, "127.0.0.1")
        spark = builder.getOrCreate()
        self._namespace.setdefault("spark", spark)
        self._namespace.setdefault("sc", spark.sparkContext)
        return self._namespace[name]


class _Interrupts:
    """SIGINT stops the statement that runs, and nothing else: the answer to it always gets out.

    Within a `with` of it an interrupt is an exception. A handler that a statement installs (Spark's also cancels
    its jobs) is kept, and kept to statements.
    """

    def __init__(self) -> None:
        self._running = False
        self._stop: Any = signal.default_int_handler
        # Not by _take: that SIGINT is ignored may have been inherited, from a script that started us with &.
        signal.signal(signal.SIGINT, self._handle)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))

    def __enter__(self) -> None:
        self._running = True

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._take()

    def _take(self) -> None:
        found = signal.getsignal(signal.SIGINT)
        if found != self._handle:
            self._stop = found
            signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: types.FrameType | None) -> None:
        if self._running and callable(self._stop):
            self._running = False
            self._stop(number, frame)


class _Printed(io.StringIO):
    """Keeps the beginning, and counts the rest."""

    left_out = 0

    def write(self, text: str) -> int:
        room = max(0, LONGEST_OUTPUT - self.tell())
        self.left_out += max(0, len(text) - room)
        super().write(text[:room])
        return len(text)

    def kept(self) -> str:
        """What was printed, as far as it was kept, and how much wasn't."""
        rest = f"\n... and {self.left_out:,} characters more" if self.left_out else ""
        return self.getvalue() + rest


if __name__ == "__main__":
    main()
