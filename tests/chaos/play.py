"""Play a schedule: run its steps, let everything settle, compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from unittest import mock

from chaos.baton import InLine
from chaos.compare import Problem, found
from chaos.oracle import BROKEN, POISON
from chaos.redshift import Redshift
from chaos.settle import Settling, settle
from chaos.steps import Step, take
from chaos.world import World

# A problem of the test harness, not of the product.
BROKEN_WORLD = "broken world"


@dataclass(frozen=True)
class Outcome:
    """The result of a schedule. `errors`: errors that ended invocations and runs, other than crashes."""

    problems: tuple[Problem, ...]
    counts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    errors: tuple[str, ...] = ()


def play(steps: Sequence[Step], redshift: Redshift, settling: Settling = Settling()) -> Outcome:  # noqa: B008
    """Play a schedule; deterministic."""
    world = World(redshift)
    with in_order(world):
        try:
            for step in steps:
                take(step, world)
            problems = settle(world, settling)
        except AssertionError as broken:
            problems = [Problem(BROKEN_WORLD, str(broken))]
        finally:
            world.close()
    _count_files(world)
    world.counts["access_denied"] = world.warehouse.denials
    ledger = found(world)
    states = Counter(ledger.state(file) for file in ledger.files.values())
    return Outcome(tuple(problems), world.counts, states, tuple(world.errors))


def _count_files(world: World) -> None:
    """Kinds of files, and versions that were registered after a later one of their key."""
    world.counts["poison_file"] += sum(POISON in put.lines for put in world.puts)
    world.counts["broken_file"] += sum(BROKEN in put.lines for put in world.puts)
    since = {(file.key, file.version_id): file.registered_at for file in world.ledger.files()}
    for earlier, later in combinations(world.puts, 2):
        if earlier.key == later.key and since.get(later.name, "9") < since.get(earlier.name, "9"):
            world.counts["late_old_version"] += 1


@contextmanager
def in_order(world: World) -> Iterator[None]:
    """Make everything deterministic that depends on order or time."""
    with (
        mock.patch("gluebook.aws.parallel.ThreadPoolExecutor", InLine),
        mock.patch("gluebook.job.claim.new_batch_id", world.new_batch_id),
        mock.patch("gluebook.functions.context.emit", lambda line: None),
    ):
        yield
