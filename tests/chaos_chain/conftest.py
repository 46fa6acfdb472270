"""One laptop AWS for the ring, gone when the ring is done: moto's state is one per process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos_chain.chain import ChaoticChain, chaotic_chain


@pytest.fixture(scope="package")
def chaotic() -> Iterator[ChaoticChain]:
    with chaotic_chain(1) as made:
        yield made
