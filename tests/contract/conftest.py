"""What the tests of the load's SQL and of the laptop's Redshift share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.load_kit import Loads, open_loads
from contract.redshift_fixtures import s3
from localaws.endpoint import Endpoint
from localaws.redshift import Postgres


@pytest.fixture(scope="module")
def opened_loads() -> Iterator[Loads]:
    with open_loads() as loads:
        yield loads


@pytest.fixture
def loads(opened_loads: Loads) -> Loads:
    """A warehouse with the product's tables, empty."""
    opened_loads.empty()
    return opened_loads


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres.start() as started:
        yield started


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[Endpoint]:
    with s3() as started:
        yield started
