"""Values that tests are made of."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from gluebook.core.keys import file_id
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import BatchState
from gluebook.core.versions import order_of_event
from gluebook.quality.report import GateReport, Outcome

_numbers = itertools.count(1)


def a_file(
    name: str = "",
    *,
    dataset: str = "app_logs",
    size: int = 10,
    at: str = "2026-01-05T10:00:00.000Z",
    version: str = "v1",
    sequencer: str = "0A",
) -> FileVersion:
    """A pending file version, another one for every name; without a name, another one each time."""
    source = {"app_logs": "mongod", "support_tickets": "servicenow"}[dataset]
    key = f"{dataset}/{source}/dt=2026-01-05/{name or f'file-{next(_numbers)}'}"
    return FileVersion(
        file_id=file_id("raw", key, version),
        bucket="raw",
        key=key,
        version_id=version,
        size=size,
        order=order_of_event(sequencer),
        dataset=dataset,
        source=source,
        dt="2026-01-05",
        registered_at=at,
        waiting_since=at,
    )


def a_batch(
    batch_id: str = "",
    *,
    dataset: str = "app_logs",
    state: BatchState = BatchState.CLAIMED,
    owner: str = "run-1",
) -> Batch:
    """A batch as it was just claimed, in `state`; without an id, another one each time."""
    return Batch(
        batch_id=batch_id or f"{dataset}-batch-{next(_numbers)}",
        dataset=dataset,
        state=state,
        owner=owner,
        epoch=1,
        lease_until=1_000,
        attempts=1,
        created_at="2026-01-05T10:00:00.000Z",
        changed_at="2026-01-05T10:00:00.000Z",
    )


class FakeClock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def seconds(self) -> int:
        return int(self.now.timestamp())


def a_report(*failed: str, outcomes: int = 0) -> GateReport:
    """A gate's report: critical outcomes that failed, on these columns, and others up to the number `outcomes`."""
    columns = [*failed, *("" for _ in range(outcomes - len(failed)))]
    return GateReport(
        dataset="app_logs",
        batch_id="",
        generation=1,
        checked_at="2026-01-05T10:00:00.000000Z",
        rows=1,
        files=1,
        counts=Counts(1, 1),
        newest_at=None,
        outcomes=tuple(
            Outcome("app_logs", "expect_column_values_to_be_in_set", name, {}, "critical", not name)
            for name in columns
        ),
    )
