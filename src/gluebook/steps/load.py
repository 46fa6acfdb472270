"""Load: react to ended job runs, statements and crawls, and on a schedule to those whose event got lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from gluebook.aws.ledger import Ledger
from gluebook.aws.services import Catalog, Jobs, Statement, Warehouse
from gluebook.clock import Clock, stamp
from gluebook.core.events import CrawlEnded, Event, JobEnded, StatementEnded, Tick
from gluebook.core.keys import Lake
from gluebook.core.load_sql import LoadRequest, load_sql, schema_fingerprint, schema_sql
from gluebook.core.loading import (
    MOST_LOADS,
    CrawlPolicy,
    batch_of_statement,
    client_token,
    crawl_needed,
    statement_name,
)
from gluebook.core.model import Batch
from gluebook.core.states import LEASED_STATES, BatchState
from gluebook.datasets import CONTRACTS, contract
from gluebook.errors import Fenced, WarehouseBusy

_log = logging.getLogger(__name__)
_SCHEMA_MARK = "warehouse-schema"
# The warehouse may have to wake up first.
_SCHEMA_TIMEOUT_SECONDS = 90.0


@dataclass(frozen=True)
class Loading:
    """What the load step works with. `job_names` and `crawlers` are by dataset."""

    ledger: Ledger
    jobs: Jobs
    warehouse: Warehouse
    catalog: Catalog
    lake: Lake
    job_names: Mapping[str, str]
    crawlers: Mapping[str, str]
    copy_role_arn: str
    crawl_policy: CrawlPolicy
    clock: Clock


def handle(event: Event, work: Loading) -> None:
    """Do what an event asks for; harmless when it comes twice, late or out of order."""
    if isinstance(event, JobEnded):
        dataset = _dataset_of(event.job, work.job_names)
        if dataset:
            _release(event, dataset, work)
            start_if_needed(dataset, work, after=event)
            submit_curated(dataset, work)
    elif isinstance(event, StatementEnded):
        batch_id = batch_of_statement(event.name)
        batch = work.ledger.batch(batch_id) if batch_id else None
        if batch is not None:
            settle(batch, work)
            submit_curated(batch.dataset, work)
    elif isinstance(event, CrawlEnded):
        dataset = _dataset_of(event.crawler, work.crawlers)
        if dataset and work.ledger.mark(f"crawl:{dataset}"):
            crawl(dataset, work)
    elif isinstance(event, Tick):
        for dataset in work.job_names:
            catch_up(dataset, work)


def catch_up(dataset: str, work: Loading) -> None:
    """What events ask for one by one, for all open batches at once: in case an event was lost."""
    start_if_needed(dataset, work)
    for batch in work.ledger.open_batches(dataset):
        settle(batch, work)
    submit_curated(dataset, work)


def _dataset_of(name: str, names: Mapping[str, str]) -> str | None:
    return next((dataset for dataset, known in names.items() if known == name), None)


def _release(event: JobEnded, dataset: str, work: Loading) -> None:
    """A run that has ended holds no lease any more: what it left can be taken over at once."""
    for batch in work.ledger.open_batches(dataset):
        if batch.owner == event.run_id and batch.state in LEASED_STATES:
            _log.warning("run %s ended %s with batch %s", event.run_id, event.state, batch.batch_id)
            try:
                work.ledger.lease(batch, 0)
            except Fenced:
                _log.info("batch %s has been taken over already", batch.batch_id)


def start_if_needed(dataset: str, work: Loading, after: JobEnded | None = None) -> None:
    """Start a run if files are pending or a batch was left behind.

    A run that failed without having claimed anything (no rights, broken script) isn't followed by another at
    once, or it would go on for ever; the schedule tries again.
    """
    now = int(work.clock().timestamp())
    left = [b for b in work.ledger.open_batches(dataset) if b.state in LEASED_STATES and b.lease_until <= now]
    if after is not None and after.state != "SUCCEEDED" and all(b.owner != after.run_id for b in left):
        _log.error("job %s run %s is %s: %s", after.job, after.run_id, after.state, after.message)
        return
    if left or work.ledger.pending(dataset, 1):
        run = work.jobs.start(work.job_names[dataset])
        _log.info("dataset %s: %s", dataset, f"started run {run}" if run else "a run is under way")


def submit_curated(dataset: str, work: Loading) -> None:
    """Submit a load for every batch that is curated, oldest first."""
    for batch in work.ledger.open_batches(dataset):
        if batch.state is BatchState.CURATED:
            _submit(batch, work)
            crawl_if_needed(batch, work)


def _submit(batch: Batch, work: Loading) -> None:
    if batch.load_attempts >= MOST_LOADS:
        reason = batch.reason or f"loads_used_up: {batch.load_attempts} statements failed"
        _advance(batch, replace(batch, state=BatchState.FAILED, reason=reason), reason, work)
        return
    try:
        _ensure_schema(work)
        attempt = batch.load_attempts + 1
        # Noted first: whoever finds LOADING without a statement submits again, with the same token.
        loading = replace(batch, state=BatchState.LOADING, load_attempts=attempt, statement_id=None)
        noted = _advance(batch, loading, f"load {attempt}", work)
        if noted is not None:
            _send(noted, work)
    except WarehouseBusy as busy:
        _log.warning("batch %s waits for the next look: %s", batch.batch_id, busy)


def _send(batch: Batch, work: Loading) -> None:
    request = LoadRequest(
        batch_id=batch.batch_id,
        manifest_uri=work.lake.uri(work.lake.manifest(batch.dataset, batch.batch_id)),
        copy_role_arn=work.copy_role_arn,
        rows=batch.counts.curated,
    )
    statement_id = work.warehouse.submit(
        load_sql(contract(batch.dataset), request),
        name=statement_name(batch.batch_id, batch.load_attempts),
        token=client_token(batch.batch_id, batch.load_attempts),
    )
    try:
        work.ledger.note_statement(batch, statement_id, stamp(work.clock()))
    except Fenced:
        _log.info("batch %s was settled before its statement was noted", batch.batch_id)


def _ensure_schema(work: Loading) -> None:
    """Create the warehouse's tables, once per version of the DDL; apart from the load, whose first
    statement must be the lock."""
    contracts = tuple(CONTRACTS.values())
    fingerprint = schema_fingerprint(contracts)
    if work.ledger.mark(_SCHEMA_MARK) == fingerprint:
        return
    work.warehouse.run(schema_sql(contracts), name="gluebook-schema", timeout_seconds=_SCHEMA_TIMEOUT_SECONDS)
    work.ledger.set_mark(_SCHEMA_MARK, fingerprint)


def settle(batch: Batch, work: Loading) -> None:
    """Take in what became of a batch's statement; asks the Data API, whatever the event said."""
    if batch.state is not BatchState.LOADING:
        return
    statement = work.warehouse.statement(batch.statement_id) if batch.statement_id else None
    try:
        if statement is None:
            _send(batch, work)
        elif statement.status == "FINISHED":
            _loaded(batch, statement, work)
        elif statement.ended:
            _failed(batch, statement, work)
    except WarehouseBusy as busy:
        _log.warning("batch %s waits for the next look: %s", batch.batch_id, busy)


