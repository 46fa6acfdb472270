"""Metrics in CloudWatch's embedded metric format: one JSON line in a function's log, no call, no permission.

Source: AWS documentation, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime


def embedded_metrics(
    namespace: str,
    dimensions: Mapping[str, str],
    values: Mapping[str, float],
    units: Mapping[str, str],
    moment: datetime,
) -> str:
    """One line that CloudWatch turns into metrics. `units`: those of metrics that are not counts."""
    metrics = [{"Name": name, "Unit": units.get(name, "Count")} for name in values]
    about = {"Namespace": namespace, "Dimensions": [list(dimensions)], "Metrics": metrics}
    return json.dumps(
        {
            "_aws": {"Timestamp": int(moment.timestamp() * 1000), "CloudWatchMetrics": [about]},
            **dimensions,
            **values,
        }
    )


def emit(line: str) -> None:
    """Write a line of metrics to stdout, which becomes the function's log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
