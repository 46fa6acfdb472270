"""The program in a session's process: `python -I -S -B repl.py SETTINGS ANSWERS`

SETTINGS is a JSON file: {"first": [paths before the standard library], "last": [paths after it]}. ANSWERS is the
number of an open file descriptor. Statements come as lines of JSON on standard input, {"code": text}; for each a
line of JSON goes to ANSWERS: {"text": what it printed and the value of its last expression} and, if it failed,
{"error": name, "value": text, "traceback": [lines]}. Only the standard library may be imported here.
"""

from __future__ import annotations

import ast
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
from pathlib import Path
from typing import Any

# AWS Glue keeps what a statement has put out; nobody reads more than this of it.
_LONGEST_OUTPUT = 1_000_000
_OF_SPARK = ("spark", "sc")


def main() -> None:
    """Answer statements until standard input ends."""
    settings_file, answers = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    sys.path[:] = [*settings["first"], *sys.path, *settings["last"]]
    sys.argv = ["session"]
    site.setquit()
    statements: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(statements,), daemon=True).start()
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    with os.fdopen(int(answers), "w", encoding="utf-8") as out:
        _answer(out, {"text": ""})
        while True:
            try:
                code = statements.get()
                answer = run(code, namespace)
            except KeyboardInterrupt:  # a statement was cancelled just when it ended
                continue
            _answer(out, answer)


def _read(statements: queue.Queue[str]) -> None:
    """The end of standard input means that the parent has died, or wants this to."""
    for line in sys.stdin:
        statements.put(json.loads(line)["code"])
    os.killpg(0, signal.SIGKILL)


def _answer(out: io.TextIOBase, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


def run(code: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Execute one statement, as an interactive interpreter would."""
    printed = io.StringIO()
    answer: dict[str, Any] = {}
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            _execute(code, namespace)
        except BaseException as error:  # noqa: BLE001 - a statement may raise anything, SystemExit as well
            answer = {
                "error": type(error).__name__,
                "value": str(error),
                "traceback": traceback.format_exception(error),
            }
    return {**answer, "text": printed.getvalue()[:_LONGEST_OUTPUT]}


def _execute(code: str, namespace: dict[str, Any]) -> None:
    tree = ast.parse(code, "<statement>")
    _give_spark(tree, namespace)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<statement>", "exec"), namespace)  # noqa: S102 - that is what a session is for
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<statement>", "eval"), namespace)  # noqa: S307
        if value is not None:
            print(repr(value))  # noqa: T201


def _give_spark(tree: ast.Module, namespace: dict[str, Any]) -> None:
    """`spark` and `sc`, once they are asked for: a JVM takes seconds to start."""
    asked = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if asked & {name for name in _OF_SPARK if name not in namespace}:
        from pyspark.sql import SparkSession

        namespace["spark"] = SparkSession.builder.getOrCreate()
        namespace["sc"] = namespace["spark"].sparkContext


if __name__ == "__main__":
    main()
