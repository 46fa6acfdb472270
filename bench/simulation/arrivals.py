"""When files arrive, and how large they are."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from bench.simulation.clock import MIDNIGHT
from bench.simulation.options import Options
from gluebook.core.claiming import MOST_FILES
from gluebook.core.keys import raw_key
from gluebook.sources import source_names

DAY = 86_400.0
# How long a burst takes.
BURST = 60.0
_OPENS, _CLOSES, _SHARE_OF_THE_HOURS = 8 * 3600.0, 18 * 3600.0, 0.9
# A run's claim holds at least so many parcels, so that it ends close to where it would end by files.
_PARCELS_OF_A_CLAIM = 8


def _business(share: float) -> float:
    """Nine tenths of the files between 8 and 18 o'clock, the others before and after."""
    outside = DAY - (_CLOSES - _OPENS)
    rest = 1 - _SHARE_OF_THE_HOURS
    before = rest * _OPENS / outside
    if share < before:
        return share / rest * outside
    if share < before + _SHARE_OF_THE_HOURS:
        return _OPENS + (share - before) / _SHARE_OF_THE_HOURS * (_CLOSES - _OPENS)
    return _CLOSES + (share - before - _SHARE_OF_THE_HOURS) / rest * outside


def _hourly(share: float) -> float:
    hour, within = divmod(share * 24, 1)
    return hour * 3600 + within * BURST


# By name: the second at which a share of the day's files has arrived.
PATTERNS: Mapping[str, Callable[[float], float]] = {
    "even": lambda share: share * DAY,
    "business": _business,
    "hourly": _hourly,
    "midnight": lambda share: share * BURST,
}


@dataclass(frozen=True)
class Parcel:
    """One simulated file version, which stands for as many files as `files_of_each` says; `size` in bytes."""

    key: str
    dataset: str
    size: int
    arrives: float
    bad: bool


def files_of_each(options: Options, max_batch_bytes: float) -> int:
    """How many files a parcel stands for: as few as the number of parcels allows, and several parcels to a claim."""
    wanted = math.ceil(options.files / options.parcels)
    file_bytes = options.size * 1e6 / options.files
    most = min(MOST_FILES, max_batch_bytes / file_bytes) / _PARCELS_OF_A_CLAIM
    return max(1, min(wanted, int(most)))


def parcels(options: Options, of_each: int, chance: random.Random) -> list[Parcel]:
    """The day's parcels in order of arrival."""
    number = max(1, round(options.files / of_each))
    weights = [chance.lognormvariate(0, 0.5) for _ in range(number)]
    scale = options.size * 1e6 / sum(weights)
    when = PATTERNS[options.arrivals]
    found = []
    for place, weight in enumerate(weights):
        dataset = options.datasets[place % len(options.datasets)]
        source, *_ = source_names(dataset)
        found.append(
            Parcel(
                key=raw_key(dataset, source, MIDNIGHT.date(), f"part-{place:07d}.gz"),
                dataset=dataset,
                size=max(1, round(weight * scale)),
                arrives=when((place + chance.random()) / number),
                bad=chance.random() < options.bad_files,
            )
        )
    return sorted(found, key=lambda parcel: parcel.arrives)


def day() -> date:
    """The date of arrival of all of them."""
    return MIDNIGHT.date()
