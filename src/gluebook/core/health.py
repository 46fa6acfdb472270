"""The health of a dataset, in numbers for alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gluebook.core.backoff import ALARM_AFTER
from gluebook.core.model import Batch, FileVersion, NotedVerdict


@dataclass(frozen=True)
class Health:
    """A dataset at one moment.

    pending           file versions that wait to be claimed (counted up to the limit of one run)
    open              open batches by state
    oldest_seconds    age of the oldest file version that is not loaded; 0 if there is none
    failures          files and batches that failed within the last day
    failing_loads     batches whose load has failed repeatedly, for a reason that is not the data's
    failing_verdicts  verdicts whose recording has failed repeatedly
    """

    pending: int = 0
    open: dict[str, int] = field(default_factory=dict)
    oldest_seconds: int = 0
    failures: int = 0
    failing_loads: int = 0
    failing_verdicts: int = 0

    def metrics(self) -> dict[str, float]:
        """The numbers by metric name."""
        states = {f"Batches{state.capitalize()}": float(count) for state, count in self.open.items()}
        return {
            "FilesPending": self.pending,
            "OldestUnloadedAge": self.oldest_seconds,
            "Failures": self.failures,
            "LoadsFailing": self.failing_loads,
            "VerdictsFailing": self.failing_verdicts,
            **states,
        }


# Units of the metrics that are not counts.
UNITS = {"OldestUnloadedAge": "Seconds"}


def health(
    pending: Sequence[FileVersion],
    batches: Iterable[Batch],
    failures: int,
    now: datetime,
    verdicts: Iterable[NotedVerdict] = (),
) -> Health:
    """The health of a dataset. `batches`: the open ones; `verdicts`: those that are not recorded yet."""
    open_batches = list(batches)
    since = [file.registered_at for file in pending]
    # A reopened batch is loaded in its earlier generation; its age counts from the change.
    since += [batch.created_at if batch.generation == 1 else batch.changed_at for batch in open_batches]
    age = now - datetime.fromisoformat(min(since)) if since else None
    return Health(
        pending=len(pending),
        open=dict(Counter(batch.state.value for batch in open_batches)),
        oldest_seconds=max(0, int(age.total_seconds())) if age else 0,
        failures=failures,
        failing_loads=sum(batch.failed_loads >= ALARM_AFTER for batch in open_batches),
        # The last attempt may still be running.
        failing_verdicts=sum(noted.attempts > ALARM_AFTER for noted in verdicts),
    )
