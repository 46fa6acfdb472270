"""One PostgreSQL for all schedules."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from chaos.redshift import Redshift, open_redshift


@pytest.fixture(scope="session")
def redshift() -> Iterator[Redshift]:
    with open_redshift() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _without_a_log() -> Iterator[None]:
    """Injected faults would be logged thousands of times."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
