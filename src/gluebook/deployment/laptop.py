"""What `gluebook up` notes of the running laptop AWS, for the commands and notebooks that work with it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

# Where the stack tells the name of each dataset's job.
JOB_OUTPUTS = {"support_tickets": "SupportTicketsJob", "app_logs": "AppLogsJob"}


@dataclass(frozen=True)
class Known:
    """A laptop AWS that is up: the variables by which every AWS SDK finds it, and its stack's outputs."""

    environment: dict[str, str]
    outputs: dict[str, str]

    def enter(self) -> None:
        """Point every AWS SDK of this process at it, and away from the caller's own profile."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        os.environ.update(nowhere | self.environment)


def state_file() -> Path:
    """Where the note is."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "gluebook" / "laptop.json"


def known_laptop() -> Known | None:
    """The laptop AWS that is up; None if there is none."""
    note = state_file()
    if not note.is_file():
        return None
    known = json.loads(note.read_text())
    if psutil.pid_exists(known["pid"]):
        return Known(known["environment"], known["outputs"])
    forget_laptop()  # it was killed before it could say good-bye
    return None


def note_laptop(environment: dict[str, str], outputs: dict[str, str]) -> None:
    """Tell of the laptop AWS that this process runs; only the caller can read it."""
    note = state_file()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch(mode=0o600)
    note.write_text(json.dumps({"environment": environment, "outputs": outputs, "pid": os.getpid()}))


def forget_laptop() -> None:
    """The laptop AWS is no more."""
    state_file().unlink(missing_ok=True)
