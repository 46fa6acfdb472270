"""Great Expectations suites as plain JSON, checked against the contract before they are trusted."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from gluebook.datasets import Contract
from gluebook.errors import ContractError

SEVERITIES = ("critical", "warning", "info")


def load_suite(contract: Contract) -> dict[str, Any]:
    """The suite of a dataset. Raises ContractError if it isn't there or isn't for this contract."""
    path = resources.files("gluebook") / "expectations" / f"{contract.name}.json"
    if not path.is_file():
        raise ContractError(f"dataset {contract.name} has no suite: write expectations/{contract.name}.json")
    suite = json.loads(path.read_text(encoding="utf-8"))
    check_suite(suite, contract)
    return dict(suite)


def check_suite(suite: Any, contract: Contract) -> None:
    """Raise ContractError unless `suite` is a non-empty suite of this contract with known columns."""
    name = suite.get("name") if isinstance(suite, dict) else None
    if name != contract.name:
        raise ContractError(f"suite {name!r} is not for dataset {contract.name}")
    expectations = suite.get("expectations", [])
    if not expectations:
        raise ContractError(f"suite {name} expects nothing: an empty gate lets everything pass")
    for number, expectation in enumerate(expectations, 1):
        where = f"suite {name}, expectation {number} ({expectation.get('type')})"
        if expectation.get("severity") not in SEVERITIES:
            raise ContractError(f"{where}: severity must be one of {', '.join(SEVERITIES)}")
        for column in columns_of(expectation.get("kwargs", {})):
            if column not in contract.names:
                raise ContractError(f"{where}: {contract.name} has no column {column!r}")


def columns_of(kwargs: dict[str, Any]) -> list[str]:
    """The columns that an expectation with these arguments looks at."""
    names = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return [*names, *kwargs.get("column_list", [])]
