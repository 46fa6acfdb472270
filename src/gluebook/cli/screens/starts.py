"""The job runs that a command has started, or why none was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gluebook.operations.jobs import JobStart


def starts(started: Mapping[str, JobStart]) -> list[str]:
    """A line for each dataset."""
    return [f"{dataset}: {start}" for dataset, start in started.items()]


def starts_json(started: Mapping[str, JobStart]) -> dict[str, Any]:
    """The same as JSON values."""
    return {dataset: asdict(start) for dataset, start in started.items()}
