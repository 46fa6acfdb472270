"""What was answered, beside what is expected; and what AWS once answered otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected.json"
DIFFERENCES = Path(__file__).parent / "differences.json"


@dataclass(frozen=True)
class Expected:
    """The answer that AWS's documentation promises, and the page that does.

    `laptop`: what the laptop answers instead where it can't do as AWS does; listed in docs/aws-behaviour.md.
    """

    answer: str
    source: str
    laptop: str | None = None


@dataclass(frozen=True)
class Compared:
    """One probe's answer."""

    probe: str
    expected: str
    found: str
    source: str

    @property
    def agrees(self) -> bool:
        """Whether it is the expected one."""
        return self.found == self.expected


def expected() -> dict[str, Expected]:
    """By probe."""
    return {
        probe: Expected(**fields)
        for probe, fields in json.loads(EXPECTED.read_text(encoding="utf-8")).items()
    }


def compare(found: Mapping[str, str], *, laptop: bool) -> Iterator[Compared]:
    """Every answer, and `not asked` for each probe that is expected and was not made."""
    wanted = expected()
    for probe in [*wanted, *(found.keys() - wanted.keys())]:
        known = wanted.get(probe, Expected("(no expected answer)", ""))
        answer = known.laptop if laptop and known.laptop is not None else known.answer
        yield Compared(probe, answer, found.get(probe, "not asked"), known.source)


def write_differences(compared: list[Compared], path: Path = DIFFERENCES) -> None:
    """Keep where AWS differs from what was expected: {probe: {expected, aws}}."""
    found = {one.probe: {"expected": one.expected, "aws": one.found} for one in compared if not one.agrees}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def differences() -> dict[str, dict[str, str]]:
    """What AWS answered otherwise when it was last asked; empty if it never was."""
    return dict(json.loads(DIFFERENCES.read_text(encoding="utf-8"))) if DIFFERENCES.is_file() else {}
