"""What the contenders' tables must agree on, asked in SQL of PostgreSQL.

Pseudonyms differ, since each contender has a key of its own: only how many there are is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import psycopg

from bench.task import Counts

# First eight hexadecimal digits as a number: sums of them tell sets of texts apart.
_DIGITS = "sum(('x' || left({}, 8))::bit(32)::bigint)"
# dlt's timestamps have a zone.
_ROW_OF_LOGS = (
    "log_id, occurred_at::timestamp, level, component, context, event_code, duration_ms, message, attributes"
)
_ROW_OF_TICKETS = (
    "ticket_id, revision, status, priority, impact, urgency, channel, category, subcategory, symptom, location, "
    "configuration_item, assignment_group, opened_at::timestamp, created_at::timestamp, updated_at::timestamp, "
    "resolved_at::timestamp, closed_at::timestamp, "
    "minutes_to_resolve, reassignment_count, reopen_count, is_active, made_sla, used_knowledge, "
    "priority_confirmed, notify, problem_id, change_request, vendor, caused_by, close_code"
)
_FACTS: Mapping[str, Mapping[str, str]] = {
    "app_logs": {
        "rows": "count(*)",
        "identities": _DIGITS.format("log_id"),
        "different identities": "count(distinct log_id)",
        "sum of event_code": "sum(event_code)",
        "sum of duration_ms": "sum(duration_ms)",
        "sum of occurred_at": "sum(extract(epoch from occurred_at))",
        "warnings": "count(*) filter (where level = 'warning')",
        "masked messages": "count(*) filter (where message like '%<masked>%')",
        "masked attributes": "count(*) filter (where attributes like '%<masked>%')",
        "addresses left": "count(*) filter (where message like '%@example.org%')",
        "characters of attributes": "sum(length(attributes))",
        "content": _DIGITS.format(f"md5(row({_ROW_OF_LOGS})::text)"),
    },
    "support_tickets": {
        "rows": "count(*)",
        "identities": _DIGITS.format("md5(ticket_id)"),
        "sum of revision": "sum(revision)",
        "sum of reassignment_count": "sum(reassignment_count)",
        "sum of minutes_to_resolve": "sum(minutes_to_resolve)",
        "sum of updated_at": "sum(extract(epoch from updated_at))",
        "closed": "count(*) filter (where status = 'closed')",
        "masked symptoms": "count(*) filter (where symptom like '%<masked>%')",
        "different requesters": "count(distinct requester)",
        "content": _DIGITS.format(f"md5(row({_ROW_OF_TICKETS})::text)"),
    },
}


def facts(database: str, dataset: str, condition: str = "true") -> dict[str, str]:
    """What the rows of `dataset` say, as texts by the name of the fact; of those for which an SQL condition holds.

    Raises psycopg.Error.
    """
    asked = _FACTS[dataset]
    with psycopg.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        row = connection.execute(
            f"select {', '.join(asked.values())} from {dataset} where {condition}"
        ).fetchone()
    assert row is not None
    return {name: _text(value) for name, value in zip(asked, row, strict=True)}


def table_bytes(database: str, dataset: str) -> int:
    """The size of the table of `dataset` with everything that belongs to it. Raises psycopg.Error."""
    with psycopg.connect(database) as connection:
        row = connection.execute("select pg_total_relation_size(%s)", (dataset,)).fetchone()
    assert row is not None
    return int(row[0])


def _text(value: Any) -> str:
    return (
        "none"
        if value is None
        else f"{value:f}".rstrip("0").rstrip(".")
        if hasattr(value, "as_tuple")
        else str(value)
    )


def differences(found: Mapping[str, tuple[Counts, Mapping[str, str]]]) -> list[str]:
    """Where contenders differ from the first one, a line for each fact, with both names and values."""
    first, *others = found
    lines = []
    for other in others:
        mine, theirs = (_all(*found[name]) for name in (first, other))
        lines += [
            f"{fact}: {first} has {mine[fact]}, {other} has {theirs[fact]}"
            for fact in mine
            if mine[fact] != theirs[fact]
        ]
    return lines


def _all(counts: Counts, said: Mapping[str, str]) -> dict[str, str]:
    return {f"records {name}": str(value) for name, value in asdict(counts).items()} | dict(said)
