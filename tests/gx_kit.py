"""Great Expectations' own verdict on a frame, to compare the gate's with."""

from __future__ import annotations

import logging
from typing import Any

import great_expectations as gx
from pyspark.sql import DataFrame

from gluebook.quality.gx import as_gx
from gluebook.quality.suites import Suite


def gx_results(frame: Any, suite: Suite) -> list[dict[str, Any]]:
    """Great Expectations' results on a Spark or pandas frame as JSON values, in the suite's order."""
    for name in ("great_expectations", "py4j"):
        logging.getLogger(name).setLevel(logging.ERROR)
    numbered = [{**one, "meta": {"number": n}} for n, one in enumerate(suite["expectations"])]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    add = context.data_sources.add_spark if isinstance(frame, DataFrame) else context.data_sources.add_pandas
    batch = (
        add("frames")
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame})
    )
    found = batch.validate(as_gx({**suite, "expectations": numbered}), result_format="BASIC").results
    results = [one.to_json_dict() for one in found]
    assert len(results) == len(numbered)
    return sorted(results, key=lambda one: int(one["expectation_config"]["meta"]["number"]))


def gx_verdicts(frame: Any, suite: Suite) -> list[tuple[bool, int | None, float | None]]:
    """Of each expectation whether it holds, how many rows break it, and their share in percent."""
    return [
        (
            bool(one["success"]),
            (one.get("result") or {}).get("unexpected_count"),
            (one.get("result") or {}).get("unexpected_percent"),
        )
        for one in gx_results(frame, suite)
    ]
