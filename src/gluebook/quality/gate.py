"""The gate: a Great Expectations suite run on the written Parquet, before anything of it is published."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from gluebook.errors import ContractError
from gluebook.quality.suites import columns_of

_QUIET = ("great_expectations", "py4j")


@dataclass(frozen=True)
class Outcome:
    """What one expectation found. `unexpected_percent` is 0 to 100 of the rows, where that makes sense."""

    expectation: str
    column: str
    severity: str
    passed: bool
    unexpected_percent: float | None
    observed: str


@dataclass(frozen=True)
class GateReport:
    """What the suite found in a batch of `rows` rows."""

    dataset: str
    rows: int
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether the batch may be published: no critical expectation failed."""
        return not any(o.severity == "critical" for o in self.failed)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes of the expectations that failed, of any severity."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    def summary(self) -> str:
        """One line: which expectations failed, critical ones first."""
        worst = sorted(self.failed, key=lambda o: o.severity != "critical")
        return "; ".join(f"{o.severity}: {o.expectation} of {o.column or 'the table'}" for o in worst)


def run_gate(df: DataFrame, suite: dict[str, Any]) -> GateReport:
    """Run every expectation of `suite` on `df`, in one go.

    Raises ContractError if Great Expectations doesn't know one of them: it would be dropped without a word.
    """
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    gx = importlib.import_module("great_expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    built = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
    wanted = [expectation["type"] for expectation in suite["expectations"]]
    known = [expectation.expectation_type for expectation in built.expectations]
    if known != wanted:
        unknown = sorted(set(wanted) - set(known)) or ["one of them"]
        raise ContractError(f"suite {suite['name']}: Great Expectations doesn't know {', '.join(unknown)}")
    source = context.data_sources.add_spark("staged")
    batch = source.add_dataframe_asset("batch").add_batch_definition_whole_dataframe("whole")
    result = batch.get_batch({"dataframe": df}).validate(built)
    outcomes = tuple(_outcome(one.to_json_dict()) for one in result.results)
    if len(outcomes) != len(wanted):
        raise ContractError(f"suite {suite['name']}: {len(wanted)} expectations gave {len(outcomes)} results")
    return GateReport(suite["name"], df.count(), outcomes)


def _outcome(result: dict[str, Any]) -> Outcome:
    config, found = result["expectation_config"], result.get("result") or {}
    kwargs = config["kwargs"]
    error = next(iter((result.get("exception_info") or {}).values()), None)
    text = error.get("exception_message") if isinstance(error, dict) else None
    return Outcome(
        expectation=config["type"],
        column=", ".join(columns_of(kwargs)),
        severity=config["severity"],
        passed=bool(result["success"]),
        unexpected_percent=found.get("unexpected_percent"),
        observed=str(text or found.get("observed_value", found.get("partial_unexpected_list", "")))[:500],
    )
