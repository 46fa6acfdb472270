"""One laptop AWS for the ring; the story it lives through is told in story.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chain.kit import Chain
from chain.story import Story, tell
from gluebook.cli.laptop import laptop


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    with laptop(lambda stage: None) as running:
        yield Chain(running)


@pytest.fixture(scope="session")
def story(chain: Chain) -> Story:
    return tell(chain)
