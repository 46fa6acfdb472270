"""Names and tokens of loads, and when a crawl is worth its price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.aws.services import Statement
from gluebook.clock import new_batch_id, utc_now
from gluebook.core.loading import CrawlPolicy, batch_of_statement, client_token, crawl_needed, statement_name
from gluebook.datasets import CONTRACTS

BATCH_IDS = st.text(st.characters(codec="ascii", exclude_characters=":"), min_size=1, max_size=60)


@given(BATCH_IDS, st.integers(0, 10**6))
def test_a_statements_name_tells_its_batch(batch_id: str, attempt: int) -> None:
    assert batch_of_statement(statement_name(batch_id, attempt)) == batch_id


@pytest.mark.parametrize(
    "name", ["", "gluebook-query", "gluebook-load:b", "gluebook-load:b:x", "gluebook-load::1"]
)
def test_other_statements_belong_to_no_batch(name: str) -> None:
    assert batch_of_statement(name) is None


@given(BATCH_IDS, st.integers(1, 99), st.integers(1, 99))
def test_each_attempt_has_a_token_of_its_own(one: str, first: int, second: int) -> None:
    assert client_token(one, first) == client_token(one, first)
    assert (client_token(one, first) == client_token(one, second)) == (first == second)
    assert 1 <= len(client_token(one, first)) <= 64


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_tokens_of_real_batches_are_not_cut(dataset: str) -> None:
    batch_id = new_batch_id(dataset, utc_now())
    assert client_token(batch_id, 99) == f"{batch_id}-99"
    assert batch_of_statement(statement_name(batch_id, 1)) == batch_id


@pytest.mark.parametrize(
    ("policy", "brought", "known", "contract", "columns", "needed"),
    [
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["a", "b"], ["a", "b", "c"], False),
        ("when-needed", [], set(), ["a"], ["a"], False),
        ("when-needed", ["2026-01-05", "2026-01-06"], {"2026-01-05"}, ["a"], ["a"], True),
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["a", "b"], ["a"], True),
        ("when-needed", ["2026-01-05"], {"2026-01-05"}, ["Camel"], ["camel"], False),
        ("when-needed", [], None, ["a"], [], True),
        ("always", [], {"2026-01-05"}, ["a"], ["a"], True),
        ("never", ["2026-01-05"], None, ["a"], [], False),
    ],
)
def test_a_crawl_is_for_what_the_catalog_lacks(
    policy: CrawlPolicy,
    brought: list[str],
    known: set[str] | None,
    contract: list[str],
    columns: list[str],
    needed: bool,
) -> None:
    assert crawl_needed(policy, brought, known, contract, columns) is needed


@pytest.mark.parametrize(
    ("status", "error", "again"),
    [
        ("FAILED", "ERROR: 1023\n  Detail: Serializable isolation violation on table - 104", True),
        ("FAILED", "ERROR: 1018 DETAIL: Relation does not exist.", True),
        ("FAILED", "ERROR: deadlock detected", True),
        ("FAILED", "the connection to the database was lost: terminating connection", True),
        ("ABORTED", "", True),
        ("FAILED", "", False),
        ("FAILED", "ERROR: Value too long for character type", False),
        ("FAILED", "ERROR: Invalid digit, Value 't', Pos 0, Type: Integer", False),
        # The same digits, where they say nothing: in a count, a date, a query's number.
        ("FAILED", "ERROR: Invalid digit ... the stage does not hold 1018 rows", False),
        (
            "FAILED",
            "ERROR: no such file s3://lake/manifests/app_logs/app_logs-20261023T101800-1a2b3c4d.json",
            False,
        ),
        ("FAILED", "ERROR: Cannot insert a NULL value. query: 10231018 pid=10180", False),
    ],
)
def test_only_what_may_go_away_is_worth_another_try(status: str, error: str, again: bool) -> None:
    assert Statement("s", status, error).worth_retrying is again


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("FINISHED", True),
        ("FAILED", True),
        ("ABORTED", True),
        ("STARTED", False),
        ("SUBMITTED", False),
        ("PICKED", False),
    ],
)
def test_a_statement_has_ended_when_it_changes_no_more(status: str, ended: bool) -> None:
    assert Statement("s", status).ended is ended
