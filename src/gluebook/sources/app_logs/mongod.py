"""MongoDB's structured log: one JSON object per line."""

from __future__ import annotations

from gluebook.sources.fields import Fields, Malformed
from gluebook.sources.framing import Layout
from gluebook.sources.json_fields import json_members, json_text, text_inside, text_of, whole_number
from gluebook.sources.model import Source, identity

_LEVELS = {
    "f": "fatal",
    "e": "error",
    "w": "warning",
    "i": "info",
    **{f"d{verbosity}": "debug" for verbosity in ("", 1, 2, 3, 4, 5)},
}


def parse(line: str, _: tuple[str, ...] = ()) -> Fields:
    """The known members of a line; `attr` stays the very text, whatever its shape. Raises Malformed."""
    members = json_members(line)
    attributes = json_text(members.get("attr"))
    return {
        "t.$date": text_inside(members.get("t"), "$date"),
        "s": text_of(members.get("s")),
        "c": text_of(members.get("c")),
        "ctx": text_of(members.get("ctx")),
        "id": text_of(members.get("id")),
        "msg": text_of(members.get("msg")),
        "attr": attributes,
        "attr.durationMillis": _duration(attributes),
    }


def _duration(attributes: str | None) -> str | None:
    if attributes is None or "durationMillis" not in attributes:
        return None
    try:
        return whole_number(text_of(json_members(attributes).get("durationMillis")))
    except Malformed:  # no object
        return None


SOURCE = Source(
    *identity(__name__),
    layout=Layout(framing="lines"),
    parse=parse,
    renames={
        "t.$date": "occurred_at",
        "s": "level",
        "c": "component",
        "ctx": "context",
        "id": "event_code",
        "msg": "message",
        "attr": "attributes",
        "attr.durationMillis": "duration_ms",
    },
    choices={"level": _LEVELS},
    derive={"service": "source"},
)
