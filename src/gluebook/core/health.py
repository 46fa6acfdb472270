"""How a dataset is doing, in numbers that an alarm can watch."""

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

    pending           file versions that wait to be claimed (no more than a run claims are counted)
    open              batches that are on their way, by state
    oldest_seconds    age of the oldest file version that isn't loaded yet; 0 if there is none
    failures          files and batches that failed within the last day
    failing_loads     batches whose load has failed again and again, for what isn't the data's fault
    failing_verdicts  verdicts whose recording has
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


# Those that aren't counts.
UNITS = {"OldestUnloadedAge": "Seconds"}


def health(
    pending: Sequence[FileVersion],
    batches: Iterable[Batch],
    failures: int,
    now: datetime,
    verdicts: Iterable[NotedVerdict] = (),
) -> Health:
    """`pending` in any order, `batches`: the open ones, `verdicts`: those that aren't recorded yet."""
    on_their_way = list(batches)
    since = [file.registered_at for file in pending]
    # Processed again: what it brought before is loaded; it is late from then on when it was asked for.
    since += [batch.created_at if batch.generation == 1 else batch.changed_at for batch in on_their_way]
    age = now - datetime.fromisoformat(min(since)) if since else None
    return Health(
        pending=len(pending),
        open=dict(Counter(batch.state.value for batch in on_their_way)),
        oldest_seconds=max(0, int(age.total_seconds())) if age else 0,
        failures=failures,
        failing_loads=sum(batch.failed_loads >= ALARM_AFTER for batch in on_their_way),
        # The latest of its statements may still be under way.
        failing_verdicts=sum(noted.attempts > ALARM_AFTER for noted in verdicts),
    )
