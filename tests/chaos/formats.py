"""The oracle's lines as the files that systems send, and the rows that a job makes of such records."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

from chaos.oracle import BROKEN, LONG, POISON
from gluebook.sources import source
from gluebook.sources.fields import Fields
from gluebook.sources.model import Source

Row = dict[str, Any]
# The source that a dataset's files are of.
SOURCES = {"app_logs": "mongod", "support_tickets": "servicenow"}


def source_of(dataset: str) -> Source:
    """The source that a dataset's files are of."""
    return source(dataset, SOURCES[dataset])


def written(dataset: str, body: str) -> bytes:
    """The file that the oracle's lines stand for: its layout is that of `source_of(dataset)`."""
    lines = body.split("\n") if body else []
    if lines[:1] == [BROKEN]:
        return b"\xff is no UTF-8"
    if dataset == "app_logs":
        return "".join(f"{_log_line(line)}\n" for line in lines).encode()
    header = [",".join(source_of(dataset).columns)] if lines else []
    return "".join(f"{line}\n" for line in (*header, *map(_ticket_record, lines))).encode()


def _log_line(line: str) -> str:
    if line != POISON and not line.startswith("L "):
        return line
    at = {"$date": "2026-01-05T10:00:00.000+00:00"}
    return json.dumps({"t": at, "s": "I", "c": "CHAOS", "id": 1, "msg": line.removeprefix("L ")})


def _ticket_record(line: str) -> str:
    if line != POISON and not line.startswith("T "):
        return line
    number, revision, hour, text = ("", "", "", line) if line == POISON else line.split(" ", 4)[1:]
    values = {"number": number, "sys_mod_count": revision, "incident_state": "New", "u_symptom": text}
    values["sys_updated_at"] = f"5/1/2026 {hour}:00"
    record = io.StringIO()
    writer = csv.writer(record, lineterminator="")
    writer.writerow([values.get(name, "?") for name in source_of("support_tickets").columns])
    return record.getvalue()


def text_of(dataset: str, fields: Fields) -> str:
    """The text that the oracle knows a valid record by."""
    return fields["msg" if dataset == "app_logs" else "u_symptom"] or ""


def row_of(dataset: str, raw: str, fields: Fields) -> Row:
    """The contract's columns of a valid record."""
    text = text_of(dataset, fields)
    if dataset == "app_logs":
        return {
            "log_id": hashlib.sha256(raw.encode()).hexdigest(),
            "occurred_at": "2026-01-05T10:00:00",
            "level": "info",
            "is_error": False,
            "service": "chaos",
            "component": text * 40 if text.startswith(LONG) else fields["c"],
            "message": text,
        }
    hour = int((fields["sys_updated_at"] or "").split(" ")[1].removesuffix(":00"))
    line = f"T {fields['number']} {fields['sys_mod_count']} {hour:02d} {text}"
    return {
        "ticket_id": fields["number"],
        "revision": int(fields["sys_mod_count"] or ""),
        "status": "new",
        "updated_at": f"2026-01-05T{hour:02d}:00:00",
        "symptom": text * 60 if text.startswith(LONG) else text,
        "_row_hash": hashlib.sha256(line.encode()).hexdigest(),
    }
