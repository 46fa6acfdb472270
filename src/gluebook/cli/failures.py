"""What failed last: of each job's runs as the ledger says, of each function's invocations as its log says."""

from __future__ import annotations

from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.cli.deployment import Deployment
from gluebook.clock import utc_now
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.operations.status import Overview

# What `gluebook logs` calls them, and where the stack tells their names.
FUNCTION_OUTPUTS = {"admit": "AdmitFunction", "load": "LoadFunction", "sweep": "SweepFunction"}
_RECENTLY = timedelta(hours=1)


def failures(deployment: Deployment, seen: Overview) -> list[str]:
    """A line for each job whose last run failed, and for each function that has failed within the last hour."""
    return [*_failed_runs(deployment, seen), *failed_functions(deployment)]


def _failed_runs(deployment: Deployment, seen: Overview) -> list[str]:
    return [
        f"job {deployment.output(JOB_OUTPUTS[dataset])}, last run {failed.run_id} failed: {failed.error}; "
        f"`gluebook logs {dataset}` shows more"
        for dataset, failed in seen.failed_runs.items()
    ]


def failed_functions(deployment: Deployment) -> list[str]:
    """The same of the functions alone; of those whose logs the caller may not read, that."""
    found = []
    for name, output in FUNCTION_OUTPUTS.items():
        function = deployment.output(output)
        try:
            last = deployment.logs.last_failure(function, utc_now() - _RECENTLY)
        except (ClientError, BotoCoreError) as error:
            found.append(f"the log of function {function} can't be read: {error}")
            continue
        if last is not None:
            found.append(
                f"function {function} failed at {last.at:%H:%M:%S} UTC: {last.text}; "
                f"`gluebook logs {name}` shows more"
            )
    return found
