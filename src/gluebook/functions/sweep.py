"""Sweep: the scheduled repair. Glue's events are best effort, and functions can fail for a while."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from typing import Any

from gluebook.core.claiming import MOST_FILES
from gluebook.core.health import health
from gluebook.core.timestamps import utc_timestamp
from gluebook.functions.context import LoadContext, SweepContext
from gluebook.functions.corrections import withdraw_superseded
from gluebook.functions.crawl import crawl_if_wanted
from gluebook.functions.drift import check_drift, confirm_loads
from gluebook.functions.independent_steps import IndependentSteps
from gluebook.functions.runs import start_if_needed
from gluebook.operations.reconcile import Drift
from gluebook.operations.register import RegisterContext, Registrations, register_missing

_log = logging.getLogger(__name__)
# Each sweep lists the next part of the raw bucket: this many pages of at most 1,000 versions.
_PAGES = 5
_CURSOR_MARK = "sweep-cursor"
_FAILURES_COUNT_FOR = timedelta(days=1)


def sweep(context: SweepContext) -> dict[str, Any]:
    """Repair what can be repaired, and report the rest in the result and as metrics.

    Registers objects whose event was lost, starts jobs, settles loads whose event was lost, withdraws superseded
    file versions, retries crawls, compares the warehouse with the last load. Nothing here is needed while every
    event arrives. The steps are independent; failures are raised at the end as an ExceptionGroup.
    """
    steps = IndependentSteps("sweep")
    registrations = steps.run("registering objects", lambda: _register_missing(context), Registrations())
    steps.add_failures({failure.key: failure.error for failure in registrations.failed})
    found: dict[str, Any] = {
        "registered": registrations.registered,
        "not_registered": len(registrations.failed),
    }
    for dataset in context.loading.job_names:
        found[dataset], metrics = _sweep_dataset(dataset, context.loading, steps)
        context.loading.emit_metrics(dataset, metrics)
    found["outside_convention"] = _failures("", context.loading)
    context.loading.emit_metrics(
        "none", {"Failures": found["outside_convention"], "ObjectsNotRegistered": len(registrations.failed)}
    )
    _log.info("swept: %s", found)
    steps.raise_failures()
    return found


def _register_missing(context: SweepContext) -> Registrations:
    """List the raw bucket from where the last sweep stopped, and from the start after the end."""
    ledger = context.loading.ledger
    registering = RegisterContext(
        ledger, context.objects, context.raw_bucket, context.loading.clock, "found by the sweep"
    )
    after = ledger.mark(_CURSOR_MARK) or ""
    registrations, last = Registrations(), ""
    for page in islice(context.objects.versions(context.raw_bucket, "", after), _PAGES):
        registrations += register_missing(page, registering)
        last = page[-1].key
        ledger.set_mark(_CURSOR_MARK, last)
    if not last and after:
        ledger.clear_mark(_CURSOR_MARK)
    if registrations.registered:
        _log.warning("registered %d objects whose event was lost", registrations.registered)
    return registrations


def _sweep_dataset(
    dataset: str, context: LoadContext, steps: IndependentSteps
) -> tuple[dict[str, Any], dict[str, float]]:
    """The findings about a dataset, and its metrics."""
    ledger = context.ledger
    nothing: list[str] = []
    confirmed = steps.run(f"confirming loads of {dataset}", lambda: confirm_loads(dataset, context), nothing)
    withdrawn = steps.run(
        f"withdrawing superseded files of {dataset}", lambda: withdraw_superseded(dataset, context), nothing
    )
    steps.run(f"starting the job of {dataset}", lambda: start_if_needed(dataset, context), None)
    crawl_if_wanted(dataset, context)
    seen = health(
        ledger.pending(dataset, MOST_FILES),
        ledger.open_batches(dataset),
        _failures(dataset, context),
        context.clock(),
        ledger.verdicts(dataset),
    )
    unknown: tuple[Drift | None, int] = (None, 0)
    difference, tries = steps.run(
        f"comparing {dataset} with the warehouse", lambda: check_drift(dataset, context), unknown
    )
    found = {
        **asdict(seen),
        "loads_found": confirmed,
        "withdrawn": withdrawn,
        "drift": asdict(difference) if difference else None,
    }
    apart = {"WarehouseDrift": float(difference.rows_apart)} if difference else {}
    return found, {**seen.metrics(), "DriftUnanswered": float(tries), **apart}


def _failures(dataset: str, context: LoadContext) -> int:
    return context.ledger.count_failures(dataset, utc_timestamp(context.clock() - _FAILURES_COUNT_FOR))
