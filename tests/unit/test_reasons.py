"""The table of reasons: each row is produced somewhere, and nothing else is."""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest

from gluebook.contracts.reasons import UNPARSED, About, Reason, in_words, reason_of
from gluebook.core.states import BatchState, FileState

SRC = Path(__file__).parents[2] / "src" / "gluebook"
TABLE = SRC / "contracts" / "reasons.py"
# The generated files say by themselves what is wrong with them, to compare the code with.
CODE = [path for path in SRC.rglob("*.py") if path != TABLE and path.parent != SRC / "sample"]
CODES = "|".join(re.escape(reason) for reason in Reason if reason is not Reason.RUN)


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in CODE]


def test_every_row_of_the_table_is_produced() -> None:
    used = {
        node.attr
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason"
    }
    assert {reason.name for reason in Reason} - used == set()


def test_no_code_is_spelt_out_where_a_reason_is_produced() -> None:
    spelt = [
        f"{path.name}:{node.lineno} {node.value!r}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(rf"(?:{CODES})(?::|$)", node.value)
        and node.value not in ("missing", "gate", "unknown", "superseded")  # words of other lists
    ]
    assert spelt == []


def test_a_reason_is_only_made_by_the_table() -> None:
    made = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ReasonText")
    ]
    # A stored plan is read again; a run's end begins with the code and the run's id.
    assert {place.rpartition(":")[0] for place in made} <= {"core/plan.py", "functions/load.py"}


@pytest.mark.parametrize("reason", Reason)
def test_a_row_says_what_it_means_and_what_to_do_in_states_that_there_are(reason: Reason) -> None:
    assert reason.row.meaning and reason.row.action
    known: dict[About, Iterable[StrEnum]] = {About.RECORD: (), About.FILE: FileState, About.BATCH: BatchState}
    assert set(reason.row.states.split()) <= {state.value for state in known[reason.row.about]}
    assert bool(reason.row.states) == (reason.row.about is not About.RECORD) != bool(reason.row.phrase)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_the_same_object_however_it_is_stored_or_sent(reason: Reason) -> None:
    for same in (Reason(reason.value), pickle.loads(pickle.dumps(reason)), copy.deepcopy(reason)):
        assert same is reason


STORED = {
    About.RECORD: "malformed_record record_too_long unclosed_quote missing unreadable unknown too_long",
    About.FILE: "key_outside_convention unknown_dataset unknown_source no_such_date implausible_date unusable_key "
    "corrupt_gzip truncated_gzip invalid_utf8 no_header another_layout version_gone empty_file no_records superseded",
    About.BATCH: "gate run attempts_used_up plan_is_gone load_failed",
}


@pytest.mark.parametrize("about", About)
def test_codes_that_a_release_has_stored_stay(about: About) -> None:
    assert set(STORED[about].split()) <= {reason for reason in Reason if reason.row.about is about}
    assert Reason.NO_ROWS.value == "no rows to load"


def test_a_record_without_fields_has_a_reason_without_a_column() -> None:
    assert set(UNPARSED) == {"malformed_record", "record_too_long", "unclosed_quote"}


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("missing:status", Reason.MISSING, "status is missing"),
        ("record_too_long", Reason.RECORD_TOO_LONG, "longer than 1 MiB"),
        ("no rows to load", Reason.NO_ROWS, "no rows to load"),
        ("run jr_1 is FAILED: gate: x", Reason.RUN, "run jr_1 is FAILED: gate: x"),
        ("3 loads failed, the next is due: load_failed: no", Reason.LOAD_FAILED, None),
        ("batch b was divided: attempts_used_up: 3 runs", Reason.ATTEMPTS_USED_UP, None),
        ("something_new", None, "something_new"),
    ],
)
def test_a_stored_text_is_recognised_and_told_in_words(
    text: str, reason: Reason | None, words: str | None
) -> None:
    assert reason_of(text) is reason
    assert in_words(text) == (words or text)


def test_a_reason_is_stored_as_its_code_and_what_was_found() -> None:
    assert Reason.UNKNOWN.of_column("status") == "unknown:status"
    assert Reason.NO_HEADER.because("only blank lines") == "no_header: only blank lines"
    assert Reason.NO_ROWS.because() == "no rows to load"
