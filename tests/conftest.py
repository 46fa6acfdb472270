"""What holds for every ring of tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Two shared cores may be busy with Spark: how long an example takes says nothing about the code.
settings.register_profile("gluebook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gluebook")


@pytest.fixture
def gluebook_logger() -> Iterator[logging.Logger]:
    """The logger as it is before anybody has configured it; put back afterwards."""
    logger = logging.getLogger("gluebook")
    before = (logger.handlers, logger.propagate, logger.level)
    logger.handlers, logger.propagate = [], True
    yield logger
    logger.handlers, logger.propagate = before[0], before[1]
    logger.setLevel(before[2])
