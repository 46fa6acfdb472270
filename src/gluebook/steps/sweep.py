"""Sweep: the safety net. Glue's events are best effort, and even a function can be broken for a while."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from gluebook.aws.objects import Objects
from gluebook.clock import stamp
from gluebook.core.claiming import MOST_FILES
from gluebook.core.health import Health, health
from gluebook.core.load_sql import confirm_sql
from gluebook.core.model import Batch
from gluebook.core.states import BatchState
from gluebook.datasets import contract
from gluebook.errors import TerminalError, WarehouseBusy
from gluebook.steps.corrections import withdraw_superseded
from gluebook.steps.crawl import crawl_if_wanted
from gluebook.steps.parts import Parts
from gluebook.steps.reconcile import Drift, drift
from gluebook.steps.register import Adopted, Adopting, adopt
from gluebook.steps.work import Loading, loaded_mark, note_loaded, start_if_needed

_log = logging.getLogger(__name__)
T = TypeVar("T")
# Two datasets, two queries each, within the function's three minutes.
_QUERY_TIMEOUT_SECONDS = 30
# The raw bucket is walked a bit further in every sweep: this many pages of at most 1,000 versions.
_PAGES = 5
_CURSOR_MARK = "sweep-cursor"
_FAILURES_COUNT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Sweeping:
    """What the sweep works with."""

    loading: Loading
    objects: Objects
    raw_bucket: str


def sweep(work: Sweeping) -> dict[str, Any]:
    """Repair what can be repaired, and tell of the rest: in what it returns, and as metrics.

    Adopts objects whose event was lost, starts what should be running, takes in loads that nobody told of, has
    superseded file versions taken out, asks for crawls again, compares the warehouse with what the last load
    noted. Nothing here is needed while every event arrives; each part goes on when another fails, and what failed
    is raised in the end, as an ExceptionGroup.
    """
    parts = Parts("sweep")
    adopted = parts.do("adopting objects", lambda: _adopted(work), Adopted())
    parts.note([failure.error for failure in adopted.failed])
    found: dict[str, Any] = {"adopted": adopted.registered, "not_registered": len(adopted.failed)}
    for dataset in work.loading.job_names:
        found[dataset], metrics = _sweep_dataset(dataset, work.loading, parts)
        work.loading.tell(dataset, metrics)
    found["outside_convention"] = _failures("", work.loading)
    work.loading.tell(
        "none", {"Failures": found["outside_convention"], "ObjectsNotRegistered": len(adopted.failed)}
    )
    _log.info("swept: %s", found)
    parts.raise_what_failed()
    return found


def _adopted(work: Sweeping) -> Adopted:
    """Walk on through the raw bucket from where the last sweep stopped, and from the start after the end."""
    ledger = work.loading.ledger
    adopting = Adopting(ledger, work.objects, work.raw_bucket, work.loading.clock, "found by the sweep")
    after = ledger.mark(_CURSOR_MARK) or ""
    adopted, last = Adopted(), ""
    for page in islice(work.objects.versions(work.raw_bucket, "", after), _PAGES):
        adopted += adopt(page, adopting)
        last = page[-1].key
        ledger.set_mark(_CURSOR_MARK, last)
    if not last and after:
        ledger.clear_mark(_CURSOR_MARK)
    if adopted.registered:
        _log.warning("adopted %d objects whose event was lost", adopted.registered)
    return adopted


def _sweep_dataset(dataset: str, work: Loading, parts: Parts) -> tuple[dict[str, Any], dict[str, float]]:
    """What was found of a dataset, and its metrics."""
    ledger = work.ledger
    loading = [b for b in ledger.open_batches(dataset) if b.state is BatchState.LOADING]
    nothing: list[str] = []
    confirmed = (
        parts.do(f"confirming loads of {dataset}", lambda: _confirmed(loading, work), nothing)
        if loading
        else []
    )
    withdrawn = parts.do(
        f"withdrawing what is superseded of {dataset}", lambda: withdraw_superseded(dataset, work), nothing
    )
    parts.do(f"starting the job of {dataset}", lambda: start_if_needed(dataset, work), None)
    crawl_if_wanted(dataset, work)
    seen = health(
        ledger.pending(dataset, MOST_FILES),
        ledger.open_batches(dataset),
        _failures(dataset, work),
        work.clock(),
        ledger.verdicts(dataset),
    )
    difference = parts.do(
        f"comparing {dataset} with the warehouse", lambda: _difference(dataset, seen, work), None
    )
    found = {
        **asdict(seen),
        "loads_found": confirmed,
        "withdrawn": withdrawn,
        "drift": asdict(difference) if difference else None,
    }
    apart = {"WarehouseDrift": float(difference.rows_apart)} if difference else {}
    return found, {**seen.metrics(), **apart}


def _failures(dataset: str, work: Loading) -> int:
    return work.ledger.troubles(dataset, stamp(work.clock() - _FAILURES_COUNT_FOR))


def _difference(dataset: str, seen: Health, work: Loading) -> Drift | None:
    """How far the warehouse is from what was loaded; asked once after each time that something was loaded.

    Not in every sweep, because each question keeps the warehouse awake, and not while a load may be changing it.
    """
    newest = work.ledger.mark(loaded_mark(dataset))
    if seen.open or newest is None or newest == work.ledger.mark(f"compared:{dataset}"):
        return None
    try:
        found = drift(contract(dataset), work.warehouse, timeout_seconds=_QUERY_TIMEOUT_SECONDS)
    except (WarehouseBusy, TerminalError) as error:
        _log.error("the warehouse could not be compared with what was loaded: %s", error)
        return None
    work.ledger.set_mark(f"compared:{dataset}", newest)
    if found.rows_apart:
        _log.error("%s in the warehouse isn't what was loaded: %s", dataset, found)
    return found


def _confirmed(loading: list[Batch], work: Loading) -> list[str]:
    """What `confirm_loads` finds; nothing if the warehouse doesn't answer, which must not stop the rest."""
    try:
        return confirm_loads(loading, work)
    except (WarehouseBusy, TerminalError) as error:
        _log.error("the warehouse could not be asked about %d loads: %s", len(loading), error)
        return []


def confirm_loads(loading: list[Batch], work: Loading) -> list[str]:
    """Mark batches LOADED that the warehouse has, by its own word; their ids.

    Asks `etl_loads` with a statement of its own: another function's statements can't be looked at.
    """
    wanted = {(batch.batch_id, batch.generation): batch for batch in loading}
    sql = confirm_sql(sorted({batch.batch_id for batch in loading}))
    confirmed = []
    for batch_id, generation, *counts in work.warehouse.query(
        sql, timeout_seconds=_QUERY_TIMEOUT_SECONDS
    ).rows:
        batch = wanted.get((batch_id, int(generation)))
        if batch is None:
            continue
        if note_loaded(batch, counts, "found in etl_loads", work):
            confirmed.append(batch.batch_id)
    return confirmed
