"""The report's queries to the warehouse: plain SQL, each of which may fail alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.core.model import Counts
from gluebook.core.statements import Rows
from gluebook.errors import GluebookError
from gluebook.report.model import Answers, ServiceErrors, TicketsOpened, Trend

RESULTS = "dq_results"
# More than a plot can show, and small enough for one page of the Data API.
_MOST = 2000
# Redshift Serverless takes a while to resume after a pause.
_TIMEOUT_SECONDS = 120.0

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
    """Runs SQL; `gluebook.aws.services.Warehouse` is one."""

    def query(self, sql: str, *, timeout_seconds: float) -> Rows:
        """Run one statement and return its rows."""


def answers_of(warehouse: Queries) -> Answers:
    """All answers. A query that fails is in `problems` with the reason, and raises nothing."""
    problems: dict[str, str] = {}

    def answered(section: str, sql: str, make: Callable[[tuple[Any, ...]], _T]) -> tuple[_T, ...]:
        try:
            rows = warehouse.query(sql, timeout_seconds=_TIMEOUT_SECONDS).rows
        except (GluebookError, ClientError, BotoCoreError) as error:
            problems[section] = _why(str(error))
            return ()
        try:
            return tuple(make(row) for row in rows)
        except (TypeError, ValueError, IndexError) as error:
            # The table was created by another release.
            problems[section] = f"its answer is not what the report expects ({error}); load with this release"
            return ()

    return Answers(
        trends=answered("trends", TRENDS_SQL, _trend),
        tickets=answered("tickets", TICKETS_SQL, _tickets),
        services=answered("services", SERVICES_SQL, _errors),
        problems=problems,
    )


def unanswered(why: str) -> Answers:
    """The answers if there is no warehouse to query."""
    return Answers(problems=dict.fromkeys(("trends", "tickets", "services"), why))


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
    """The warehouse's error, with an explanation where it needs one."""
    if "does not exist" in text:
        return f"a table that the report reads does not exist yet; it is made by the first load. ({text})"
    return text
