"""What the warehouse is asked for the report: plain SQL, one question at a time, each of which may fail alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.core.model import Counts
from gluebook.core.statements import Rows
from gluebook.errors import GluebookError
from gluebook.report.model import Asked, ServiceErrors, TicketsOpened, Trend

RESULTS = "dq_results"
# More than a plot can show; fewer than a page of the Data API's results would hold up.
_MOST = 2000
# Redshift Serverless that has been idle takes its time to come back.
_PATIENCE_SECONDS = 120.0

TRENDS_SQL = (
    "select batch_id, dataset, checked_at, rows_read, rows_curated, rows_duplicates, rows_rejected, "
    "sum(case when not passed and severity = 'critical' then 1 else 0 end) as critical, "
    "sum(case when not passed and severity = 'warning' then 1 else 0 end) as warnings "
    f"from {RESULTS} "
    "group by batch_id, dataset, checked_at, rows_read, rows_curated, rows_duplicates, rows_rejected "
    f"order by checked_at desc, batch_id limit {_MOST}"
)
TICKETS_SQL = (
    "select cast(opened_at as date) as opened_on, coalesce(priority, 'not given') as urgency, count(*) as tickets "
    "from support_tickets where opened_at is not null "
    f"group by cast(opened_at as date), coalesce(priority, 'not given') order by opened_on desc limit {_MOST}"
)
SERVICES_SQL = (
    "select cast(occurred_at as date) as logged_on, service, count(*) as log_lines, "
    "sum(case when is_error then 1 else 0 end) as errors from app_logs "
    f"group by cast(occurred_at as date), service order by logged_on desc limit {_MOST}"
)

_T = TypeVar("_T")


class Queries(Protocol):
    """What answers SQL; `gluebook.aws.services.Warehouse` is one."""

    def query(self, sql: str, *, timeout_seconds: float) -> Rows:
        """Run one statement and return its rows."""


def ask(warehouse: Queries) -> Asked:
    """All answers; what can't be answered stands in `problems` with the reason. Raises nothing for that."""
    problems: dict[str, str] = {}

    def answered(section: str, sql: str, make: Callable[[tuple[Any, ...]], _T]) -> tuple[_T, ...]:
        try:
            rows = warehouse.query(sql, timeout_seconds=_PATIENCE_SECONDS).rows
        except (GluebookError, ClientError, BotoCoreError) as error:
            problems[section] = _why(str(error))
            return ()
        try:
            return tuple(make(row) for row in rows)
        except (TypeError, ValueError, IndexError) as error:
            # Of a table that another release has made.
            problems[section] = f"its answer isn't what the report expects ({error}); load with this release"
            return ()

    return Asked(
        trends=answered("trends", TRENDS_SQL, _trend),
        tickets=answered("tickets", TICKETS_SQL, _tickets),
        services=answered("services", SERVICES_SQL, _errors),
        problems=problems,
    )


def not_asked(why: str) -> Asked:
    """If there is no warehouse to ask."""
    return Asked(problems=dict.fromkeys(("trends", "tickets", "services"), why))


def _trend(row: tuple[Any, ...]) -> Trend:
    batch_id, dataset, checked_at, read, curated, duplicates, rejected, critical, warnings = row
    counts = Counts(int(read), int(curated), int(duplicates), int(rejected))
    moment = f"{str(checked_at)[:19].replace(' ', 'T')}Z"
    return Trend(str(batch_id), str(dataset), moment, counts, int(critical or 0), int(warnings or 0))


def _tickets(row: tuple[Any, ...]) -> TicketsOpened:
    return TicketsOpened(_day(row[0]), str(row[1]), int(row[2]))


def _errors(row: tuple[Any, ...]) -> ServiceErrors:
    return ServiceErrors(_day(row[0]), str(row[1]), int(row[2]), int(row[3] or 0))


def _day(value: object) -> str:
    return str(value)[:10]


def _why(text: str) -> str:
    """The warehouse's words, with what they mean where people can't know."""
    if "does not exist" in text:
        return f"a table that the report reads isn't there yet; it is made by the first load. ({text})"
    return text
