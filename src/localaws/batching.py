"""Batches for operations that limit the entries and the bytes of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    entries: Iterable[T], size: Callable[[T], int], *, most_entries: int, most_bytes: int
) -> Iterator[list[T]]:
    """The entries in their order, as many at a time as fit; one that is too large alone comes alone."""
    batch: list[T] = []
    total = 0
    for entry in entries:
        if batch and (len(batch) == most_entries or total + size(entry) > most_bytes):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size(entry)
    if batch:
        yield batch
