"""An expectation that Great Expectations lacks: length in bytes. Importing this module registers it."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.execution_engine import PandasExecutionEngine, SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from pyspark.sql import functions as F

_METRIC = "column_values.byte_length.at_most"


class ColumnValuesByteLength(ColumnMapMetricProvider):  # type: ignore[misc]
    """Whether a text is at most `max_value` bytes of UTF-8."""

    condition_metric_name = _METRIC
    condition_value_keys = ("max_value",)

    @column_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column: Any, max_value: int, **_: Any) -> Any:  # noqa: N805
        return column.astype(object).map(lambda text: len(str(text).encode()) <= max_value).astype(bool)

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls, column: Any, max_value: int, **_: Any) -> Any:  # noqa: N805
        return F.octet_length(column) <= max_value


class ExpectColumnValueByteLengthsToBeBetween(ColumnMapExpectation):  # type: ignore[misc]
    """Expect texts of at most `max_value` bytes of UTF-8, as a VARCHAR of Redshift takes."""

    max_value: int

    map_metric: ClassVar[str] = _METRIC
    success_keys: ClassVar[tuple[str, ...]] = ("max_value", "mostly")
