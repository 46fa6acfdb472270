"""Records of one source in memory, as Arrow arrays: what a verb takes and returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

RAW, PROBLEM = "_raw", "_problem"

# The text of the records at the given places, as the quarantine may keep it.
RawText = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True)
class Rows:
    """Records of a source at some step: arrays of one length, by column.

    `raw`: only rejects keep a record's text, and few records are rejects, so masks are applied to it when it is asked
    for. Row n is the same record at every step.
    """

    columns: Mapping[str, pa.Array]
    raw: RawText

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> Rows:
        """The records of a batch with the column `_raw`."""
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        return cls(columns, columns.pop(RAW).take)

    def __len__(self) -> int:
        return len(self.columns[PROBLEM])

    def __getitem__(self, name: str) -> pa.Array:
        return self.columns[name]

    def with_columns(self, columns: Mapping[str, pa.Array]) -> Rows:
        """With these columns, added or in the place of those that have their names."""
        return replace(self, columns={**self.columns, **columns})

    def without(self, names: Collection[str]) -> Rows:
        """Without these columns."""
        return replace(self, columns={n: array for n, array in self.columns.items() if n not in names})

    def take(self, places: pa.Array) -> Rows:
        """The records at these places."""
        return Rows({name: array.take(places) for name, array in self.columns.items()}, self.raw(places).take)

    def with_raw(self, masked: Callable[[pa.Array], pa.Array]) -> Rows:
        """With a mask on the text that rejects keep, above those that are there."""
        below = self.raw
        return replace(self, raw=lambda places: masked(below(places)))

    def all_raw(self) -> pa.Array:
        """The text of every record."""
        return self.raw(pa.array(range(len(self)), pa.int64()))

    def to_batch(self) -> pa.RecordBatch:
        """All columns, and `_raw` of the records with a problem; it is null in the others."""
        is_reject = pc.is_valid(self.columns[PROBLEM])
        rejected = pc.indices_nonzero(is_reject)
        raw = pa.nulls(len(self), pa.string())
        if len(rejected):
            raw = pc.replace_with_mask(raw, is_reject, self.raw(rejected))
        columns = {**self.columns, RAW: raw}
        return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def sha256_hex(texts: pa.Array) -> pa.Array:
    """SHA-256 of each text's UTF-8, in hexadecimal digits; null of null."""
    digests = (
        None if one is None else hashlib.sha256(one).hexdigest()
        for one in texts.cast(pa.binary()).to_pylist()
    )
    return pa.array(digests, pa.string())


def where(texts: pa.Array, hint: pa.Array, changed: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """`changed` of the texts for which `hint` holds, and the others as they are."""
    hint = pc.fill_null(hint, False)
    if not pc.any(hint, min_count=0).as_py():
        return texts
    return pc.replace_with_mask(texts, hint, changed(texts.filter(hint)))


def by_value(texts: pa.Array, of: Callable[[str], str | None]) -> pa.Array:
    """`of` each text, computed once for equal ones; null of null."""
    encoded = texts.dictionary_encode()
    values: Iterable[str] = encoded.dictionary.to_pylist()
    return pa.array([of(value) for value in values], pa.string()).take(encoded.indices)
