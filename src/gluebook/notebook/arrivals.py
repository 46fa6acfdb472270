"""The rows and rejects of a day in the lake, for reports; small enough for one machine."""

from __future__ import annotations

from typing import Any

from gluebook.contracts import CONTRACTS
from gluebook.core.keys import Lake

_CURATED = ("dataset", "source", "status", "level", "_source_file")
_REJECTED = ("dataset", "source", "reason", "_source_file")


def curated_on(lake_bucket: str, day: str) -> Any:
    """The curated rows that arrived on `day` (YYYY-MM-DD): a pandas DataFrame, one row each.

    Columns: dataset, source, status (of tickets), level (of logs), _source_file. Empty if nothing arrived.
    """
    lake = Lake(lake_bucket)
    return _rows(
        [(dataset, lake.uri(f"{lake.curated(dataset)}dt={day}/")) for dataset in CONTRACTS], _CURATED
    )


def rejected_on(lake_bucket: str, day: str) -> Any:
    """The rejects of files that arrived on `day`: a pandas DataFrame, one row each.

    Columns: dataset, source, reason, _source_file. Empty if there are no rejects.
    """
    lake = Lake(lake_bucket)
    found = _rows([(dataset, lake.uri(lake.quarantined(dataset))) for dataset in CONTRACTS], _REJECTED)
    return found[found["_source_file"].str.contains(f"/dt={day}/", regex=False)].reset_index(drop=True)


def _rows(places: list[tuple[str, str]], columns: tuple[str, ...]) -> Any:
    import awswrangler as wr  # slow to import
    import pandas as pd

    parts = [pd.DataFrame(columns=list(columns), dtype="object")]
    for dataset, prefix in places:
        for path in wr.s3.list_objects(prefix, suffix=".parquet"):
            there = set(wr.s3.read_parquet_metadata(path)[0])
            frame = wr.s3.read_parquet(path, columns=[name for name in columns if name in there])
            parts.append(frame.assign(dataset=dataset).reindex(columns=list(columns)).astype("object"))
    return pd.concat(parts, ignore_index=True)
