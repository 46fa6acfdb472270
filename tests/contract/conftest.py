"""What the tests of the load's SQL share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.load_kit import Loads, open_loads


@pytest.fixture(scope="module")
def opened_loads() -> Iterator[Loads]:
    with open_loads() as loads:
        yield loads


@pytest.fixture
def loads(opened_loads: Loads) -> Loads:
    """A warehouse with the product's tables, empty."""
    opened_loads.empty()
    return opened_loads
