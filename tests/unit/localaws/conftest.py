"""Fixtures of the tests of localaws."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.localaws.iam_laptop import Laptop, running


@pytest.fixture(scope="module")
def laptop() -> Iterator[Laptop]:
    """A server behind the Authorizer, for the tests of a module."""
    with running() as one:
        yield one
