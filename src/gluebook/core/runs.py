"""What is remembered of job runs: that one has succeeded, and why the last one failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

# After the first failure the schedule tries again when it looks next, then less and less often: each run is billed
# for a minute at least.
_FIRST_PAUSE_SECONDS = 300
_LONGEST_PAUSE_SECONDS = 3600
_LONGEST_LINE = 300
_TRACEBACK = "Traceback (most recent call last):"


def proven_mark(dataset: str) -> str:
    """The ledger's word for the first run of a dataset's job that has succeeded."""
    return f"proven:{dataset}"


def failed_run_mark(dataset: str) -> str:
    """The ledger's word for the last run of a dataset's job, if it failed."""
    return f"failed-run:{dataset}"


@dataclass(frozen=True)
class FailedRun:
    """The last run of a dataset's job, which failed.

    at        seconds since 1970
    error     its last error line
    in_vain   how many in a row, this one included, had not claimed anything when they failed
    """

    run_id: str
    at: int
    error: str
    in_vain: int = 0

    def to_text(self) -> str:
        """The value of its mark."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_text(text: str | None) -> FailedRun | None:
        """What `to_text` wrote; None for None."""
        return FailedRun(**json.loads(text)) if text else None

    def then(self, run_id: str, at: int, error: str, in_vain: bool) -> FailedRun:
        """The one after it; the same again if the event comes twice."""
        if run_id == self.run_id:
            return self
        return FailedRun(run_id, at, error, self.in_vain + 1 if in_vain else 0)

    @property
    def pause_until(self) -> int:
        """Until when the schedule starts no other, where none has succeeded yet."""
        if self.in_vain < 2:
            return self.at
        doubled = min(self.in_vain - 2, 8)
        return self.at + min(_FIRST_PAUSE_SECONDS << doubled, _LONGEST_PAUSE_SECONDS)


def error_line(text: str) -> str:
    """The one line of an error that says what happened, at most about 300 characters; "" if there is none.

    Python's last line of a traceback. Of Java's the first line, and the root cause unless the first line says so.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    if any(line.endswith(_TRACEBACK) for line in lines):
        return _short(_after_traceback(lines))
    causes = list(_java(lines))
    while len(causes) > 1 and any(_message(causes[-1]) in said for said in causes[:-1]):
        causes.pop()
    return _short(causes[0]) if len(causes) == 1 else f"{_short(causes[0])}; caused by {_short(causes[-1])}"


def _after_traceback(lines: list[str]) -> str:
    start = max(number for number, line in enumerate(lines) if line.endswith(_TRACEBACK))
    return next((line.strip() for line in lines[start + 1 :] if not line.startswith((" ", "\t"))), lines[-1])


def _java(lines: list[str]) -> Iterator[str]:
    """What happened, and what each thing was caused by."""
    # py4j's first line names an object of its own; the next one is Java's.
    of_py4j = len(lines) > 1 and re.search(r"An error occurred while calling \S+$", lines[0])
    yield lines[1].lstrip(": ") if of_py4j else lines[0]
    for line in lines[1:]:
        if line.startswith("Caused by: "):
            yield line.removeprefix("Caused by: ")


def _message(line: str) -> str:
    """What a line of Java says beside the name of the exception; that if there is nothing else."""
    return line.partition(": ")[2] or line


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."
