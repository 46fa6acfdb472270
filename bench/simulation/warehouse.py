"""The Data API, the catalog and Glue's jobs, as far as the functions see them."""

# The ports' arguments, used or not.
# ruff: noqa: ARG002

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from bench.simulation.clock import SimulatedClock
from bench.simulation.meter import Meter
from gluebook.contracts import CONTRACTS
from gluebook.core.loading import batch_of_statement
from gluebook.core.statements import Rows, Statement
from gluebook.errors import WarehouseBusy

_LOCK = re.compile(r"lock table (\w+)")
_NOTHING = Rows(("name",), [])
_NO_DRIFT = Rows(("table_rows", "noted_rows", "loads", "doubled_loads", "doubled_keys"), [(0, None, 0, 0, 0)])
_COUNTS = Rows(("rows_merged", "rows_superseded", "rows_retracted"), [(1, 0, 0)])
_FULL = "ERROR: Disk Full"


@dataclass(frozen=True)
class Ran:
    """A statement: when it was submitted, when it began, when and how it ends."""

    name: str
    submitted: float
    begins: float
    ends: float
    status: str


class Warehouse:
    """Statements wait for the table that they lock first, in the order in which they were submitted.

    seconds   how long a statement of this name takes; fails: whether it fails
    on_end    is told of every statement that was submitted under a name
    """

    def __init__(
        self,
        clock: SimulatedClock,
        meter: Meter,
        seconds: Callable[[str], float],
        fails: Callable[[str], bool],
        on_end: Callable[[str, Ran], None],
    ) -> None:
        self._clock, self._meter = clock, meter
        self._seconds, self._fails, self._on_end = seconds, fails, on_end
        self._free: dict[str, float] = {}
        self._by_token: dict[str, str] = {}
        self._loaded: dict[str, float] = {}
        self.statements: dict[str, Ran] = {}
        self._active: list[float] = []

    def submit(self, sqls: list[str], *, name: str, token: str) -> str:
        """As the real one: a token gives the same statement again."""
        if token in self._by_token:
            return self._by_token[token]
        at, meter = self._clock.time, self._meter
        self._active = [ends for ends in self._active if ends > at]
        if meter.observe("statements", len(self._active) + 1, at):
            raise WarehouseBusy(f"the Data API refused statement {name}")
        meter.count("submitted", at)
        meter.observe(
            "statement size", max(len(sql.encode()) for sql in sqls) / 1024, at, name.partition(":")[0]
        )
        meter.observe("statement parts", len(sqls), at, name.partition(":")[0])
        number = self._begin(sqls, name)
        self._by_token[token] = number
        self._on_end(number, self.statements[number])
        return number

    def submit_query(self, sql: str, *, name: str) -> str:
        """As the real one."""
        return self._begin([sql], name)

    def statement(self, statement_id: str) -> Statement | None:
        """As the real one."""
        ran = self.statements[statement_id]
        ended = self._clock.time >= ran.ends
        error = _FULL if ended and ran.status == "FAILED" else ""
        return Statement(statement_id, ran.status if ended else "STARTED", error, result_id=statement_id)

    def result(self, statement_id: str) -> Rows:
        """As the real one."""
        if statement_id.startswith("schema"):
            return _NOTHING
        ran = self.statements[statement_id]
        if ran.name.startswith("gluebook-drift"):
            return _NO_DRIFT
        if ran.name.startswith("gluebook-loads"):
            known = (batch for batch, ends in self._loaded.items() if ends <= ran.ends)
            rows = [(batch, 1, *_COUNTS.rows[0]) for batch in known]
            return Rows(("batch_id", "generation", *_COUNTS.columns), rows)
        return _COUNTS

    def run(self, sqls: list[str], *, name: str, timeout_seconds: float) -> str:
        """The tables are there at once."""
        return "schema"

    def query(self, sql: str, *, timeout_seconds: float = 600) -> Rows:
        """For operators, of whom there are none."""
        _not_here()

    def _begin(self, sqls: list[str], name: str) -> str:
        at, seconds = self._clock.time, self._seconds(name)
        lock = match[1] if (match := _LOCK.match(sqls[0])) else ""
        begins = max(at, self._free.get(lock, 0.0)) if lock else at
        expires = at + self._meter.limits["statement time"].most * 3600
        ends, status = begins + seconds, "FAILED" if self._fails(name) else "FINISHED"
        self._meter.observe("statement time", (ends - at) / 3600, min(ends, expires), name.partition(":")[0])
        if ends > expires:
            begins, ends, status = min(begins, expires), expires, "ABORTED"
        if lock:
            self._free[lock] = max(ends, self._free.get(lock, 0.0)) if begins < ends else self._free[lock]
        number = f"statement-{len(self.statements) + 1}"
        self.statements[number] = Ran(name, at, begins, ends, status)
        self._active.append(ends)
        if status == "FINISHED" and (batch := batch_of_statement(name)):
            self._loaded[batch] = ends
        return number


class Catalog:
    """The catalog after the last crawl; `on_start` is told of a crawl."""

    def __init__(self, published: Callable[[str], set[str]], on_start: Callable[[str], None]) -> None:
        self._published, self._on_start = published, on_start
        self._known: dict[str, set[str]] = {}
        self._running: set[str] = set()

    def partitions(self, table: str) -> set[str] | None:
        """As the real one."""
        return self._known.get(table)

    def columns(self, table: str) -> tuple[str, ...]:
        """As the real one."""
        return tuple(name.lower() for name in CONTRACTS[table].names) if table in self._known else ()

    def start_crawler(self, crawler: str) -> bool:
        """As the real one; crawlers are named like datasets here."""
        if crawler in self._running:
            return False
        self._running.add(crawler)
        self._on_start(crawler)
        return True

    def end(self, crawler: str) -> None:
        """The crawl is over."""
        self._running.remove(crawler)
        self._known[crawler] = self._published(crawler)


class Jobs:
    """Glue: `at_once` runs of each job, named like its dataset; `on_start` is told of a run."""

    def __init__(self, at_once: int, on_start: Callable[[str, str], None]) -> None:
        self._at_once, self._on_start = at_once, on_start
        self._running: dict[str, set[str]] = {}
        self.started = 0

    def start(self, job: str) -> str | None:
        """As the real one."""
        running = self._running.setdefault(job, set())
        if len(running) >= self._at_once:
            return None
        self.started += 1
        run = f"jr_{self.started}"
        running.add(run)
        self._on_start(job, run)
        return run

    def end(self, job: str, run: str) -> None:
        """The run is over."""
        self._running[job].remove(run)


def _not_here() -> NoReturn:
    raise AssertionError("nobody queries the warehouse by hand in the simulation")
