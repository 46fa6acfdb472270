"""MongoDB's structured log: one JSON object per line."""

from __future__ import annotations

from gluebook.contracts.app_logs import APP_LOGS
from gluebook.sources.framing import Layout
from gluebook.sources.model import Source

# The fields of a line that are taken over; `attr` stays JSON text, whatever its shape.
SCHEMA = "t struct<`$date`: string>, s string, c string, id bigint, ctx string, msg string, attr string"

_LEVELS = {
    "f": "fatal",
    "e": "error",
    "w": "warning",
    "i": "info",
    **{f"d{verbosity}": "debug" for verbosity in ("", 1, 2, 3, 4, 5)},
}

MONGOD = Source(
    name="mongod",
    contract=APP_LOGS,
    layout=Layout(framing="lines"),
    renames={
        "t.$date": "occurred_at",
        "s": "level",
        "c": "component",
        "ctx": "context",
        "id": "event_code",
        "msg": "message",
        "attr": "attributes",
    },
    choices={"level": _LEVELS},
)
