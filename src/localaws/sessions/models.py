"""Sessions and statements as Glue shows them. AWS docs: "Interactive sessions API"."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# Minutes, by AWS's documentation of CreateSession.
_DEFAULT_TIMEOUT = _DEFAULT_IDLE_TIMEOUT = 2880
ENDED = ("FAILED", "TIMEOUT", "STOPPED")
_SHOWN = (
    "Description",
    "Role",
    "Command",
    "DefaultArguments",
    "Connections",
    "MaxCapacity",
    "NumberOfWorkers",
    "WorkerType",
    "SecurityConfiguration",
    "GlueVersion",
)


@dataclass
class Statement:
    """One statement; `state` is WAITING, RUNNING, AVAILABLE, CANCELLING, CANCELLED or ERROR."""

    number: int
    code: str
    state: str = "WAITING"
    output: dict[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    completed: datetime | None = None

    def finish(self, state: str, output: dict[str, Any]) -> None:
        """It is over."""
        self.completed = datetime.now(UTC)
        self.output = output
        self.state = state

    def shown(self) -> dict[str, Any]:
        """As GetStatement shows it; times in milliseconds since 1970."""
        times = {"StartedOn": self.started, "CompletedOn": self.completed}
        return {
            "Id": self.number,
            "Code": self.code,
            "State": self.state,
            "Output": self.output,
            "Progress": float(self.completed is not None),
            **{name: int(time.timestamp() * 1000) for name, time in times.items() if time},
        }


def output_of(answer: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What the process answered, as a statement's Output."""
    made: dict[str, Any] = {"Data": {"TextPlain": answer["text"]}, "ExecutionCount": number, "Status": "ok"}
    if "error" in answer:
        made |= {
            "Status": "error",
            "ErrorName": answer["error"],
            "ErrorValue": answer["value"],
            "Traceback": answer["traceback"],
        }
    return made


class Session:
    """One session; a thread that changes it holds `changed`, and notifies it."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.id: str = request["Id"]
        self.request = request
        self.status = "PROVISIONING"
        self.error = ""
        self.created = datetime.now(UTC)
        self.ended: datetime | None = None
        self.timeout: int = request.get("Timeout") or _DEFAULT_TIMEOUT
        self.idle_timeout: int = request.get("IdleTimeout") or _DEFAULT_IDLE_TIMEOUT
        self.statements: list[Statement] = []
        self.changed = threading.Condition()

    @property
    def arguments(self) -> dict[str, str]:
        """DefaultArguments."""
        return dict(self.request.get("DefaultArguments") or {})

    @property
    def tags(self) -> set[tuple[str, str]]:
        """Tags."""
        return set((self.request.get("Tags") or {}).items())

    def end(self, status: str, error: str = "") -> None:
        """Enter a status that is the last one; what still waits will never run."""
        with self.changed:
            self.status, self.error = status, error
            self.ended = datetime.now(UTC)
            for statement in self.statements:
                if status == "FAILED" and statement.state in ("RUNNING", "CANCELLING"):
                    answer = {"text": "", "error": "SessionFailed", "value": error, "traceback": [error]}
                    statement.finish("ERROR", output_of(answer, statement.number))
                elif not statement.completed:
                    statement.finish("CANCELLED", {})
            self.changed.notify_all()

    def shown(self) -> dict[str, Any]:
        """As GetSession shows it."""
        made = {name: self.request[name] for name in _SHOWN if self.request.get(name) is not None}
        end = self.ended or datetime.now(UTC)
        made |= {
            "Id": self.id,
            "Status": self.status,
            "CreatedOn": self.created.replace(tzinfo=None),
            "Progress": float(self.status != "PROVISIONING"),
            "ExecutionTime": (end - self.created).total_seconds(),
            "IdleTimeout": self.idle_timeout,
        }
        if self.ended:
            made["CompletedOn"] = self.ended.replace(tzinfo=None)
        if self.error:
            made["ErrorMessage"] = self.error
        return made
