"""What the scenario used, as a file: one request for every set of grants that allows one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from grants.deployed import Deployed
from localaws.iam import Allowed
from localaws.iam.policy import Need
from localaws.iam.sessions import Caller

FILE = Path(__file__).with_name("recording.json")
# Different each time, and no policy asks for them.
_FLEETING = {"aws:epochtime", "aws:currenttime", "aws:tokenissuetime", "aws:useragent", "aws:sourceip"}


def save(allowed: Iterable[Allowed], here: Deployed, file: Path = FILE) -> None:
    """Write it, sorted. Resources that have another name on each laptop are kept in the template's words."""
    entries = [_entry(one, here) for one in allowed if one.caller.role in here.roles]
    entries.sort(key=lambda one: json.dumps(one, sort_keys=True))
    file.write_text(json.dumps(entries, indent=1) + "\n")


def load(here: Deployed, file: Path = FILE) -> list[Allowed]:
    """Read it, for the laptop that is deployed."""
    return [_allowed(entry, here) for entry in json.loads(file.read_text())]


def _entry(one: Allowed, here: Deployed) -> dict[str, Any]:
    role = one.caller.role or ""
    context = {name: value for name, value in sorted(one.need.context.items()) if name not in _FLEETING}
    return {
        "caller": asdict(replace(one.caller, work="")),
        "action": one.need.action,
        "resource": one.need.resource,
        "words": here.in_words(role, one.need.resource),
        "context": context,
    }


def _allowed(entry: dict[str, Any], here: Deployed) -> Allowed:
    caller = Caller(**entry["caller"])
    resource = entry["resource"]
    if entry["words"] is not None:
        resource = here.from_words(caller.role or "", entry["words"])
    context = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry["context"].items()
    }
    return Allowed(caller, Need(entry["action"], resource, context), ())
