"""Great Expectations' view of our suites: for linting and tests, as the gate runs without it. Slow to import.

Importing this module registers an expectation that Great Expectations lacks: length in bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import great_expectations as gx
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from pyspark.sql import functions as F

from gluebook.errors import ContractError
from gluebook.quality.suites import Suite

_METRIC = "column_values.byte_length.at_most"


class ColumnValuesByteLength(ColumnMapMetricProvider):  # type: ignore[misc]
    """Whether a text is at most `max_value` bytes of UTF-8."""

    condition_metric_name = _METRIC
    condition_value_keys = ("max_value",)

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls, column: Any, max_value: int, **_: Any) -> Any:  # noqa: N805
        return F.octet_length(column) <= max_value


class ExpectColumnValueByteLengthsToBeBetween(ColumnMapExpectation):  # type: ignore[misc]
    """Expect texts of at most `max_value` bytes of UTF-8, as a VARCHAR of Redshift takes."""

    max_value: int

    map_metric: ClassVar[str] = _METRIC
    success_keys: ClassVar[tuple[str, ...]] = ("max_value", "mostly")


def as_gx(suite: Suite) -> Any:
    """The suite as Great Expectations' own `ExpectationSuite`, which validates types and arguments.

    Raises ContractError if it knows one of them otherwise than the gate, or not at all: it would drop that silently.
    """
    try:
        built = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"])
    except (TypeError, ValueError) as error:  # pydantic's errors are ValueErrors
        raise ContractError(f"suite {suite['name']}: Great Expectations refuses it: {error}") from None
    wanted = [expectation["type"] for expectation in suite["expectations"]]
    if [expectation.expectation_type for expectation in built.expectations] != wanted:
        unknown = sorted(set(wanted) - {expectation.expectation_type for expectation in built.expectations})
        raise ContractError(f"suite {suite['name']}: Great Expectations does not know {', '.join(unknown)}")
    return built
