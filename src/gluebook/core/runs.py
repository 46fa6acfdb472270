"""The recorded outcome of job runs: that one has succeeded, and why the last one failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

# After the first failure the next schedule retries; then the pauses grow, because each run is billed for at least
# a minute.
_FIRST_PAUSE_SECONDS = 300
_LONGEST_PAUSE_SECONDS = 3600
_LONGEST_LINE = 300
# The stored name of `without_claim`; it stays.
_WITHOUT_CLAIM = "in_vain"
_TRACEBACK = "Traceback (most recent call last):"


def proven_mark(dataset: str) -> str:
    """The name of the mark for the first run of a dataset's job that succeeded."""
    return f"proven:{dataset}"


def failed_run_mark(dataset: str) -> str:
    """The name of the mark for the last run of a dataset's job, if it failed."""
    return f"failed-run:{dataset}"


@dataclass(frozen=True)
class FailedRun:
    """The last run of a dataset's job, which failed.

    at              seconds since 1970
    error           its last error line
    without_claim   number of runs in a row, including this one, that failed before they claimed anything
    """

    run_id: str
    at: int
    error: str
    without_claim: int = 0

    def to_text(self) -> str:
        """The value of its mark."""
        values = asdict(self)
        values[_WITHOUT_CLAIM] = values.pop("without_claim")
        return json.dumps(values, ensure_ascii=False)

    @staticmethod
    def from_text(text: str | None) -> FailedRun | None:
        """The run that `to_text` wrote; None for None."""
        if not text:
            return None
        values = json.loads(text)
        return FailedRun(values["run_id"], values["at"], values["error"], values.get(_WITHOUT_CLAIM, 0))

    def then(self, run_id: str, at: int, error: str, without_claim: bool) -> FailedRun:
        """The next failed run; this one if the same run is reported twice."""
        if run_id == self.run_id:
            return self
        return FailedRun(run_id, at, error, self.without_claim + 1 if without_claim else 0)

    @property
    def pause_until(self) -> int:
        """The schedule starts no run before this time if none has succeeded yet."""
        if self.without_claim < 2:
            return self.at
        doubled = min(self.without_claim - 2, 8)
        return self.at + min(_FIRST_PAUSE_SECONDS << doubled, _LONGEST_PAUSE_SECONDS)


def error_line(text: str) -> str:
    """The line of an error that says what happened, at most about 300 characters; "" if there is none.

    Of a Python traceback, the exception's line; of a Java one, the first line and the root cause if it adds anything.
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
    """The exception's line and the lines of its causes."""
    # The first line of py4j names its own object; Java's exception follows.
    of_py4j = len(lines) > 1 and re.search(r"An error occurred while calling \S+$", lines[0])
    yield lines[1].lstrip(": ") if of_py4j else lines[0]
    for line in lines[1:]:
        if line.startswith("Caused by: "):
            yield line.removeprefix("Caused by: ")


def _message(line: str) -> str:
    """The message of a Java exception's line; the whole line if it has no message."""
    return line.partition(": ")[2] or line


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."
