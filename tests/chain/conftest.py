"""One laptop AWS for the ring, gone when the ring is done: moto's state is one per process.

The story it lives through is told in story.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chain.kit import Chain
from chain.story import Story, tell
from gluebook.cli.laptop import laptop


@pytest.fixture(scope="package")
def chain() -> Iterator[Chain]:
    with laptop(lambda stage: None) as running:
        yield Chain(running)


@pytest.fixture(scope="package")
def story(chain: Chain) -> Story:
    return tell(chain)
