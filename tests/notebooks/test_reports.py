"""The notebooks for reports, run by papermill on a small lake."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.moto_aws import client, moto_endpoint
from gluebook.core.keys import Lake
from gluebook.notebook.execute import execute
from localaws.endpoint import Endpoint

ARRIVALS = Path(__file__).parents[2] / "notebooks" / "reports" / "arrivals.ipynb"
DAY, OTHER_DAY = "2026-01-05", "2026-01-06"
LAKE = Lake("arrivals-lake")
__all__ = ["moto_endpoint"]


def put(key: str, rows: list[dict[str, Any]]) -> None:
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), body)
    client("s3").put_object(Bucket=LAKE.bucket, Key=key, Body=body.getvalue())


@pytest.fixture
def lake(endpoint: Endpoint) -> None:
    client("s3").create_bucket(Bucket=LAKE.bucket)
    for day, count in ((DAY, 3), (OTHER_DAY, 50)):
        file = f"app_logs/mongod/dt={day}/a.jsonl"
        rows = [{"source": "mongod", "level": "info", "_source_file": file}] * count
        put(LAKE.curated_file("app_logs", day, "b1", 0), rows)
        reject = {
            "dataset": "app_logs",
            "source": "mongod",
            "reason": "malformed_record",
            "_source_file": file,
        }
        put(LAKE.quarantine_file("app_logs", f"b-{day}", 1, 0), [reject] * (count - 1))


def outputs(path: Path) -> tuple[str, int]:
    """(all text of the executed notebook's outputs, how many plots it shows)."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    text = "\n".join("".join(data.get("text/plain", "")) for data in shown)
    return text, sum("image/png" in data for data in shown)


@pytest.mark.usefixtures("lake")
def test_a_day_shows_its_own_rows_and_rejects_and_no_others(tmp_path: Path) -> None:
    execute(ARRIVALS, {"day": DAY, "lake_bucket": LAKE.bucket}, tmp_path / "a.ipynb", kernel="python3")
    text, plots = outputs(tmp_path / "a.ipynb")
    assert [line.split() for line in text.splitlines() if "mongod" in line] == [
        ["0", "app_logs", "mongod", "1", "3"],
        ["0", "app_logs", "mongod", "malformed_record", "2"],
    ]
    assert plots == 1
    execute(
        ARRIVALS, {"day": "1999-01-01", "lake_bucket": LAKE.bucket}, tmp_path / "b.ipynb", kernel="python3"
    )
    text, plots = outputs(tmp_path / "b.ipynb")
    assert "mongod" not in text and plots == 1
