"""Sweep: the safety net. Glue's events are best effort, and even a function can be broken for a while."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from gluebook.aws.ports import ObjectsPort
from gluebook.core.claiming import MOST_FILES
from gluebook.core.health import health
from gluebook.core.stamps import stamp
from gluebook.functions.comparing import compare, confirm_loads
from gluebook.functions.corrections import withdraw_superseded
from gluebook.functions.crawl import crawl_if_wanted
from gluebook.functions.parts import Parts
from gluebook.functions.work import Loading, start_if_needed
from gluebook.operations.reconcile import Drift
from gluebook.operations.register import Adopted, Adopting, adopt

_log = logging.getLogger(__name__)
# The raw bucket is walked a bit further in every sweep: this many pages of at most 1,000 versions.
_PAGES = 5
_CURSOR_MARK = "sweep-cursor"
_FAILURES_COUNT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Sweeping:
    """What the sweep works with."""

    loading: Loading
    objects: ObjectsPort
    raw_bucket: str


def sweep(work: Sweeping) -> dict[str, Any]:
    """Repair what can be repaired, and tell of the rest: in what it returns, and as metrics.

    Adopts objects whose event was lost, starts what should be running, takes in loads whose event was lost, has
    superseded file versions taken out, asks for crawls again, compares the warehouse with what the last load
    noted. Nothing here is needed while every event arrives; each part goes on when another fails, and what failed
    is raised in the end, as an ExceptionGroup.
    """
    parts = Parts("sweep")
    adopted = parts.do("adopting objects", lambda: _adopted(work), Adopted())
    parts.note({failure.key: failure.error for failure in adopted.failed})
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
    nothing: list[str] = []
    confirmed = parts.do(f"confirming loads of {dataset}", lambda: confirm_loads(dataset, work), nothing)
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
    unknown: tuple[Drift | None, int] = (None, 0)
    difference, tries = parts.do(
        f"comparing {dataset} with the warehouse", lambda: compare(dataset, work), unknown
    )
    found = {
        **asdict(seen),
        "loads_found": confirmed,
        "withdrawn": withdrawn,
        "drift": asdict(difference) if difference else None,
    }
    apart = {"WarehouseDrift": float(difference.rows_apart)} if difference else {}
    return found, {**seen.metrics(), "DriftUnanswered": float(tries), **apart}


def _failures(dataset: str, work: Loading) -> int:
    return work.ledger.troubles(dataset, stamp(work.clock() - _FAILURES_COUNT_FOR))
