"""The magics of AWS Glue's notebooks, and the values they take.

Source: aws-glue-sessions 1.0.9, KernelMagics; AWS documentation, "Configuring AWS Glue interactive sessions",
"Adding jobs in AWS Glue" (versions and worker types).
"""

from __future__ import annotations

import ast
import re

LINE_MAGICS = frozenset(
    {
        "additional_python_modules",
        "connections",
        "endpoint",
        "etl",
        "extra_jars",
        "extra_py_files",
        "glue_version",
        "help",
        "iam_role",
        "idle_timeout",
        "list_sessions",
        "number_of_workers",
        "profile",
        "reconnect",
        "region",
        "security_config",
        "session_id",
        "session_id_prefix",
        "session_type",
        "spark_conf",
        "status",
        "stop_session",
        "streaming",
        "timeout",
        "worker_type",
    }
)
CELL_MAGICS = frozenset({"assume_role", "configure", "sql", "tags"})
# Not the kernel's but the session's own (the kernel's %help, "Action Magic"), which shows no plot without them.
SHOWING_MAGICS = frozenset({"matplot", "plotly"})
# Magics of IPython, which a Glue session's kernel has too.
COMMON_MAGICS = frozenset({"matplotlib"})

_VERSIONS = ("2.0", "3.0", "4.0", "5.0", "5.1", "6.0")
_WORKERS = re.compile(r"Standard|G\.(025|1|2|4|8|12|16)X|R\.[1248]X|Z\.2X")
_WHOLE = {"number_of_workers": 2, "idle_timeout": 1, "timeout": 1}


def wrong_value(name: str, arguments: str, cell: str = "") -> str | None:
    """The problem with the arguments of the magic `name`, or None. `cell`: the rest of the cell, of a cell magic."""
    value = arguments.strip().strip("\"'")
    if name == "glue_version" and value not in _VERSIONS:
        return f"there is no AWS Glue {value or 'version of no name'}; there are {', '.join(_VERSIONS)}"
    if name == "worker_type" and not _WORKERS.fullmatch(value):
        return f"there is no worker type {value!r}; G.1X is the smallest for jobs"
    if name in _WHOLE and not (value.isdecimal() and int(value) >= _WHOLE[name]):
        return f"{value!r} is not a whole number of at least {_WHOLE[name]}"
    if name in ("configure", "tags"):
        return _no_dictionary(cell)
    return None


def _no_dictionary(text: str) -> str | None:
    # As the kernel in AWS Glue parses it: true and null of JSON are not Python.
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        found = None
    return None if isinstance(found, dict) else "what follows is not a dictionary in Python's notation"
