"""What holds for every ring of tests."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from localaws.s3 import ObjectCreated

# Two shared cores may be busy with Spark: how long an example takes says nothing about the code.
settings.register_profile("gluebook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("gluebook"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gluebook"))


@pytest.fixture
def gluebook_logger() -> Iterator[logging.Logger]:
    """The logger as it is before anybody has configured it; put back afterwards."""
    logger = logging.getLogger("gluebook")
    before = (logger.handlers, logger.propagate, logger.level)
    logger.handlers, logger.propagate = [], True
    yield logger
    logger.handlers, logger.propagate = before[0], before[1]
    logger.setLevel(before[2])


@pytest.fixture
def told() -> Iterator[list[ObjectCreated]]:
    """The notifications that moto's S3 in this process sends for new objects, in order."""
    from localaws.s3 import listen_to_objects  # loads moto, which most tests do without

    events: list[ObjectCreated] = []
    stop = listen_to_objects(events.append)
    yield events
    stop()


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go during the test; empty at first."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
