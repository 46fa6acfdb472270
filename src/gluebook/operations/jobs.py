"""Start the jobs of datasets that have pending work."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.operations.context import OperationsContext

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobStart:
    """The result of starting a job: a run, or None because one is active, or a problem."""

    job: str
    run: str | None
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"could not start job {self.job}, the schedule retries: {self.problem}"
        if self.run is None:
            return f"a run of job {self.job} is active; its end starts the next one"
        return f"started run {self.run} of job {self.job}"


def start_jobs(datasets: Iterable[str], context: OperationsContext) -> dict[str, JobStart]:
    """Try to start these datasets' jobs; the results by dataset.

    A refused start loses nothing: the end of the active run starts the next one, and so does the schedule.
    """
    return {dataset: _start(context.job_names[dataset], context) for dataset in sorted(set(datasets))}


def _start(job: str, context: OperationsContext) -> JobStart:
    try:
        return JobStart(job, context.jobs.start(job))
    except (ClientError, BotoCoreError) as error:
        _log.warning("could not start job %s: %s", job, error)
        return JobStart(job, None, str(error))


def datasets_with_pending_files(context: OperationsContext) -> list[str]:
    """The datasets with files that are waiting to be claimed."""
    return [dataset for dataset in context.job_names if context.ledger.pending(dataset, 1)]