def _loaded(batch: Batch, statement: Statement, work: Loading) -> None:
    last = len(load_sql(contract(batch.dataset), LoadRequest("", "", "", 0)))
    merged, superseded = work.warehouse.result(f"{statement.statement_id}:{last}").rows[0]
    loaded = replace(
        batch, state=BatchState.LOADED, merged=int(merged), superseded=int(superseded), reason=None
    )
    _advance(batch, loaded, f"statement {statement.statement_id}", work)


def _failed(batch: Batch, statement: Statement, work: Loading) -> None:
    reason = f"load_failed: {statement.error or statement.status}"
    _log.error("batch %s, load %d: %s", batch.batch_id, batch.load_attempts, reason)
    if statement.lacks_a_table:  # the warehouse was made anew; so are the tables, with the next load
        work.ledger.clear_mark(_SCHEMA_MARK)
    again = statement.worth_retrying or statement.lacks_a_table
    state = BatchState.CURATED if again else BatchState.FAILED
    _advance(batch, replace(batch, state=state, reason=reason), reason, work)


def _advance(batch: Batch, new: Batch, cause: str, work: Loading) -> Batch | None:
    """Change a batch; None if somebody else has, which is just as well."""
    try:
        return work.ledger.advance(batch, new, stamp(work.clock()), cause)
    except Fenced as faster:
        _log.info("%s", faster)
        return None


def crawl_if_needed(batch: Batch, work: Loading) -> None:
    """Start the crawler if the batch brought what the catalog hasn't got."""
    names = contract(batch.dataset).names
    try:
        known, columns = work.catalog.partitions(batch.dataset), work.catalog.columns(batch.dataset)
        if crawl_needed(work.crawl_policy, batch.partitions, known, names, columns):
            crawl(batch.dataset, work)
    except ClientError:
        # The catalog is not on the way of a row; the sweep asks again.
        _log.exception("the catalog could not be asked about batch %s", batch.batch_id)
        work.ledger.set_mark(f"crawl:{batch.dataset}", "wanted")


def crawl(dataset: str, work: Loading) -> None:
    """Start the crawler, or remember that it must be asked again: when the crawl under way ends, or later."""
    try:
        started = work.catalog.start_crawler(work.crawlers[dataset])
    except ClientError:
        _log.exception("crawler %s could not be started", work.crawlers[dataset])
        started = False
    if started:
        work.ledger.clear_mark(f"crawl:{dataset}")
    else:
        work.ledger.set_mark(f"crawl:{dataset}", "wanted")
