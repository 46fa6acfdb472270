"""Events as AWS sends them, from tests/events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "events"


def aws_event(name: str) -> dict[str, Any]:
    """The event in tests/events/<name>.json; a new copy each time."""
    event: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event
