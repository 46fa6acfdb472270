"""Run the steps of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chaos.baton import TO_THE_END
from chaos.settle import drain
from chaos.warehouse import OK
from chaos.world import LEASE_SECONDS, World
from gluebook.core.loading import batch_of_statement

Step = dict[str, Any]


def take(step: Step, world: World) -> None:
    """Run one step; a step without a target does nothing."""
    _STEPS[step["do"]](step, world)


def _pick(step: Step, among: Sequence[Any]) -> Any:
    return among[step.get("pick", 0) % len(among)] if among else None


def _put(step: Step, world: World) -> None:
    world.put(step["dataset"], step["name"], "\n".join(step["lines"]), step.get("copies", 1))


def _deliver(step: Step, world: World) -> None:
    world.deliver(step.get("pick", 0), step.get("count", 1), step.get("again", False))


def _go(step: Step, world: World) -> None:
    kind = step.get("kind")
    actor = _pick(step, [actor for actor in world.actors if kind in (None, actor.kind)])
    if actor is not None:
        world.go(actor, step.get("calls", TO_THE_END), step.get("fault"), step.get("until"))


def _statement(step: Step, world: World) -> None:
    # Loads first, then verdicts, so that a schedule's first statement is its load.
    waiting = sorted(world.warehouse.waiting, key=lambda one: batch_of_statement(one.name) is None)
    statement = _pick(step, waiting)
    if statement is not None:
        how = step.get("how", OK)
        kinds = {"conflict": "load_conflict", "forget": "forgotten_statement"}
        world.counts[kinds.get(how, f"warehouse_crash_{how}_commit")] += how != OK
        world.warehouse.play(statement, how)


def _event(step: Step, world: World) -> None:
    told = _pick(step, world.told)
    if told is not None:
        world.hear(told, step.get("copies", 1))


def _timeout(step: Step, world: World) -> None:
    run = _pick(step, [run for run in world.runs if not run.ended])
    if run is not None:
        world.time_out(run)


def _replay(step: Step, world: World) -> None:
    """Replay all versions of one file; nothing if the file is not registered."""
    known = {file.key for file in world.ledger.files()}
    key = _pick(step, sorted(known))
    if key is not None:
        world.replay([key])


def _deny(step: Step, world: World) -> None:
    """Deny or allow all reads of COPY's role."""
    world.warehouse.denied = step["denied"]


def _mend(step: Step, world: World) -> None:
    world.fixed = True


def _drop(step: Step, world: World) -> None:
    """Drop the messages in the queue."""
    world.counts["lost_event"] += len(world.messages)
    world.messages.clear()


def _meanwhile(step: Step, world: World) -> None:
    """One actor stalls while all others run; Glue times out a stalled job run, and its lease expires."""
    stalled = _pick(step, world.actors)
    for run in world.runs:
        if run.actor is stalled and not run.ended:
            world.time_out(run)
    world.forward(LEASE_SECONDS + 100)
    world.tick()
    drain(world, but=stalled)


def _calm(step: Step, world: World) -> None:
    drain(world)


_STEPS = {
    "put": _put,
    "deliver": _deliver,
    "go": _go,
    "statement": _statement,
    "event": _event,
    "tick": lambda step, world: world.tick(),
    "sweep": lambda step, world: world.sweep(),
    "clock": lambda step, world: world.forward(step["seconds"]),
    "race": lambda step, world: world.start_run(step["dataset"]),
    "timeout": _timeout,
    "replay": _replay,
    "mend": _mend,
    "deny": _deny,
    "drop": _drop,
    "meanwhile": _meanwhile,
    "calm": _calm,
}
