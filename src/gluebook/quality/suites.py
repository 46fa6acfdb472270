"""Great Expectations suites as plain JSON, checked against the contract before use.

A dataset has two: one for the rows of a batch, `<dataset>.json`, and one for the batch's own numbers (one row of
`batch_numbers`), `<dataset>.batch.json`. `gluebook export` writes both: what the contract requires, and the rules of
the suite notebook.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from gluebook.contracts import TYPES, Contract
from gluebook.errors import ContractError
from gluebook.quality.arguments import columns_of
from gluebook.quality.baseline import Expectation, baseline
from gluebook.quality.expectation_types import check_arguments
from gluebook.quality.numbers import NUMBERS

SEVERITIES = ("critical", "warning", "info")
_KEYS = frozenset({"type", "kwargs", "severity", "meta"})

Suite = dict[str, Any]


@dataclass(frozen=True)
class Suites:
    """The suites of a dataset: for a batch's rows, and for its numbers."""

    rows: Suite
    batch: Suite


def load_suites(contract: Contract) -> Suites:
    """The suites of a dataset. Raises ContractError if one is missing or does not fit the contract."""
    rows, batch = (_load(name) for name in names(contract))
    check_rows(rows, contract)
    check_numbers(batch, contract)
    return Suites(rows, batch)


def names(contract: Contract) -> tuple[str, str]:
    """The names of the two suites: for the rows, for the batch's numbers."""
    return contract.name, f"{contract.name}.batch"


def _load(name: str) -> Suite:
    path = resources.files("gluebook") / "expectations" / f"{name}.json"
    if not path.is_file():
        raise ContractError(
            f"there is no suite {name}: write notebooks/suites/{name.partition('.')[0]}.ipynb, "
            "then run `gluebook export`"
        )
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ContractError(f"suite {name} is not JSON: {error}") from None


def rows_suite(contract: Contract, rules: Sequence[Expectation]) -> Suite:
    """The suite for a batch's rows: what the contract requires, then `rules`. Raises ContractError."""
    name = names(contract)[0]
    suite = _suite(
        name, f"What must hold of the rows of a batch of {contract.name}.", baseline(contract), rules
    )
    check_rows(suite, contract)
    return suite


def batch_suite(contract: Contract, rules: Sequence[Expectation]) -> Suite:
    """The suite for a batch's numbers. Raises ContractError."""
    name = names(contract)[1]
    suite = _suite(name, f"What must hold of the numbers of a batch of {contract.name}.", [], rules)
    check_numbers(suite, contract)
    return suite


def _suite(name: str, notes: str, own: Sequence[Expectation], rules: Sequence[Expectation]) -> Suite:
    return {"name": name, "meta": {"notes": notes}, "expectations": [*own, *rules]}


def suite_text(suite: Suite) -> str:
    """The text of a suite's file: one expectation per line, so that a change is one line of a diff."""
    lines = ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in suite["expectations"])
    name, meta = (json.dumps(suite[key], ensure_ascii=False) for key in ("name", "meta"))
    return f'{{\n  "name": {name},\n  "meta": {meta},\n  "expectations": [\n{lines}\n  ]\n}}\n'


def check_rows(suite: Any, contract: Contract) -> None:
    """Raise ContractError unless `suite` is for the rows of `contract` and has all that the contract requires."""
    types = {column.name: TYPES[column.type].spark_class for column in contract.columns}
    _check(suite, names(contract)[0], types)
    missing = [one for one in baseline(contract) if one not in suite["expectations"]]
    if missing:
        listed = ", ".join(
            f"{one['type']} of {', '.join(columns_of(one['kwargs'])) or 'the table'}" for one in missing[:3]
        )
        raise ContractError(
            f"suite {contract.name} lacks {len(missing)} of the expectations that its contract requires ({listed}); "
            "run `gluebook export`"
        )


def check_numbers(suite: Any, contract: Contract) -> None:
    """Raise ContractError unless `suite` is for the numbers of a batch of `contract`."""
    _check(suite, names(contract)[1], dict.fromkeys(NUMBERS, "DoubleType"))


def _check(suite: Any, wanted: str, types: Mapping[str, str]) -> None:
    name = suite.get("name") if isinstance(suite, dict) else None
    if name != wanted:
        raise ContractError(f"suite {name!r} is not {wanted}")
    expectations = suite.get("expectations")
    if not isinstance(expectations, list) or not expectations:
        raise ContractError(f"suite {name} has no expectation, so everything would pass the gate")
    for number, expectation in enumerate(expectations, 1):
        _check_one(expectation, f"suite {name}, expectation {number}", types)


def _check_one(expectation: Any, where: str, types: Mapping[str, str]) -> None:
    if not isinstance(expectation, dict) or not isinstance(expectation.get("kwargs"), dict):
        raise ContractError(f"{where}: it must be an object with a type and kwargs")
    where = f"{where} ({expectation.get('type')})"
    if expectation.get("severity") not in SEVERITIES:
        raise ContractError(f"{where}: severity must be one of {', '.join(SEVERITIES)}")
    # A misspelt key, such as "kwarg", or "mostly" beside the kwargs, would be ignored.
    if unknown := sorted(expectation.keys() - _KEYS):
        raise ContractError(
            f"{where}: it can't hold {', '.join(unknown)}; there are {', '.join(sorted(_KEYS))}"
        )
    try:
        check_arguments(expectation, types)
    except ContractError as error:
        raise ContractError(f"{where}: {error}") from None
