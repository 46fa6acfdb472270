"""Great Expectations: a suite on a pandas or Spark frame, in one pass, with no expectation dropped."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal

from gluebook.errors import ContractError
from gluebook.quality.baseline import Expectation
from gluebook.quality.report import Outcome
from gluebook.quality.suites import Suite, columns_of

Engine = Literal["pandas", "spark"]

_QUIET = ("great_expectations", "py4j")
_NUMBER = "number"


def run_suite(frame: Any, suite: Suite, engine: Engine) -> list[Outcome]:
    """Every expectation of `suite` on `frame`, in the suite's order, without examples.

    The first pass finds which of them hold. Rows are counted only for those that don't, or that tolerate some: each
    count is a pass of its own in Great Expectations.
    Raises ContractError if Great Expectations does not know one of them, which it would drop silently.
    """
    expectations = suite["expectations"]
    batch = _batch(frame, engine)
    found = _validate(batch, suite["name"], expectations, "BOOLEAN_ONLY")
    to_count = [
        number
        for number, (expectation, result) in enumerate(zip(expectations, found, strict=True))
        if not result["success"] or expectation["kwargs"].get("mostly", 1) < 1
    ]
    if to_count:
        counted = _validate(batch, suite["name"], [expectations[number] for number in to_count], "BASIC")
        for number, result in zip(to_count, counted, strict=True):
            found[number] = result
    return [
        _outcome(suite["name"], expectation, result)
        for expectation, result in zip(expectations, found, strict=True)
    ]


def _batch(frame: Any, engine: Engine) -> Any:
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    gx = importlib.import_module("great_expectations")  # slow to import
    importlib.import_module("gluebook.quality.own_expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    sources = context.data_sources
    source = sources.add_spark("staged") if engine == "spark" else sources.add_pandas("staged")
    asset = source.add_dataframe_asset("batch")
    return asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})


def _validate(
    batch: Any, name: str, expectations: Sequence[Expectation], result_format: str
) -> list[dict[str, Any]]:
    """The results as JSON values, in the order of `expectations`; Great Expectations has its own order."""
    gx = importlib.import_module("great_expectations")
    numbered = deepcopy(list(expectations))
    for number, expectation in enumerate(numbered):
        expectation["meta"] = {_NUMBER: number}
    try:
        built = gx.ExpectationSuite(name=name, expectations=numbered)
    except (TypeError, ValueError) as error:  # pydantic's errors are ValueErrors
        raise ContractError(f"suite {name}: {error}") from None
    wanted = [expectation["type"] for expectation in numbered]
    known = [expectation.expectation_type for expectation in built.expectations]
    if known != wanted:
        unknown = sorted(set(wanted) - set(known)) or ["one of them"]
        raise ContractError(f"suite {name}: Great Expectations does not know {', '.join(unknown)}")
    results = [one.to_json_dict() for one in batch.validate(built, result_format=result_format).results]
    results.sort(key=lambda result: result["expectation_config"]["meta"][_NUMBER])
    if [result["expectation_config"]["meta"][_NUMBER] for result in results] != list(range(len(wanted))):
        raise ContractError(f"suite {name}: {len(wanted)} expectations gave {len(results)} results")
    return results


def _outcome(suite: str, expectation: Expectation, result: dict[str, Any]) -> Outcome:
    found = result.get("result") or {}
    passed = bool(result["success"])
    return Outcome(
        suite=suite,
        expectation=expectation["type"],
        column=", ".join(columns_of(expectation["kwargs"])),
        kwargs=expectation["kwargs"],
        severity=expectation["severity"],
        passed=passed,
        unexpected_rows=found.get("unexpected_count"),
        unexpected_percent=found.get("unexpected_percent"),
        observed="" if passed else _observed(result, found),
        notes=expectation.get("meta", {}).get("notes", ""),
    )


def _observed(result: dict[str, Any], found: dict[str, Any]) -> str:
    errors = (one for one in (result.get("exception_info") or {}).values() if isinstance(one, dict))
    text = next((error.get("exception_message") for error in errors), None)
    value = text or found.get("observed_value", found.get("partial_unexpected_list", ""))
    return str(value)[:500]
