"""A laptop AWS to ask, and what only it lets a probe do: look at its record of requests, let time pass."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localaws.iam import UsageReport
from localaws.stack import LocalAws
from verify_aws.kit import Place


class Clock:
    """Seconds since 1970, ahead of the machine's by what has been let pass."""

    def __init__(self) -> None:
        self._ahead_seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead_seconds

    def let_pass(self, seconds: float) -> None:
        """Be further ahead."""
        self._ahead_seconds += seconds


class Laptop:
    """A running laptop AWS."""

    def __init__(self, aws: LocalAws, clock: Clock) -> None:
        self._aws = aws
        self.clock = clock

    def report(self) -> UsageReport:
        """What roles have used and were refused."""
        return self._aws.report()


@contextmanager
def on_laptop() -> Iterator[Place]:
    """The probes' place on a laptop AWS of its own; everything is gone afterwards."""
    clock = Clock()
    with LocalAws(schedule_speed=None, clock=clock) as aws, tempfile.TemporaryDirectory() as folder:
        variables = aws.endpoint.environment()
        keys = {
            "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
        }
        place = Place(
            variables["AWS_DEFAULT_REGION"],
            aws.endpoint.url,
            keys,
            kept=Path(folder) / "kept.json",
            laptop=Laptop(aws, clock),
        )
        with place.cleaning:
            yield place
