"""Generate a sample, at once or file by file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from gluebook.sample.layout import Request
from gluebook.sample.log_files import log_files
from gluebook.sample.ticket_files import ticket_files
from gluebook.sample.truth import Sample, SampleFile, Truth


def generate(request: Request) -> Sample:
    """A whole sample in memory. The same request gives the same bytes."""
    files = tuple(iter_files(request))
    return Sample(files, Truth.of(files))


def iter_files(request: Request) -> Iterator[SampleFile]:
    """The files of `generate`, one at a time, day by day, those of a dataset in order of arrival.

    Holds the records of one file per dataset, plus four bytes per ticket record.
    """
    # Merges two streams, each in order of time.
    return heapq.merge(ticket_files(request), log_files(request), key=lambda file: file.dt)
