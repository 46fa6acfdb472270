"""What the report asks the warehouse, as Redshift would answer it."""

from __future__ import annotations

from dataclasses import dataclass

from contract.load_kit import Loads
from contract.redshift_fixtures import Warehouse
from gluebook.core.model import Counts
from gluebook.core.statements import Rows
from gluebook.report.model import ServiceErrors, TicketsOpened, Trend
from gluebook.report.warehouse import RESULTS, answers_of

RESULTS_DDL = f"""create table if not exists {RESULTS} (batch_id varchar(64), generation integer,
  dataset varchar(64), checked_at timestamp, files integer, rows_read bigint, rows_curated bigint,
  rows_duplicates bigint, rows_rejected bigint, newest_at timestamp, batch_passed boolean, suite varchar(64),
  expectation varchar(128), column_name varchar(1024), severity varchar(16), passed boolean,
  unexpected_rows bigint)"""
PLACE = "'f', 'v', 1, 'b'"


@dataclass(frozen=True)
class Queried:
    """The laptop's warehouse as the report asks it."""

    warehouse: Warehouse

    def query(self, sql: str, *, timeout_seconds: float) -> Rows:
        return Rows((), [tuple(row) for row in self.warehouse.rows(sql)])


def outcome(batch: str, severity: str, passed: bool) -> str:
    return (
        f"insert into {RESULTS} values ('{batch}', 1, 'app_logs', '2026-01-05 10:15:42', 2, 10, 7, 1, 2, null, "
        f"true, 'app_logs', 'expect_x', 'level', '{severity}', {str(passed).lower()}, null)"
    )


def ticket(number: int, opened_at: str, priority: str) -> str:
    return (
        "insert into support_tickets (source, ticket_id, revision, status, priority, opened_at, updated_at, "
        "_row_hash, _source_file, _source_version, _source_record, _batch_id) values "
        f"('helpdesk', '{number}', 1, 'new', {priority}, {opened_at}, '2026-01-05 10:00:00', 'h', {PLACE})"
    )


def line(number: int, is_error: bool) -> str:
    level = "error" if is_error else "info"
    return (
        "insert into app_logs (source, log_id, occurred_at, level, is_error, service, _source_file, "
        f"_source_version, _source_record, _batch_id) values ('mongod', '{number}', '2026-01-05 23:59:59', "
        f"'{level}', {str(is_error).lower()}, 'checkout', {PLACE})"
    )


def test_trends_tickets_and_errors_are_counted_by_the_warehouse(loads: Loads) -> None:
    loads.warehouse.ok(
        RESULTS_DDL,
        f"delete from {RESULTS}",
        *(
            outcome("b1", severity, passed)
            for severity in ("critical", "warning")
            for passed in (True, False)
        ),
        outcome("b1", "warning", False),
        ticket(1, "'2026-01-05 00:00:00'", "'high'"),
        ticket(2, "'2026-01-05 23:59:59'", "'high'"),
        ticket(3, "'2026-01-04 12:00:00'", "null"),
        ticket(4, "null", "'high'"),
        *(line(number, number == 1) for number in range(3)),
    )
    answers = answers_of(Queried(loads.warehouse))
    assert answers.problems == {}
    assert answers.trends == (Trend("b1", "app_logs", "2026-01-05T10:15:42Z", Counts(10, 7, 1, 2), 1, 2),)
    assert answers.tickets == (
        TicketsOpened("2026-01-05", "high", 2),
        TicketsOpened("2026-01-04", "not given", 1),
    )
    assert answers.services == (ServiceErrors("2026-01-05", "checkout", 3, 1),)
