"""Generate a schedule from a seed: a plain list of steps, which can be stored as JSON."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from chaos.baton import FAULTS
from chaos.oracle import BROKEN, LONG, POISON, REJECT_ME
from gluebook.contracts.app_logs import APP_LOGS
from gluebook.contracts.support_tickets import SUPPORT_TICKETS

Step = dict[str, Any]

_LOGS, _TICKETS = APP_LOGS.name, SUPPORT_TICKETS.name
# Few names and texts, so that files are corrected and rows repeat in other files.
_NAMES = ("a", "b", "cc")
_TEXTS = tuple(f"text-{number}" for number in range(7))
_ANY = 1_000
_LEASE_AND_MORE = 700


def schedule(seed: int) -> list[Step]:
    """The schedule of a seed."""
    dice = random.Random(seed)
    steps: list[Step] = []
    calm = dice.random() < 0.15
    for _ in range(dice.randint(2, 8)):
        steps.append(_put(dice))
        for _ in range(dice.choice((0, 2, 5, 9, 14))):
            steps += _something(dice, calm)
        if dice.random() < 0.2:
            steps.append({"do": "calm"})
    for _ in range(dice.randint(5, 35)):
        steps += _something(dice, calm)
    if dice.random() < 0.5:
        steps.append({"do": "mend"})
    return steps


# -- files -------------------------------------------------------------------------------------------------


def _put(dice: random.Random) -> Step:
    dataset = dice.choice((_LOGS, _LOGS, _TICKETS))
    copies = dice.choices((1, 0, 2), (8, 2, 2))[0]
    return {
        "do": "put",
        "dataset": dataset,
        "name": dice.choice(_NAMES),
        "lines": _lines(dice, dataset),
        "copies": copies,
    }


def _lines(dice: random.Random, dataset: str) -> list[str]:
    kind = dice.choices(("rows", "broken", "empty", "poison", "rejected", "long"), (70, 7, 8, 5, 6, 4))[0]
    lines = [_line(dice, dataset) for _ in range(dice.randint(1, 5))]
    if kind == "empty":
        return []
    if kind == "broken":
        return [BROKEN, *lines]
    if kind == "poison":
        return [*lines, POISON]
    if kind == "rejected":
        return [*lines, _record(dice, dataset, f"{REJECT_ME}-{dice.randint(1, 3)}")]
    return [*lines, _record(dice, dataset, f"{LONG}-{dice.randint(1, 3)}")] if kind == "long" else lines


def _line(dice: random.Random, dataset: str) -> str:
    if dice.random() < 0.15:
        return "!reject"
    return _record(dice, dataset, dice.choice(_TEXTS))


def _record(dice: random.Random, dataset: str, text: str) -> str:
    if dataset == _LOGS:
        return f"L {text}"
    return f"T {dice.randint(1, 4)} {dice.randint(1, 3)} {dice.randint(1, 3):02d} {text}"


# -- what happens ------------------------------------------------------------------------------------------


def _something(dice: random.Random, calm: bool) -> list[Step]:
    makers = _CALM if calm else _WILD
    ((make, _),) = dice.choices(makers, [weight for _, weight in makers])
    return make(dice)


def _deliver(dice: random.Random) -> list[Step]:
    again = dice.random() < 0.2
    return [{"do": "deliver", "pick": _late(dice), "count": dice.choice((1, 2, 10)), "again": again}]


def _go(dice: random.Random) -> list[Step]:
    return [{"do": "go", "pick": dice.randrange(_ANY)}]


def _go_some(dice: random.Random) -> list[Step]:
    return [{"do": "go", "pick": dice.randrange(_ANY), "calls": dice.choice((1, 2, 4, 8, 16, 32))}]


def _fault(dice: random.Random) -> list[Step]:
    calls = dice.choice((0, 0, 1, 2, 4, 8, 12, 20, 30))
    return [{"do": "go", "pick": dice.randrange(_ANY), "calls": calls, "fault": dice.choice(FAULTS)}]


def _statement(dice: random.Random) -> list[Step]:
    how = dice.choices(("ok", "conflict", "before", "after", "forget"), (36, 16, 16, 16, 10))[0]
    return [{"do": "statement", "pick": dice.randrange(_ANY), "how": how}]


def _load(dice: random.Random) -> list[Step]:
    """The end of a run is delivered, its load is submitted, and the load succeeds or fails."""
    told: list[Step] = [{"do": "event"}, {"do": "go", "kind": "load", "pick": -1}]
    return [{"do": "go", "kind": "run"}, *told, *_statement(dice)]


def _denied(dice: random.Random) -> list[Step]:
    """Access is denied for a while; loads are retried until their retries are exhausted."""
    steps: list[Step] = [{"do": "deny", "denied": True}]
    for _ in range(dice.randint(1, 4)):
        steps += [*_load(dice), {"do": "event"}, {"do": "go", "kind": "load", "pick": -1}]
        steps += [{"do": "clock", "seconds": dice.choice((_LEASE_AND_MORE, 5_000, 90_000))}, {"do": "tick"}]
    if dice.random() < 0.3:
        steps += _replay(dice)
    return [*steps, {"do": "deny", "denied": dice.random() < 0.3}]


def _quiet_statement(dice: random.Random) -> list[Step]:
    return [{"do": "statement", "pick": dice.randrange(_ANY)}]


def _event(dice: random.Random) -> list[Step]:
    return [{"do": "event", "pick": _late(dice), "copies": dice.choices((1, 0, 2), (8, 2, 2))[0]}]


def _tick(dice: random.Random) -> list[Step]:
    return [{"do": dice.choice(("tick", "sweep"))}]


def _clock(dice: random.Random) -> list[Step]:
    return [{"do": "clock", "seconds": dice.choice((60, 310, _LEASE_AND_MORE))}]


def _race(dice: random.Random) -> list[Step]:
    return [{"do": "race", "dataset": dice.choice((_LOGS, _LOGS, _TICKETS))}]


def _zombie(dice: random.Random) -> list[Step]:
    """A run makes progress, and Glue times it out."""
    on = {
        "do": "go",
        "kind": "run",
        "pick": dice.randrange(_ANY),
        "calls": dice.choice((3, 9, 20, 25, 30, 35)),
    }
    return [on, {"do": "timeout", "pick": dice.randrange(_ANY)}]


def _stalled(dice: random.Random) -> list[Step]:
    """An actor stalls until all others have finished their work, once or twice."""
    kind = dice.choice(("run", "run", "run", "load", "sweep", "admit", "replay"))
    on = {"do": "go", "kind": kind, "pick": 0, "calls": dice.randint(1, 45)}
    once: list[Step] = [{"do": "meanwhile", "pick": dice.choice((0, 0, 1))}]
    choices: list[list[Step]] = [[], _replay(dice), [_put(dice)]]
    more = dice.choice(choices)
    return [on, *once, *more, *once, {"do": "go", "pick": 0}]


def _replay(dice: random.Random) -> list[Step]:
    return [{"do": "replay", "pick": dice.randrange(_ANY)}]


def _late_old(dice: random.Random) -> list[Step]:
    """A file is corrected, and the event of the correction arrives first."""
    first, second = _put(dice), _put(dice)
    second |= {"dataset": first["dataset"], "name": first["name"], "copies": 1}
    second["lines"] = _lines(dice, first["dataset"])
    return [
        first | {"copies": 1},
        second,
        {"do": "deliver", "pick": -1, "count": 1},
        {"do": "go", "kind": "admit", "pick": -1},
        *([{"do": "go", "kind": "run", "pick": 0}] if dice.random() < 0.7 else []),
    ]


def _late(dice: random.Random) -> int:
    return dice.choice((0, 0, 0, 1, 2, -1))


Maker = Callable[[random.Random], list[Step]]
_CALM: tuple[tuple[Maker, int], ...] = (
    (_deliver, 20),
    (_go, 30),
    (_go_some, 20),
    (_quiet_statement, 10),
    (_event, 12),
    (_tick, 4),
    (_late_old, 1),
    (_replay, 2),
)
_WILD: tuple[tuple[Maker, int], ...] = (
    (_deliver, 16),
    (_go, 20),
    (_go_some, 20),
    (_fault, 16),
    (_statement, 14),
    (_load, 10),
    (_event, 12),
    (_tick, 6),
    (_clock, 5),
    (_race, 2),
    (_zombie, 4),
    (_replay, 3),
    (_stalled, 4),
    (_late_old, 1),
    (_denied, 2),
)
