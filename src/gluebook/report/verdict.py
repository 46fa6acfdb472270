"""Can the day's data be trusted? One word, and the reasons.

The suites, not this page, decide how many rejects are too many and how old is too old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from gluebook.core.states import SETTLED, BatchState, FileState
from gluebook.report.model import DatasetDay, ReportData, title_of


class Word(StrEnum):
    """The verdict."""

    YES = "yes"
    RESERVED = "with reservations"
    NO = "no"
    NOTHING = "nothing arrived"


HEADLINES = {
    Word.YES: "Yes, this day's data can be trusted.",
    Word.RESERVED: "Yes, with reservations.",
    Word.NO: "No, not as it is.",
    Word.NOTHING: "Nothing arrived on this day.",
}


@dataclass(frozen=True)
class Reason:
    """Why the verdict is what it is. `weight`: the verdict that this alone would lead to."""

    weight: Word
    text: str


@dataclass(frozen=True)
class Verdict:
    """The answer and its reasons, the most severe first."""

    word: Word
    reasons: tuple[Reason, ...]

    @property
    def headline(self) -> str:
        """The answer as a sentence."""
        return HEADLINES[self.word]


_SEVERITY = {Word.NO: 0, Word.RESERVED: 1, Word.YES: 2, Word.NOTHING: 2}


def judge(data: ReportData) -> Verdict:
    """The verdict on a day. Without any file it is neither good nor bad: nothing arrived."""
    if not data.files:
        text = f"No file with the arrival date {data.day} has been registered, so there is nothing to judge."
        return Verdict(Word.NOTHING, (Reason(Word.NOTHING, text),))
    reasons = [reason for dataset in data.datasets for reason in _of(dataset)]
    reasons.sort(key=lambda reason: _SEVERITY[reason.weight])
    word = reasons[0].weight if reasons else Word.YES
    if word is Word.YES:
        missed = sum(len(dataset.failed) for dataset in data.datasets)
        text = (
            f"{_many(len(data.files), 'file')} arrived and were processed, each of "
            f"{_many(data.counts.read, 'record')} is accounted for, and every expectation was met"
            f"{f' except {missed} of severity info' if missed else ''}."
        )
        reasons = [Reason(Word.YES, text), *reasons]
    return Verdict(word, tuple(reasons))


def _of(dataset: DatasetDay) -> Iterator[Reason]:
    name = title_of(dataset.dataset)
    if not dataset.files:
        yield Reason(Word.RESERVED, f"{name}: nothing arrived, so the day rests on the other data alone.")
        return
    yield from _files(dataset)
    yield from _rows(dataset)
    yield from _checks(dataset)


def _files(dataset: DatasetDay) -> Iterator[Reason]:
    name, states = title_of(dataset.dataset), dataset.states
    rejected = states.get(BatchState.REJECTED.value, 0)
    failed = states.get(FileState.FAILED.value, 0)
    if rejected:
        yield Reason(
            Word.NO,
            f"{name}: {_many(rejected, 'file')} did not pass the gate; none of the rows "
            "are in the warehouse.",
        )
    if failed:
        alone = failed + rejected == len(dataset.files)
        left = "nothing else arrived" if alone else "the other files are not affected"
        yield Reason(
            Word.NO if alone else Word.RESERVED,
            f"{name}: {_many(failed, 'file')} could not be processed; {left}.",
        )
    waiting = sum(count for state, count in states.items() if state not in SETTLED)
    if waiting:
        yield Reason(
            Word.RESERVED,
            f"{name}: {_many(waiting, 'file')} {_is(waiting)} still being processed. Report again later.",
        )


def _rows(dataset: DatasetDay) -> Iterator[Reason]:
    name, counts = title_of(dataset.dataset), dataset.counts
    if not counts.reconciles:
        found = counts.curated + counts.duplicates + counts.rejected
        yield Reason(
            Word.NO,
            f"{name}: {_many(counts.read, 'record')} were read but {found:,} are accounted for.",
        )


def _checks(dataset: DatasetDay) -> Iterator[Reason]:
    name = title_of(dataset.dataset)
    for severity, weight, what in (
        ("critical", Word.NO, "critical expectation"),
        ("warning", Word.RESERVED, "expectation"),
    ):
        failed = [check for check in dataset.failed if check.severity == severity]
        if failed:
            more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
            yield Reason(
                weight,
                f"{name}: {_many(len(failed), what)} {'were' if len(failed) > 1 else 'was'} not met: "
                f'"{failed[0].sentence.rstrip(".")}"{more}.',
            )
    refused = [gated for gated in dataset.gated if not gated.passed]
    if refused and not any(check.severity == "critical" for check in dataset.failed):
        yield Reason(Word.NO, f"{name}: {_many(len(refused), 'batch')} did not pass the gate.")
    if dataset.unchecked:
        yield Reason(
            Word.RESERVED,
            f"{name}: there is no report of the gate on {_many(len(dataset.unchecked), 'batch')} "
            f"({', '.join(dataset.unchecked[:2])}{', …' if len(dataset.unchecked) > 2 else ''}).",
        )


def days_old(newest_at: str, day: date) -> int | None:
    """Days from a time (ISO 8601) to `day`, negative if it is later; None if it is not known."""
    if not newest_at:
        return None
    try:
        moment = datetime.fromisoformat(newest_at)
    except ValueError:
        return None
    return (day - (moment.astimezone(UTC) if moment.tzinfo else moment).date()).days


def _many(count: int, what: str) -> str:
    plural = "es" if what.endswith("ch") else "s"
    return f"{count:,} {what}{'' if count == 1 else plural}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
