"""What the operator's commands work with, and how they set the pipeline going."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.ports import JobsPort, LedgerPort, ObjectsPort
from gluebook.clock import Clock
from gluebook.core.keys import Lake

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operating:
    """The adapters and names, with the operator's own rights. `job_names` by dataset."""

    ledger: LedgerPort
    objects: ObjectsPort
    jobs: JobsPort
    lake: Lake
    raw_bucket: str
    job_names: Mapping[str, str]
    clock: Clock


@dataclass(frozen=True)
class Start:
    """What came of an attempt to start a job: a run, or None because one is under way, or a problem."""

    job: str
    run: str | None
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"job {self.job} could not be started, the schedule will try again: {self.problem}"
        if self.run is None:
            return f"a run of job {self.job} is under way; its end starts the next"
        return f"started run {self.run} of job {self.job}"


def start_jobs(datasets: Iterable[str], work: Operating) -> dict[str, Start]:
    """Try to start these datasets' jobs; what came of it, by dataset.

    Nothing depends on it: the end of a run that is under way starts the next one, and the schedule looks too.
    """
    return {dataset: _start(work.job_names[dataset], work) for dataset in sorted(set(datasets))}


def _start(job: str, work: Operating) -> Start:
    try:
        return Start(job, work.jobs.start(job))
    except (ClientError, BotoCoreError) as error:
        _log.warning("job %s could not be started: %s", job, error)
        return Start(job, None, str(error))


def with_pending_files(work: Operating) -> list[str]:
    """The datasets that have files waiting to be claimed."""
    return [dataset for dataset in work.job_names if work.ledger.pending(dataset, 1)]
