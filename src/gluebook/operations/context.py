"""The context of the operator's commands: adapters and names, with the operator's own permissions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gluebook.aws.ports import FunctionsPort, JobsPort, LedgerPort, ObjectsPort, WarehousePort
from gluebook.clock import Clock
from gluebook.core.keys import Lake

# Called with the name of the stage that begins.
OnStage = Callable[[str], None]


@dataclass(frozen=True)
class OperationsContext:
    """Adapters and names of a deployed pipeline. `job_names`: by dataset."""

    ledger: LedgerPort
    objects: ObjectsPort
    jobs: JobsPort
    warehouse: WarehousePort
    functions: FunctionsPort
    lake: Lake
    raw_bucket: str
    job_names: Mapping[str, str]
    sweep_function: str
    load_function: str
    clock: Clock
