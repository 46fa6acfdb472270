"""What was answered, beside what is expected; and what AWS once answered otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected.json"
DIFFERENCES = Path(__file__).parent / "differences.json"
_NOT_ASKED = "not asked: "


@dataclass(frozen=True)
class Expected:
    """The answer that AWS's documentation promises, and the page that does.

    `laptop`: what the laptop answers instead where it can't do as AWS does; listed in docs/aws-behaviour.md.
    `only_on_aws`: why the laptop cannot be asked.
    """

    answer: str
    source: str
    laptop: str | None = None
    only_on_aws: str | None = None


@dataclass(frozen=True)
class Compared:
    """One probe's answer. `measured`: a figure that belongs to it and is not compared."""

    probe: str
    expected: str
    found: str
    source: str
    measured: str = ""

    @property
    def asked(self) -> bool:
        """Whether there is an answer to compare; if not, `found` says why."""
        return not self.found.startswith(_NOT_ASKED)

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


def not_asked(reason: str) -> str:
    """The answer of a probe that could not be asked this time."""
    return f"{_NOT_ASKED}{reason}"


def compare(
    found: Mapping[str, str], *, laptop: bool, measured: Mapping[str, str] | None = None
) -> Iterator[Compared]:
    """Every answer, and `no answer` for each probe that is expected and gave none."""
    wanted = expected()
    for probe in [*wanted, *(found.keys() - wanted.keys())]:
        known = wanted.get(probe, Expected("(no expected answer)", ""))
        answer = known.laptop if laptop and known.laptop is not None else known.answer
        skipped = laptop and known.only_on_aws is not None
        missing = not_asked(f"only on AWS: {known.only_on_aws}") if skipped else "no answer"
        figure = (measured or {}).get(probe, "")
        yield Compared(probe, answer, found.get(probe, missing), known.source, figure)


def write_differences(compared: list[Compared], path: Path = DIFFERENCES) -> None:
    """Keep where AWS differs from what was expected: {probe: {expected, aws}}."""
    wrong = [one for one in compared if one.asked and not one.agrees]
    found = {one.probe: {"expected": one.expected, "aws": one.found} for one in wrong}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def differences() -> dict[str, dict[str, str]]:
    """What AWS answered otherwise when it was last asked; empty if it never was."""
    return dict(json.loads(DIFFERENCES.read_text(encoding="utf-8"))) if DIFFERENCES.is_file() else {}
