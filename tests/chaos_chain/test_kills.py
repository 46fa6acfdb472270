"""The short form of `make chaos`: the whole chain, once, with everything killed that can be."""

from __future__ import annotations

from chaos_chain.chain import ChaoticChain, Result
from chaos_chain.killers import KILLS


def test_when_job_functions_and_warehouse_are_killed_no_row_is_lost_and_none_doubled(
    chaotic: ChaoticChain,
) -> None:
    assert chaotic.play(("job", "load", "postgres", "events"), uploads=6) == Result()
    killed = {kind for kind in KILLS if chaotic.counts[f"killed_{kind}"]}
    assert killed >= {"job", "load", "postgres"}
