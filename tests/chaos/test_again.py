"""Replays of everything, and corrections in every order."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from chaos.baton import TO_THE_END
from chaos.compare import found
from chaos.play import in_order
from chaos.product import LAKE
from chaos.redshift import Redshift
from chaos.schedule import schedule
from chaos.settle import Settling, drain, settle
from chaos.steps import take
from chaos.world import World

SEEDS = range(9_000, 9_010)


@pytest.mark.parametrize("seed", SEEDS)
def test_replaying_everything_changes_no_row_and_no_count(redshift: Redshift, seed: int) -> None:
    world = World(redshift)
    with in_order(world):
        try:
            for step in schedule(seed):
                take(step, world)
            assert settle(world, Settling()) == []
            before = everything(world)
            world.go(world.replay(sorted({put.key for put in world.puts})), TO_THE_END)
            assert settle(world, Settling()) == []
            assert everything(world) == before
        finally:
            world.close()


def everything(world: World) -> dict[str, Any]:
    """All rows, states and counts, except the number of loads."""
    ledger = found(world)
    return {
        "logs": sorted(map(str, world.warehouse.rows("select * from app_logs"))),
        "tickets": sorted(map(str, world.warehouse.rows("select * from support_tickets"))),
        "states": {name: ledger.state(file) for name, file in ledger.files.items()},
        "counts": {b.batch_id: (b.counts, b.merged, b.superseded) for b in ledger.batches.values()},
        "lake": Counter(key.rpartition("/")[0] for key in world.objects.sizes(LAKE, "curated/")),
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_corrected_files_old_rows_go_and_its_new_ones_come_whatever_the_order_of_events(
    redshift: Redshift, order: tuple[int, ...]
) -> None:
    """Each event is processed completely before the next one is delivered."""
    world = World(redshift)
    with in_order(world):
        try:
            for lines in (("one", "two"), ("two", "three"), ("three", "four")):
                world.put("app_logs", "a", "\n".join(f"L {text}" for text in lines), 1)
            told, world.messages[:] = list(world.messages), []
            for version in order:
                world.messages.append(told[version])
                assert drain(world) is None
            assert settle(world, Settling()) == []
            rows = world.warehouse.rows("select message from app_logs order by message")
            assert rows == [("four",), ("three",)]
            ledger = found(world)
            states = Counter(ledger.state(file) for file in ledger.files.values())
            assert states == Counter(LOADED=1, SUPERSEDED=2)
        finally:
            world.close()
