"""Sum up many schedules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from chaos.compare import DOUBLED, LOST
from chaos.play import Outcome

# All kinds of faults; injections are counted by these names.
KINDS = (
    "duplicate_event",
    "lost_event",
    "late_event",
    "redelivery",
    "crash_before_write",
    "crash_after_write",
    "throttled",
    "lost_answer",
    "lease_expired",
    "zombie",
    "racing_runs",
    "corrected_file",
    "late_old_version",
    "load_conflict",
    "warehouse_crash_before_commit",
    "warehouse_crash_after_commit",
    "forgotten_statement",
    "access_denied",
    "poison_file",
    "broken_file",
    "replay",
)


@dataclass
class Report:
    """Sums over schedules. `failed` holds the seeds, or names, of those with a problem."""

    schedules: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: Outcome) -> None:
        """Add the outcome of one schedule."""
        self.schedules += 1
        self.faults.update({kind: outcome.counts[kind] for kind in KINDS})
        self.states.update(outcome.states)
        self.problems.update(problem.kind for problem in outcome.problems)
        for problem in outcome.problems:
            self.rows[problem.kind] += problem.rows
        if outcome.problems:
            self.failed.append(name)

    def __str__(self) -> str:
        width = max(map(len, KINDS))
        lines = [
            f"{self.schedules} schedules, {len(self.failed)} failed",
            f"rows lost: {self.rows[LOST]}, rows doubled: {self.rows[DOUBLED]}",
            "",
            *(f"{kind.ljust(width)}  {self.faults[kind]:>8,}" for kind in KINDS),
            "",
            "files ended: " + ", ".join(f"{state} {count:,}" for state, count in sorted(self.states.items())),
        ]
        if self.problems:
            lines.append("problems: " + ", ".join(f"{kind} {n}" for kind, n in sorted(self.problems.items())))
            lines.append(f"failed: {', '.join(self.failed[:20])}")
        return "\n".join(lines)
