"""Parquet as pandas, with its physical types: an integer that may be null is no float."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gluebook.contracts import TYPES

_PANDAS = {
    pa.type_for_alias(type_.arrow): getattr(pd, type_.pandas)()
    for type_ in TYPES.values()
    if hasattr(pd, type_.pandas)  # the others are numpy's or Python's, and need no mapping
}


def read_frame(files: Sequence[Path]) -> pd.DataFrame:
    """The rows of `files`, at least one file; all files must have the same columns.

    Times lose their zone, which is UTC.
    """
    table = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
    plain = pa.schema(
        [pa.field(f.name, pa.timestamp("us")) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    )
    return table.cast(plain).to_pandas(types_mapper=_PANDAS.get)
