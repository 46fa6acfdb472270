"""The record of the running laptop AWS, which `gluebook up` writes for commands and notebooks."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from gluebook.contracts import CONTRACTS
from gluebook.deployment.dataset_blocks import logical_id

# The stack's outputs that hold the name of each dataset's job, and of its crawler.
JOB_OUTPUTS = {dataset: f"{logical_id(dataset)}Job" for dataset in CONTRACTS}
CRAWLER_OUTPUTS = {dataset: f"{logical_id(dataset)}Crawler" for dataset in CONTRACTS}


@dataclass(frozen=True)
class RunningLaptop:
    """A running laptop AWS: the environment variables for AWS SDKs, and its stack's outputs."""

    environment: dict[str, str]
    outputs: dict[str, str]

    def enter(self) -> None:
        """Point every AWS SDK in this process at it, and away from the caller's own profile."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        os.environ.update(nowhere | self.environment)


def state_file() -> Path:
    """The path of the record."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "gluebook" / "laptop.json"


def running_laptop() -> RunningLaptop | None:
    """The running laptop AWS; None if there is none."""
    record = state_file()
    if not record.is_file():
        return None
    known = json.loads(record.read_text())
    if psutil.pid_exists(known["pid"]):
        return RunningLaptop(known["environment"], known["outputs"])
    forget_laptop()  # it was killed before it deleted its record
    return None


def record_laptop(environment: dict[str, str], outputs: dict[str, str]) -> None:
    """Record the laptop AWS that this process runs; only the caller can read the record."""
    record = state_file()
    record.parent.mkdir(parents=True, exist_ok=True)
    record.touch(mode=0o600)
    record.write_text(json.dumps({"environment": environment, "outputs": outputs, "pid": os.getpid()}))


def forget_laptop() -> None:
    """Delete the record."""
    state_file().unlink(missing_ok=True)
