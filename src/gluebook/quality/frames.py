"""Parquet as pandas, its physical types kept apart: an integer that may be null is no float."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_PANDAS: dict[Any, Any] = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


def read_frame(files: Sequence[Path]) -> pd.DataFrame:
    """The rows of `files`, at least one, with the columns that stand in them; all files must have the same.

    Times lose their zone, which is UTC.
    """
    table = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
    plain = pa.schema(
        [pa.field(f.name, pa.timestamp("us")) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    )
    return table.cast(plain).to_pandas(types_mapper=_PANDAS.get)
