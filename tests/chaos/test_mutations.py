"""The mutations apply to the code and match their page, which `python -m chaos.mutations` generates."""

from __future__ import annotations

import ast
import re

import pytest

from chaos.mutants import MUTATIONS
from chaos.mutating import ROOT, CantMutate, Mutation, Noticed, applied, asserted
from chaos.mutations import HEAD, document, result

_PAGE = ROOT / "docs" / "protections.md"
_DIFF = """AssertionError: assert ["lost: 1 rows...: 'x'"] == []

Full diff: (-: missing in left side, +: extra in left side)
- []
+ [
+     "lost: 1 rows in the "
+     "lake: 'x'",
+     'state: a is PENDING',
+ ]"""


def each(mutations: tuple[Mutation, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("mutation", mutations, ids=[mutation.name for mutation in mutations])


@each(MUTATIONS)
def test_a_mutation_applies_to_the_code_as_it_is_and_leaves_python(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    broken = applied(mutation, text)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text))


@each(MUTATIONS)
def test_every_mutations_test_exists(mutation: Mutation) -> None:
    file, name = mutation.test
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_mutation_has_a_name_of_its_own() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert sorted(set(names)) == sorted(names)


def test_the_page_lists_exactly_these_mutations_and_all_were_noticed() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    made = [line.split(" | ") for line in document([result(m, {}) for m in MUTATIONS]).splitlines()]
    wanted = [cells[:3] for cells in made if cells[0].startswith("| ")][1:]
    # All columns but the failure, which needs a run.
    assert [row.split(" | ")[:3] for row in rows] == wanted, "run `make mutations`"
    assert page.startswith(HEAD)
    assert [row for row in rows if re.search("MISSED|OTHERWISE", row)] == []


def test_a_text_that_is_there_twice_or_not_at_all_is_refused_by_name() -> None:
    with pytest.raises(CantMutate, match=r"claim: found 0 times in .*claims\.py"):
        applied(MUTATIONS[0], "")
    with pytest.raises(CantMutate, match="claim: found 2 times"):
        applied(MUTATIONS[0], MUTATIONS[0].old * 2)


def test_what_an_assertion_has_found_is_read_from_what_pytest_says() -> None:
    assert asserted(_DIFF) == ("lost: 1 rows in the lake: 'x'", "state: a is PENDING")
    assert asserted("KeyError: 'lost: 1 rows in the lake'") == ()
    assert asserted("AssertionError: assert 1 == 2") == ()


def test_only_rows_count_and_only_where_the_code_still_works() -> None:
    rows = ("lost: 1 rows in the warehouse's app_logs: x", "state: a is PENDING")
    assert Noticed("", rows).by_rows
    assert not Noticed("", rows[1:]).by_rows
    assert not Noticed("", ("counts: app_logs-0001: its results say 2",)).by_rows
    assert not Noticed("", rows, ("run 3: NameError: name 'batch' is not defined",)).by_rows


def test_only_a_mutations_own_test_decides_about_it() -> None:
    mutation, noticed = MUTATIONS[0], Noticed("", ("lost: 1 rows in the lake: x",))
    assert result(mutation, {mutation.test: noticed}).holds
    elsewhere = result(mutation, {("tests/other.py", "test_else"): noticed})
    assert not elsewhere.holds and str(elsewhere) == "MISSED"
    assert elsewhere.others == ("test_else",)
