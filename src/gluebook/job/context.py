"""The context of a job run's steps."""

from __future__ import annotations

from dataclasses import dataclass

from gluebook.aws.ports import LedgerPort, ObjectsPort
from gluebook.clock import Clock
from gluebook.core.keys import Lake


@dataclass(frozen=True)
class JobContext:
    """The adapters and names of a job run."""

    ledger: LedgerPort
    objects: ObjectsPort
    lake: Lake
    clock: Clock
