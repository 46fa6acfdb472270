"""Register the versions in a listing of the raw bucket, each once, in their order of creation."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeClock, FakeLedger, FakeObjects
from gluebook.core.model import FileVersion, ObjectVersion
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.operations.register import (
    RegisterContext,
    Registrations,
    new_file_version,
    register,
    register_missing,
    unregistered,
)

RAW = "raw"
LOGS = "app_logs/mongod/dt=2026-01-05/a.log"
TICKETS = "support_tickets/servicenow/dt=2026-01-05/a.csv"


class Bucket:
    """A raw bucket and a ledger. Its events are numbered in the order of their versions."""

    def __init__(self) -> None:
        self.ledger, self.objects, self.clock = FakeLedger(), FakeObjects(), FakeClock()
        self._moments = itertools.count(1)
        self.sequencers: dict[str, str] = {}

    def put(self, key: str, count: int = 1) -> list[str]:
        ids = [self.objects.put(RAW, key, b"12345") for _ in range(count)]
        self.sequencers |= {version: f"{next(self._moments):04X}" for version in ids}
        return ids

    def event(self, key: str, version: str) -> bool:
        order = order_of_event(self.sequencers[version])
        file = new_file_version(RAW, key, version, 5, order, self.clock())
        return register(file, self.ledger, "event")

    def listed(self) -> list[ObjectVersion]:
        return [version for page in self.objects.versions(RAW, "") for version in page]

    def register_missing(self, listed: list[ObjectVersion] | None = None) -> Registrations:
        listed = self.listed() if listed is None else listed
        return register_missing(listed, RegisterContext(self.ledger, self.objects, RAW, self.clock, "found"))

    def order(self, key: str = LOGS) -> list[str]:
        """The version ids of a key as the ledger orders them."""
        versions = self.ledger.versions(RAW, key)
        assert len({file.order for file in versions}) == len(versions)
        return [file.version_id for file in versions]


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def test_an_object_whose_event_was_lost_waits_to_be_claimed(bucket: Bucket) -> None:
    [version] = bucket.put(LOGS)
    assert bucket.register_missing() == Registrations(registered=1, datasets=frozenset({"app_logs"}))
    [file] = bucket.ledger.pending("app_logs", 10)
    assert (file.key, file.version_id, file.size, file.bucket) == (LOGS, version, 5, RAW)
    assert (file.dataset, file.source, file.dt) == ("app_logs", "mongod", "2026-01-05")
    assert file.registered_at == file.waiting_since == "2026-01-05T10:15:00.000Z"
    assert bucket.ledger.corrections("app_logs") == []


def test_all_versions_of_a_key_in_one_page_are_registered_the_oldest_first(bucket: Bucket) -> None:
    ids = bucket.put(LOGS, 5)
    assert bucket.register_missing().registered == 5
    assert bucket.order() == ids
    assert [correction.key for correction in bucket.ledger.corrections("app_logs")] == [LOGS]


def test_known_versions_are_unchanged(bucket: Bucket) -> None:
    first, second = bucket.put(LOGS, 2)
    bucket.put(TICKETS)
    bucket.event(LOGS, first)
    before = bucket.ledger.versions(RAW, LOGS)
    bucket.clock.forward(60)
    assert bucket.register_missing() == Registrations(
        known=1, registered=2, datasets=frozenset({"app_logs", "support_tickets"})
    )
    assert bucket.ledger.versions(RAW, LOGS)[:1] == before
    assert bucket.order() == [first, second]


def test_registering_again_changes_nothing(bucket: Bucket) -> None:
    bucket.put(LOGS, 3)
    bucket.put(TICKETS)
    bucket.put("outside.csv")
    bucket.register_missing()
    before = sorted(bucket.ledger.files(), key=lambda file: file.file_id)
    bucket.clock.forward(60)
    assert bucket.register_missing() == Registrations(known=5)
    assert sorted(bucket.ledger.files(), key=lambda file: file.file_id) == before


def test_a_key_outside_the_convention_counts_as_refused_and_starts_no_job(bucket: Bucket) -> None:
    bucket.put("outside.csv", 2)
    assert bucket.register_missing() == Registrations(refused=2)
    files = list(bucket.ledger.files())
    assert {(file.state, file.dataset) for file in files} == {(FileState.FAILED, "")}
    assert all((file.reason or "").startswith("key_outside_convention") for file in files)


def test_an_empty_listing_is_nothing(bucket: Bucket) -> None:
    assert bucket.register_missing([]) == Registrations()


def test_a_late_event_of_what_was_registered_is_known_and_leaves_the_order_as_it_is(bucket: Bucket) -> None:
    first, second = bucket.put(LOGS, 2)
    bucket.event(LOGS, first)
    bucket.register_missing()
    assert bucket.event(LOGS, second) is False
    assert bucket.order() == [first, second]


def test_a_version_that_came_after_a_registered_one_comes_after_it(bucket: Bucket) -> None:
    ids = bucket.put(LOGS, 2)
    bucket.event(LOGS, ids[0])
    bucket.register_missing()
    ids += bucket.put(LOGS)
    bucket.event(LOGS, ids[2])
    assert bucket.order() == ids


@given(st.lists(st.sampled_from(["event", "lost"]), min_size=1, max_size=6), st.integers(0, 6), st.data())
def test_events_and_listings_in_any_mixture_give_the_order_in_which_versions_came_about(
    fates: list[str], cut: int, data: st.DataObject
) -> None:
    bucket = Bucket()
    ids = bucket.put(LOGS, len(fates))
    told = [version for version, fate in zip(ids, fates, strict=True) if fate == "event"]
    early = data.draw(st.permutations(told))
    for version in early[:cut]:
        bucket.event(LOGS, version)
    bucket.register_missing()
    for version in early[cut:]:
        bucket.event(LOGS, version)
    assert bucket.order() == ids


@pytest.mark.parametrize("neighbour", [None, f"{LOGS}.gz"])
def test_a_version_that_came_after_the_listing_stays_the_newer_one_though_its_event_is_the_first(
    bucket: Bucket, neighbour: str | None
) -> None:
    [first] = bucket.put(LOGS)
    if neighbour:
        bucket.put(neighbour)
    stale = bucket.listed()
    [second] = bucket.put(LOGS)
    assert bucket.event(LOGS, second) is True
    found = bucket.register_missing(stale)
    assert (found.registered, found.known) == (1 if neighbour is None else 2, 0)
    assert bucket.event(LOGS, first) is False
    assert bucket.order() == [first, second]


def test_a_version_that_a_stale_listing_lacks_is_registered_in_its_order(
    bucket: Bucket,
) -> None:
    [first] = bucket.put(LOGS)
    stale = bucket.listed()
    second, third = bucket.put(LOGS, 2)
    bucket.event(LOGS, third)
    bucket.register_missing(stale)
    assert bucket.order() == [first, second, third]


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 6), st.data())
def test_a_listing_however_stale_leaves_the_order_in_which_versions_came_about(
    told: list[bool], listed: int, data: st.DataObject
) -> None:
    bucket = Bucket()
    ids = bucket.put(LOGS, min(listed, len(told)))
    stale = bucket.listed()
    ids += bucket.put(LOGS, len(told) - len(ids))
    events = data.draw(st.permutations([v for v, has_event in zip(ids, told, strict=True) if has_event]))
    cut = data.draw(st.integers(0, len(events)))
    for version in events[:cut]:
        bucket.event(LOGS, version)
    bucket.register_missing(stale)
    for version in events[cut:]:
        bucket.event(LOGS, version)
    bucket.register_missing()
    assert bucket.order() == ids


class EventsInBetween(FakeLedger):
    """A ledger in which the event of one version arrives right before another is registered."""

    def __init__(self, bucket: Bucket, before: str, comes: str) -> None:
        super().__init__()
        self._bucket, self._before, self._comes = bucket, before, comes

    def register(self, file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        if file.version_id == self._before and cause != "event":
            self._before = ""
            assert self._bucket.event(LOGS, self._comes)
        return super().register(file, cause, correctable=correctable)


@pytest.mark.parametrize(("before", "comes"), [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)])
def test_an_event_that_comes_in_between_leaves_the_order_right(before: int, comes: int) -> None:
    bucket = Bucket()
    ids = bucket.put(LOGS, 3)
    bucket.ledger = EventsInBetween(bucket, ids[before], ids[comes])
    found = bucket.register_missing()
    assert (found.registered, found.known) == (2, 1)
    assert bucket.order() == ids


def test_what_comes_after_versions_that_were_deleted_for_good_comes_after_them(bucket: Bucket) -> None:
    ids = bucket.put(LOGS, 3)
    for version in ids[:2]:
        bucket.event(LOGS, version)
        bucket.objects.remove_version(RAW, LOGS, version)
    bucket.register_missing()
    assert bucket.order() == ids


EVENT, DELETED, LOST = "event", "event, then deleted", "lost"


@given(st.lists(st.sampled_from([EVENT, DELETED, LOST]), min_size=1, max_size=6))
def test_versions_that_were_deleted_for_good_confuse_no_order_of_those_that_are_there(
    fates: list[str],
) -> None:
    bucket = Bucket()
    ids = bucket.put(LOGS, len(fates))
    for version, fate in zip(ids, fates, strict=True):
        if fate != LOST:
            bucket.event(LOGS, version)
        if fate == DELETED:
            bucket.objects.remove_version(RAW, LOGS, version)
    bucket.register_missing()
    there = [version for version, fate in zip(ids, fates, strict=True) if fate != DELETED]
    assert [version for version in bucket.order() if version in there] == there


def test_the_newest_version_that_is_there_comes_after_all_that_were_deleted_for_good(bucket: Bucket) -> None:
    ids = bucket.put(LOGS, 3)
    bucket.event(LOGS, ids[0])
    bucket.event(LOGS, ids[1])
    bucket.objects.remove_version(RAW, LOGS, ids[1])
    bucket.register_missing()
    assert bucket.order() == ids


def test_keys_of_one_page_are_kept_apart(bucket: Bucket) -> None:
    wanted = {f"{LOGS}.{number}": bucket.put(f"{LOGS}.{number}", 1 + number % 3) for number in range(30)}
    assert bucket.register_missing().registered == sum(map(len, wanted.values()))
    assert {key: bucket.order(key) for key in wanted} == wanted


class DyingLedger(FakeLedger):
    """A ledger whose user dies at its n-th change."""

    def __init__(self, changes: int) -> None:
        super().__init__()
        self.left = changes

    def register(self, file: FileVersion, cause: str, *, correctable: bool = False) -> bool:
        if self.left == 0:
            raise ConnectionError("died")
        self.left -= 1
        return super().register(file, cause, correctable=correctable)


@pytest.mark.parametrize("changes", range(3))
def test_a_listing_that_was_interrupted_anywhere_is_finished_by_the_next(
    bucket: Bucket, changes: int
) -> None:
    bucket.ledger = DyingLedger(changes)
    ids = bucket.put(LOGS, 3)
    with pytest.raises(ConnectionError):
        bucket.register_missing()
    bucket.ledger.left = -1
    bucket.register_missing()
    assert bucket.order() == ids
    assert [correction.key for correction in bucket.ledger.corrections("app_logs")] == [LOGS]


def test_unregistered_versions_are_listed_and_not_registered(bucket: Bucket) -> None:
    first, second = bucket.put(LOGS, 2)
    bucket.event(LOGS, first)
    found = unregistered(bucket.listed(), RAW, bucket.ledger)
    assert [version.version_id for version in found] == [second]
    assert bucket.order() == [first]


def test_a_version_is_registered_under_the_identity_its_event_would_give_it(bucket: Bucket) -> None:
    [version] = bucket.put(LOGS)
    bucket.register_missing()
    [registrations] = bucket.ledger.files()
    told = new_file_version(RAW, LOGS, version, 5, order_of_event("0A"), bucket.clock())
    assert replace(registrations, order="") == replace(told, order="")


# -- one object's failure ----------------------------------------------------------------------------------


def test_an_object_that_cannot_be_registered_is_named_and_does_not_end_its_page(bucket: Bucket) -> None:
    before, bad, late = (
        f"app_logs/mongod/dt=2026-01-05/{name}" for name in ("a.log", "b.log", "zzz/late.txt")
    )
    for key in (before, bad, late):
        bucket.put(key)
    bucket.ledger.refuse(bad)
    registrations = bucket.register_missing()
    assert registrations.registered == 2
    assert [str(failure) for failure in registrations.failed] == [f"{bad}: {registrations.failed[0].error}"]
    assert "ValidationException" in str(registrations.failed[0].error)
    assert {file.key for file in bucket.ledger.pending("app_logs", 10)} == {before, late}
    bucket.ledger.refuse()
    assert bucket.register_missing().registered == 1


def test_markers_and_checksums_are_neither_registered_nor_missing(bucket: Bucket) -> None:
    bucket.put(LOGS)
    for key in (
        "app_logs/mongod/dt=2026-01-05/_SUCCESS",
        "app_logs/mongod/_temporary/0/a.json",
        "x_$folder$",
    ):
        bucket.put(key)
    bucket.objects.put(RAW, "app_logs/", b"")
    listed = bucket.listed()
    assert {one.key for one in unregistered(listed, RAW, bucket.ledger)} == {LOGS}
    assert bucket.register_missing() == Registrations(registered=1, datasets=frozenset({"app_logs"}))
    assert [file.key for file in bucket.ledger.files()] == [LOGS]
