"""Let everything settle: all actors run without further faults until no work is left."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.baton import TO_THE_END, Actor
from chaos.compare import Problem, compare, innocents
from chaos.product import JOBS
from chaos.warehouse import OK
from chaos.world import LEASE_SECONDS, World
from gluebook.core.model import Batch
from gluebook.core.states import BatchState

_MOST_ROUNDS = 40
_MOST_DRAINS = 400
_MOST_REPLAYS = 3
_RETRIES_TAKE_ROUNDS, _RETRY_SECONDS = 10, 4 * 3_600


@dataclass(frozen=True)
class Settling:
    """What settles the pipeline: the scheduled functions, and an operator who replays failures."""

    sweeps: bool = True
    ticks: bool = True
    replays: bool = True


def settle(world: World, settling: Settling) -> list[Problem]:
    """Run without further faults until everything is settled; returns the problems."""
    world.warehouse.denied = False
    stuck = _rest(world, settling)
    if stuck:
        return [stuck, *compare(world)]
    explained = (
        world.counts["run_died"] + world.counts["zombie"] - world.counts["poison_death"] >= _MOST_REPLAYS
    )
    for _ in range(_MOST_REPLAYS if settling.replays else 0):
        again = _to_replay(world, explained)
        if not again:
            break
        keys = {file.key for batch in again for file in world.ledger.batch_files(batch.batch_id)}
        world.go(world.replay(sorted(keys)), TO_THE_END)
        stuck = _rest(world, settling)
        if stuck:
            return [stuck, *compare(world)]
    return compare(world)


def _to_replay(world: World, explained: bool) -> list[Batch]:
    """Files that an operator replays: rejected by the gate before the suite was fixed, with exhausted loads, and
    good files that failed with a bad one."""
    return [
        batch
        for batch in world.repeatable()
        if batch.given_up
        or (batch.state is BatchState.REJECTED and world.fixed)
        or (batch.state is BatchState.FAILED and explained and innocents(batch, world))
    ]


def _rest(world: World, settling: Settling) -> Problem | None:
    for number in range(_MOST_ROUNDS):
        stuck = drain(world)
        if stuck:
            return stuck
        if _is_quiet(world):
            if settling.sweeps:
                world.go(world.sweep(), TO_THE_END)
            if _is_quiet(world):
                return None
        # After many failures the pauses are long.
        world.forward(LEASE_SECONDS + 100 if number < _RETRIES_TAKE_ROUNDS else _RETRY_SECONDS)
        if settling.ticks:
            world.tick()
        if settling.sweeps:
            world.sweep()
        if not (settling.ticks or settling.sweeps or world.messages):
            return None
    return Problem("stuck", f"not at rest after {_MOST_ROUNDS} rounds: {_unrest(world)}")


def drain(world: World, but: Actor | None = None) -> Problem | None:
    """Run all actors, `but` one, until none has work at this time."""
    for _ in range(_MOST_DRAINS):
        moving = [actor for actor in world.actors if actor is not but]
        if moving:
            world.go(moving[0], TO_THE_END)
        elif world.due():
            world.deliver(0, 10, again=False)
        elif world.warehouse.waiting:
            world.warehouse.play(world.warehouse.waiting[0], OK)
        elif world.told:
            world.hear(world.told[0], 1)
        else:
            return None
    return Problem("stuck", f"no end of it: {_unrest(world)}")


def _is_quiet(world: World) -> bool:
    return not _unrest(world)


def _unrest(world: World) -> list[str]:
    found = [f"message {message.body}" for message in world.messages]
    found += [f"event {told.event}" for told in world.told]
    found += [f"{actor.name} before {actor.last}" for actor in world.actors]
    for dataset in JOBS:
        open_now = world.ledger.open_batches(dataset)
        waits = any(batch.given_up for batch in open_now)
        found += [f"pending {file.key}" for file in world.ledger.pending(dataset, 1000)]
        found += [
            f"batch {b.batch_id} {b.state} attempts {b.attempts} generation {b.generation}"
            for b in open_now
            # The batch waits for an operator, and so do its corrections.
            if not b.given_up
        ]
        found += [f"verdict on {noted.batch_id}" for noted in world.ledger.verdicts(dataset)]
        found += [f"correction of {seen.key}" for seen in world.ledger.corrections(dataset) if not waits]
    known = {(file.key, file.version_id) for file in world.ledger.files()}
    return found + [f"unregistered {put.key}" for put in world.puts if put.name not in known]
