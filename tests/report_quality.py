"""Made-up reports of the gate, as the lake keeps them."""

from __future__ import annotations

from typing import Any

MONGOD = {"type": "comparison", "column": {"name": "source"}, "operator": "==", "parameter": "mongod"}
HOSTILE = "<script>alert('x')</script><img src=//evil.example/x.png onerror=alert(1)>"


def outcome(expectation: str, kwargs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One outcome of the gate, met unless told otherwise."""
    column = kwargs.get("column") or ", ".join(kwargs.get("column_list", []))
    pair = ", ".join(filter(None, (kwargs.get("column_A"), kwargs.get("column_B"))))
    return {
        "suite": "app_logs",
        "expectation": expectation,
        "column": column or pair,
        "kwargs": kwargs,
        "severity": "critical",
        "passed": True,
        "unexpected_rows": 0,
        "unexpected_percent": 0.0,
        "observed": "",
        "notes": "",
        "examples": [],
        **more,
    }


def logs_quality(batch_id: str = "app_logs-20260105T101500Z-ab12cd", **more: Any) -> dict[str, Any]:
    """The gate's report on a batch of logs: two warnings, nothing critical."""
    examples = [
        {
            "source": "containers",
            "trace_id": f"trace-{number}",
            "occurred_at": f"2026-01-05T09:{number:02d}:00Z",
            "_source_file": "app_logs/containers/dt=2026-01-05/pods-01.log",
            "_source_record": str(40 + 7 * number),
        }
        for number in range(10)
    ]
    outcomes = [
        outcome(
            "expect_table_row_count_to_be_between", {"min_value": 1}, observed="3892", unexpected_rows=None
        ),
        outcome(
            "expect_table_columns_to_match_ordered_list",
            {"column_list": ["source", "log_id", "occurred_at", "level", "service", "message", "trace_id"]},
            unexpected_rows=None,
        ),
        outcome(
            "expect_column_values_to_be_in_type_list",
            {"column": "source", "type_list": ["StringType", "StringDtype"]},
            unexpected_rows=None,
        ),
        *(
            outcome("expect_column_values_to_not_be_null", {"column": name})
            for name in ("source", "occurred_at", "level", "service")
        ),
        outcome(
            "expect_column_values_to_be_in_set",
            {"column": "level", "value_set": ["trace", "debug", "info", "warning", "error", "fatal"]},
        ),
        outcome("expect_column_value_lengths_to_equal", {"column": "log_id", "value": 64}),
        outcome("expect_compound_columns_to_be_unique", {"column_list": ["source", "log_id"]}),
        outcome("expect_column_value_byte_lengths_to_be_between", {"column": "message", "max_value": 65535}),
        outcome(
            "expect_column_values_to_match_regex",
            {"column": "trace_id", "regex": "^[0-9a-fA-F-]{16,36}$", "mostly": 0.99},
            severity="warning",
            passed=False,
            unexpected_rows=61,
            unexpected_percent=3.42,
            notes="A trace that can't be followed through the services is of no use to whoever is on call.",
            examples=examples,
        ),
        outcome(
            "expect_column_values_to_not_be_null",
            {"column": "message", "mostly": 0.99, "row_condition": MONGOD},
            severity="warning",
            unexpected_rows=4,
            unexpected_percent=0.21,
        ),
    ]
    return {
        "dataset": "app_logs",
        "batch_id": batch_id,
        "generation": 1,
        "engine": "spark",
        "checked_at": "2026-01-05T10:15:42Z",
        "rows": 3892,
        "files": 9,
        "counts": {"read": 3995, "curated": 3892, "duplicates": 58, "rejected": 45},
        "newest_at": "2026-01-05T09:59:59Z",
        "passed": True,
        "outcomes": outcomes,
        **more,
    }


def tickets_quality() -> dict[str, Any]:
    """The gate's report on a batch of tickets: all is well."""
    return logs_quality(
        "support_tickets-20260105T101502Z-77fe01",
        dataset="support_tickets",
        rows=1697,
        counts={"read": 1761, "curated": 1697, "duplicates": 44, "rejected": 20},
        outcomes=[
            outcome("expect_column_values_to_not_be_null", {"column": "ticket_id"}),
            outcome(
                "expect_column_values_to_not_be_null",
                {"column": "priority", "mostly": 0.9},
                severity="warning",
                unexpected_rows=31,
                unexpected_percent=1.83,
            ),
            outcome(
                "expect_column_pair_values_a_to_be_greater_than_b",
                {
                    "column_A": "resolved_at",
                    "column_B": "first_response_at",
                    "or_equal": True,
                    "ignore_row_if": "either_value_is_missing",
                    "mostly": 0.95,
                },
                severity="warning",
            ),
        ],
    )
