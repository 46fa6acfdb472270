"""Generate a sample, at once or file by file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date

from gluebook.sample.layout import Request
from gluebook.sample.log_files import log_files
from gluebook.sample.ticket_files import ticket_files
from gluebook.sample.truth import Sample, SampleFile, Truth


def generate(
    *,
    seed: int = 7,
    tickets: int = 400,
    log_lines: int = 4000,
    days: int = 3,
    first_day: date = date(2026, 1, 5),
    files_per_day: int = 3,
    rows_per_file: int = 50_000,
) -> Sample:
    """A whole sample in memory. The same arguments give the same bytes.

    `tickets` is the number of incidents (each has 1 to 8 revisions, one record each), `log_lines` the number
    of log records, duplicates and rejects included. Raises ValueError for an invalid size.
    """
    files = tuple(
        iter_files(
            seed=seed,
            tickets=tickets,
            log_lines=log_lines,
            days=days,
            first_day=first_day,
            files_per_day=files_per_day,
            rows_per_file=rows_per_file,
        )
    )
    return Sample(files, Truth.of(files))


def iter_files(
    *,
    seed: int = 7,
    tickets: int = 400,
    log_lines: int = 4000,
    days: int = 3,
    first_day: date = date(2026, 1, 5),
    files_per_day: int = 3,
    rows_per_file: int = 50_000,
) -> Iterator[SampleFile]:
    """The files of `generate`, one at a time, day by day, those of a dataset in order of arrival.

    Holds the records of one file per dataset, plus four bytes per ticket record. `rows_per_file` bounds a log
    file exactly; ticket files vary by about a half around their mean, because revisions arrive late.
    Raises ValueError for an invalid size, at once and not with the first file.
    """
    request = Request(seed, tickets, log_lines, days, first_day, files_per_day, rows_per_file)
    # Merges two streams, each in order of time.
    return heapq.merge(ticket_files(request), log_files(request), key=lambda file: file.dt)
