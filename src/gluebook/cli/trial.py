"""Send files through the whole chain on a laptop AWS, and watch what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gluebook.cli.deployment import Deployment
from gluebook.cli.failures import failed_functions
from gluebook.cli.refusals import RefusalWatch, as_json, refusals
from gluebook.cli.stages import Stages
from gluebook.core.model import Batch
from gluebook.core.runs import error_line
from gluebook.core.statements import Rows
from gluebook.core.states import LEASED_STATES, FileState
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import GluebookError, TerminalError
from gluebook.operations.status import FileStatus, Overview, states
from localaws.iam import UsageReport

if TYPE_CHECKING:  # it brings the whole laptop AWS along, which most commands don't need
    from gluebook.cli.laptop import Laptop

_LOOK_SECONDS = 0.5
# Something was refused, and for so long nothing happens: what waits for its next attempt will be refused again.
_REFUSED_PATIENCE_SECONDS = 15.0
# A divided batch's files wait for the next run.
_BEFORE_CURATED = frozenset({FileState.PENDING.value, *(state.value for state in LEASED_STATES)})


@dataclass(frozen=True)
class Trial:
    """What came of it. `troubles`: why files are where they are, if that isn't in the warehouse.

    `refused`: where to look for what deployed roles were refused.
    """

    overview: Overview
    queries: list[tuple[str, Rows]]
    stages: dict[str, float]
    troubles: list[str] = field(default_factory=list)
    refused: UsageReport = field(default_factory=UsageReport)

    def as_json(self) -> dict[str, Any]:
        """The trial as JSON values; times in seconds, counts in rows."""
        return {
            "files": [_file_json(file) for file in self.overview.files],
            "totals": {**asdict(self.overview.totals), "loaded": self.overview.loaded},
            "loads": [_load_json(batch) for batch in self.overview.batches if batch.load_attempts],
            "queries": [
                {"sql": sql, "columns": list(result.columns), "rows": [list(row) for row in result.rows]}
                for sql, result in self.queries
            ],
            "stages_s": self.stages,
            "troubles": self.troubles,
            "refused": as_json(self.refused),
        }


def _file_json(file: FileStatus) -> dict[str, Any]:
    return {
        "key": file.key,
        "version_id": file.version_id,
        "state": file.state,
        "reason": file.reason,
        **asdict(file.counts),
        "loaded": file.loaded,
        "reject_reasons": file.reject_reasons,
        "failed_loads": file.failed_loads,
        "next_load": file.next_load,
        "given_up": file.given_up,
    }


def _load_json(batch: Batch) -> dict[str, Any]:
    counts = {"curated": batch.counts.curated, "merged": batch.merged, "superseded": batch.superseded}
    return {"batch_id": batch.batch_id, "state": batch.state.value, **counts}


def wait_until_settled(laptop: Laptop, uploaded: int, stages: Stages, timeout_seconds: float) -> Overview:
    """Wait until the chain has nothing to do; what it came to.

    `uploaded` file versions are expected in the ledger, which is looked at twice a second. The stages are
    admit, curate, load and catalog. What a role is refused is shown at once; then nobody waits for messages that
    only come again to be refused again. Raises TerminalError if the chain isn't idle in time.
    """
    looked = 0.0
    watch = RefusalWatch(laptop.aws.report)
    resting_since: float | None = None
    stages.begin("admit")
    stage = "admit"

    def look() -> None:
        nonlocal looked, stage, resting_since
        if time.monotonic() - looked < _LOOK_SECONDS:
            return
        seen = laptop.deployment.overview()
        now = _stage(seen, uploaded)
        if now != stage:
            stages.begin(now)
            stage = now
        stages.progress.watch(stage, seen)
        looked = time.monotonic()
        if not (watch.look() and laptop.aws.at_rest()):
            resting_since = None
        elif looked - (resting_since := resting_since or looked) > _REFUSED_PATIENCE_SECONDS:
            raise _NothingMoves

    with suppress(_NothingMoves):
        if not laptop.aws.wait_idle(timeout_seconds, look):
            found = states(laptop.deployment.overview().files)
            late = f"the chain was not idle within {timeout_seconds:.0f} s; file versions: {found}"
            raise TerminalError("\n".join([late, *refusals(laptop.aws.report())]))
    stages.clock.end()
    return laptop.deployment.overview()


class _NothingMoves(Exception):
    """Something was refused, and nobody is at work."""


def _stage(seen: Overview, uploaded: int) -> str:
    if len(seen.files) < uploaded:
        return "admit"
    if any(file.state in _BEFORE_CURATED for file in seen.files):
        return "curate"
    return "catalog" if seen.settled else "load"


def run_queries(deployment: Deployment, sqls: Sequence[str], wrong: list[str]) -> list[tuple[str, Rows]]:
    """Each statement with its rows; what the warehouse refuses is added to `wrong`, in its words."""
    answers = []
    for sql in sqls:
        try:
            answers.append((sql, deployment.warehouse.query(sql)))
        except GluebookError as error:
            wrong.append(f"{sql}: {error}")
    return answers


def troubles(laptop: Laptop, seen: Overview, uploaded: int) -> list[str]:
    """Why files are FAILED, REJECTED, not registered or not settled though nobody works on them any more."""
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
    """Glue's word: the ledger lacks it if the function that notes it has failed, too."""
    glue = laptop.aws.endpoint.client("glue")
    return [
        f"job {run['JobName']}, run {run['Id']}: {error_line(run['ErrorMessage'])}"
        for output in JOB_OUTPUTS.values()
        for run in glue.get_job_runs(JobName=laptop.deployment.outputs[output])["JobRuns"]
        if run.get("ErrorMessage")
    ]
