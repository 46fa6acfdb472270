"""Files that overlap, one a batch: what a batch's duplicates would be is what its load supersedes."""

from __future__ import annotations

from typing import Any

from chain.kit import real
from gluebook.core.model import Counts
from spark.place import Place

# Minutes whose files overlap, and the records of each. All of the second stand in the first.
MINUTES = {"2023-01-29/08_52": 5_381, "2023-01-29/08_53": 1_473}
REPEATS = 1_473


def arrive(place: Place, minute: str) -> None:
    """The file of a minute is registered."""
    day, _, name = minute.partition("/")
    body = real(f"logs/containers/{minute}_log.csv.gz").read_bytes()
    place.arrive("app_logs", "containers", day, f"{name}_log.csv.gz", body)


def contents(place: Place) -> list[tuple[Any, ...]]:
    """What is in the table, whichever batch brought it; and which files contain it."""
    return place.warehouse.rows(
        "select log_id, level, service, message, occurred_at from app_logs order by 1"
    ) + place.warehouse.rows(
        "select log_id, _source_file from app_logs union all "
        "select log_id, _source_file from app_logs_echoes order by 1, 2"
    )


def test_repeats_are_duplicates_within_a_batch_and_superseded_across_batches(place: Place) -> None:
    for minute in MINUTES:
        arrive(place, minute)
    together = place.run("app_logs")
    read = sum(MINUTES.values())
    assert together.counts == Counts(read, read - REPEATS, REPEATS, 0)
    assert (together.merged, together.superseded) == (read - REPEATS, 0)
    before = contents(place)

    place.empty()
    batches = []
    for minute, records in MINUTES.items():
        arrive(place, minute)
        batches.append(place.run("app_logs"))
        assert batches[-1].counts == Counts(records, records, 0, 0)
    assert sum(batch.superseded for batch in batches) == REPEATS
    assert batches[1].merged == 0
    assert contents(place) == before
