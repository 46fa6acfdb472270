"""A trial: files go through the whole chain on a laptop AWS."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gluebook.cli import screens
from gluebook.cli.deployment import Deployment, failed_functions
from gluebook.cli.screens.progress import Stages
from gluebook.cli.screens.refusals import RefusalWatch, as_json, refusals
from gluebook.core.runs import error_line
from gluebook.core.statements import Rows
from gluebook.core.states import LEASED_STATES, FileState
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import GluebookError, TerminalError
from gluebook.operations.status import Overview, states
from localaws.iam import UsageReport

if TYPE_CHECKING:  # it brings the whole laptop AWS along, which most commands don't need
    from gluebook.cli.laptop import Laptop

_POLL_SECONDS = 0.5
# After a refusal waiting ends once the chain has been idle for this long: a retry would be refused again.
_IDLE_AFTER_REFUSAL_SECONDS = 15.0
# While a file is in one of these, the stage is "curate"; the files of a divided batch are PENDING again.
_BEFORE_CURATED = frozenset({FileState.PENDING.value, *(state.value for state in LEASED_STATES)})


@dataclass(frozen=True)
class Trial:
    """The outcome. `problems`: why files are not loaded; `refused`: the report with requests that were refused."""

    overview: Overview
    queries: list[tuple[str, Rows]]
    stages: dict[str, float]
    problems: list[str] = field(default_factory=list)
    refused: UsageReport = field(default_factory=UsageReport)

    def as_json(self) -> dict[str, Any]:
        """The trial as JSON values; times in seconds, counts in rows."""
        return {
            **screens.overview_json(self.overview),
            "queries": [
                {"sql": sql, "columns": list(result.columns), "rows": [list(row) for row in result.rows]}
                for sql, result in self.queries
            ],
            "stages_s": self.stages,
            "troubles": self.problems,
            "refused": as_json(self.refused),
        }


def wait_until_settled(laptop: Laptop, uploaded: int, stages: Stages, timeout_seconds: float) -> Overview:
    """Wait until the chain is idle, and return the overview.

    `uploaded` file versions are expected in the ledger, which is read twice a second. The stages are admit, curate,
    load and catalog. A refused request is shown at once; retries that would be refused again are not waited for.
    Raises TerminalError if the chain is not idle in time.
    """
    polled = 0.0
    watch = RefusalWatch(laptop.aws.report)
    idle_since: float | None = None
    stages.begin("admit")
    stage = "admit"

    def poll() -> None:
        nonlocal polled, stage, idle_since
        if time.monotonic() - polled < _POLL_SECONDS:
            return
        seen = laptop.deployment.overview()
        now = _stage(seen, uploaded)
        if now != stage:
            stages.begin(now)
            stage = now
        stages.progress.watch(stage, seen)
        polled = time.monotonic()
        if not (watch.check() and laptop.aws.at_rest()):
            idle_since = None
        elif polled - (idle_since := idle_since or polled) > _IDLE_AFTER_REFUSAL_SECONDS:
            raise _Stuck

    with suppress(_Stuck):
        if not laptop.aws.wait_idle(timeout_seconds, poll):
            found = states(laptop.deployment.overview().files)
            late = f"the chain was not idle within {timeout_seconds:.0f} s; file versions: {found}"
            raise TerminalError("\n".join([late, *refusals(laptop.aws.report())]))
    stages.clock.end()
    return laptop.deployment.overview()


class _Stuck(Exception):
    """A request was refused, and the chain is idle."""


def _stage(seen: Overview, uploaded: int) -> str:
    if len(seen.files) < uploaded:
        return "admit"
    if any(file.state in _BEFORE_CURATED for file in seen.files):
        return "curate"
    return "catalog" if seen.settled else "load"


def run_queries(deployment: Deployment, sqls: Sequence[str], problems: list[str]) -> list[tuple[str, Rows]]:
    """Each statement with its rows; errors of the warehouse are appended to `problems`."""
    answers = []
    for sql in sqls:
        try:
            answers.append((sql, deployment.warehouse.query(sql)))
        except GluebookError as error:
            problems.append(f"{sql}: {error}")
    return answers


def problems(laptop: Laptop, seen: Overview, uploaded: int) -> list[str]:
    """Why files are FAILED, REJECTED, not registered or not settled once the chain is idle."""
    found = []
    if len(seen.files) < uploaded:
        found.append(
            f"{uploaded - len(seen.files)} of {uploaded} files were never registered; see the dead letters"
        )
    found += [f"{file.key} is {file.state}: {file.reason}" for file in seen.files if file.needs_attention]
    if not seen.settled:
        found += [f"{count} file versions are still {state}" for state, count in states(seen.files).items()]
    if found:
        found += _failed_runs(laptop) + failed_functions(laptop.deployment)
    return found


def _failed_runs(laptop: Laptop) -> list[str]:
    """As Glue reports them: the ledger lacks a failure if the load function failed too."""
    glue = laptop.aws.endpoint.client("glue")
    return [
        f"job {run['JobName']}, run {run['Id']}: {error_line(run['ErrorMessage'])}"
        for output in JOB_OUTPUTS.values()
        for run in glue.get_job_runs(JobName=laptop.deployment.outputs[output])["JobRuns"]
        if run.get("ErrorMessage")
    ]
