"""The contract of the ledger: tested on the real one with a server, and on the fake of the unit tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pytest

from contract.moto_aws import client, ledger_table, moto_endpoint, session  # noqa: F401
from fakes import FakeLedger, a_batch, a_file
from gluebook.aws.ledger import Ledger
from gluebook.aws.ledger import keys as ledger_keys
from gluebook.aws.ledger.codec import file_item
from gluebook.core.model import Batch, Correction, Counts, FileVersion, NotedVerdict
from gluebook.core.states import OPEN_STATES, REPEATABLE_STATES, BatchState, FileState
from gluebook.errors import Fenced, IllegalTransition
from localaws.dynamodb.limits import MOST_ITEM_BYTES, item_size
from localaws.endpoint import Endpoint

AT = "2026-01-05T10:15:00.000Z"
LATER = "2026-01-05T10:16:00.000Z"
ANY_TIME = "2026"
EVEN_LATER = "2026-01-05T10:17:00.000Z"
MANY = 20
RACERS = 8
T = TypeVar("T")


@pytest.fixture(params=["real", "fake"])
def ledger(request: pytest.FixtureRequest) -> Ledger | FakeLedger:
    return request.getfixturevalue("real") if request.param == "real" else FakeLedger()


@pytest.fixture
def real(table: str) -> Ledger:
    return Ledger(table, "tester", session())


def succeeded(result: T | Exception) -> T:
    """The result of a raced action, which may not have failed."""
    if isinstance(result, Exception):
        raise result
    return result


def race(actions: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Do all at the same time; their results or what they raised, in order."""
    actions = list(actions)
    start = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(place: int, action: Callable[[], T]) -> None:
        start.wait(timeout=30)
        try:
            results[place] = action()
        except Exception as error:  # noqa: BLE001  handed to the test
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    return results


def opened(ledger: Any, batch: Batch | None = None, files: list[FileVersion] | None = None) -> Batch:
    """A batch in the ledger that carries `files`."""
    batch = batch or a_batch()
    for file in files or []:
        assert ledger.register(file, "test")
    ledger.open_batch(batch)
    assert len(ledger.claim(batch, files or [])) == len(files or [])
    return batch


def curated(ledger: Any, batch: Batch) -> Batch:
    going = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING, plan="p"), AT, "gate")
    published: Batch = ledger.advance(going, replace(going, state=BatchState.CURATED), AT, "published")
    return published


def state_of(ledger: Any, file: FileVersion) -> tuple[FileState, str | None, str | None]:
    [found] = [one for one in ledger.files() if one.file_id == file.file_id]
    return found.state, found.batch_id, found.reason


def now(ledger: Any, file: FileVersion) -> FileVersion:
    [found] = ledger.files_now([file])
    return found  # type: ignore[no-any-return]


# -- registering -------------------------------------------------------------------------------------------


def test_a_file_version_is_registered_once_however_many_events_there_are(ledger: Any) -> None:
    file = a_file()
    assert ledger.register(file, "object created") is True
    assert ledger.register(replace(file, registered_at=LATER), "object created") is False
    assert list(ledger.files()) == [file]
    assert ledger.pending("app_logs", MANY) == [file]


def test_of_eight_who_register_at_once_one_does(ledger: Any) -> None:
    file = a_file()
    found = race([lambda: ledger.register(file, "object created")] * RACERS)
    assert sorted(map(str, found)) == ["False"] * (RACERS - 1) + ["True"]
    assert ledger.pending("app_logs", MANY) == [file]


def test_many_at_once_are_registered_as_each_by_itself(ledger: Any) -> None:
    files = [a_file(f"f{n:03d}") for n in range(80)]
    first, second = (a_file("twice", version=f"v{n}", sequencer=f"0{n}") for n in (1, 2))
    refused = replace(files[70], dataset="", source="", dt="", state=FileState.FAILED, reason="no_such_date")
    arrived = [*files[:70], refused, *files[71:], first, second]
    assert ledger.register(files[40], "test", correctable=True)
    found = ledger.register_all(arrived, "test", {"app_logs"})
    assert found == [file is not files[40] for file in arrived]
    assert set(ledger.files()) == set(arrived)
    assert set(ledger.pending("app_logs", len(arrived))) == set(arrived) - {refused}
    assert ledger.count_failures("", ANY_TIME) == 1
    assert ledger.corrections("app_logs") == [Correction("raw", first.key, second.file_id)]
    assert ledger.register_all(arrived, "test", {"app_logs"}) == [False] * len(arrived)
    assert ledger.register_all([], "test", {"app_logs"}) == []


def test_many_are_registered_in_few_requests(real: Ledger) -> None:
    made: list[str] = []
    events = real._table._client.meta.events
    events.register("before-call.*", lambda model, **_: made.append(model.name))
    real.register_all([a_file(f"f{n:03d}") for n in range(99)], "test", {"app_logs"})
    assert made == ["TransactWriteItems"] * 3


def test_a_file_outside_the_convention_is_known_but_never_pending(ledger: Any) -> None:
    file = replace(
        a_file(), state=FileState.FAILED, reason="no_such_date: dt=2026-02-30", dataset="", source="", dt=""
    )
    assert ledger.register(file, "object created")
    assert list(ledger.files()) == [file]
    assert ledger.pending("", MANY) == []
    assert ledger.count_failures("", ANY_TIME) == 1


def test_pending_files_come_oldest_first_up_to_the_limit_of_their_dataset_only(ledger: Any) -> None:
    files = [a_file(f"f{n}", at=f"2026-01-05T10:{n:02d}:00.000Z") for n in range(12)]
    other = a_file("other", dataset="support_tickets")
    for file in [*files[::2], other, *files[1::2]]:
        ledger.register(file, "test")
    assert ledger.pending("app_logs", MANY) == files
    assert ledger.pending("app_logs", 5) == files[:5]
    assert ledger.pending("support_tickets", MANY) == [other]
    assert ledger.pending("nothing", MANY) == []


def test_those_that_wait_longest_come_first_however_early_they_were_registered(ledger: Any) -> None:
    early, late = a_file("early", at=AT), a_file("late", at=LATER)
    batch = opened(ledger, files=[early])
    ledger.register(late, "test")
    going = ledger.advance(batch, replace(batch, state=BatchState.DIVIDING), AT, "used up")
    ledger.release(going, ledger.batch_files(batch.batch_id), "g", EVEN_LATER)
    assert [file.key for file in ledger.pending("app_logs", MANY)] == [late.key, early.key]


def test_a_further_version_of_a_file_marks_it_as_corrected_in_one_go(ledger: Any) -> None:
    first, second, third = (a_file("a.log", version=f"v{n}", sequencer=f"0{n}") for n in (1, 2, 3))
    assert ledger.register(first, "test", correctable=True)
    assert ledger.corrections("app_logs") == []
    assert ledger.register(second, "test", correctable=True)
    assert ledger.register(second, "test", correctable=True) is False
    assert ledger.corrections("app_logs") == [Correction("raw", first.key, second.file_id)]
    assert ledger.register(third, "test", correctable=True)
    assert [one.token for one in ledger.corrections("app_logs")] == [third.file_id]
    assert set(ledger.versions("raw", first.key)) == set(ledger.files()) == {first, second, third}


def test_files_that_know_no_corrections_are_never_marked(ledger: Any) -> None:
    for version in ("v1", "v2"):
        assert ledger.register(a_file("a.csv", dataset="support_tickets", version=version), "test")
    assert ledger.corrections("support_tickets") == []


def test_of_versions_that_come_at_once_one_sees_the_other(ledger: Any) -> None:
    files = [a_file("a.log", version=f"v{n}", sequencer=f"0{n}") for n in range(RACERS)]
    found = race([partial(ledger.register, file, "test", correctable=True) for file in files])
    assert found == [True] * RACERS
    assert set(ledger.files()) == set(files)
    assert [one.key for one in ledger.corrections("app_logs")] == [files[0].key]


def test_the_versions_of_a_key_come_in_the_order_in_which_they_came_about(ledger: Any) -> None:
    files = [a_file("a.log", version=f"v{n}", sequencer=f"0{n}") for n in (3, 1, 2)]
    for file in [*files, a_file("a.log.2"), a_file("a")]:
        ledger.register(file, "test")
    found = ledger.versions("raw", files[0].key)
    assert [file.version_id for file in found] == ["v1", "v2", "v3"]
    assert set(found) == set(files)
    assert ledger.versions("raw", "unknown") == ledger.versions("other-bucket", files[0].key) == []


def some_of_many(ledger: Any) -> tuple[list[FileVersion], list[FileVersion]]:
    """More files than are asked for at once, and those of them that are registered."""
    files = [a_file(f"f{n}") for n in range(103)]
    registered = [files[n] for n in (0, 1, 99, 100, 102)]
    for file in registered:
        ledger.register(file, "test")
    return files, registered


def test_of_many_versions_the_known_are_found(ledger: Any) -> None:
    files, registered = some_of_many(ledger)
    asked = [(file.key, file.version_id) for file in files]
    found = ledger.known("raw", [*asked, (files[0].key, "v2")])
    assert found == {(file.key, file.version_id): file for file in registered}
    assert ledger.known("other-bucket", asked[:3]) == {}
    assert ledger.known("raw", []) == {}


def test_files_are_shown_as_they_are_now(ledger: Any) -> None:
    files, registered = some_of_many(ledger)
    [claimed] = ledger.claim(opened(ledger), registered[:1])
    found = ledger.files_now(files)
    assert len(found) == len(registered)
    assert set(found) == {claimed, *registered[1:]}
    assert ledger.files_now([]) == []


# -- readmitting -------------------------------------------------------------------------------------------


def outside(name: str = "x") -> FileVersion:
    return replace(
        a_file(name), state=FileState.FAILED, reason="unknown_dataset", dataset="", source="", dt=""
    )


def test_a_file_refused_for_its_key_waits_once_there_is_a_source_for_it(ledger: Any) -> None:
    refused = outside()
    ledger.register(refused, "object created")
    wanted = replace(a_file("x"), waiting_since=LATER)
    assert ledger.readmit(wanted, "replay") is True
    assert ledger.pending("app_logs", MANY) == list(ledger.files()) == [wanted]
    assert ledger.readmit(wanted, "replay") is False
    batch = opened(ledger)
    assert [file.file_id for file in ledger.claim(batch, [wanted])] == [wanted.file_id]


@pytest.mark.parametrize("state", [FileState.CLAIMED, FileState.FAILED])
def test_a_file_that_a_batch_carries_is_not_readmitted(ledger: Any, state: FileState) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    if state is FileState.FAILED:
        ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "corrupt_gzip", AT)
    assert ledger.readmit(file, "replay") is False
    assert ledger.readmit(replace(file, batch_id=batch.batch_id), "replay") is False
    assert state_of(ledger, file)[:2] == (state, batch.batch_id)
    assert ledger.pending("app_logs", MANY) == []


def left_behind(ledger: Any, *, divided: bool = True) -> tuple[FileVersion, Batch]:
    """A file that could not be read, and the batch it stays with, which is divided or about to be."""
    file, other = replace(a_file("x"), group="older/1"), a_file("y")
    batch = opened(ledger, files=[file, other])
    ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "corrupt_gzip", AT)
    going = ledger.advance(batch, replace(batch, state=BatchState.DIVIDING), AT, "used up")
    if divided:
        ledger.release(going, [now(ledger, other)], f"{batch.batch_id}/1", AT)
        going = ledger.advance(going, replace(going, state=BatchState.DIVIDED), AT, "divided")
    return now(ledger, file), going


def to_wait(file: FileVersion) -> FileVersion:
    return replace(file, state=FileState.PENDING, waiting_since=LATER, group=None, reason=None)


def test_a_file_that_a_division_left_behind_waits_again_and_apart(ledger: Any) -> None:
    file, divided = left_behind(ledger)
    wanted = to_wait(file)
    assert wanted.batch_id == divided.batch_id
    assert ledger.readmit(wanted, "replay") is True
    waiting = replace(wanted, batch_id=None)
    assert now(ledger, file) == waiting
    assert [f for f in ledger.pending("app_logs", MANY) if f.file_id == file.file_id] == [waiting]
    assert ledger.readmit(wanted, "replay") is False
    batch = opened(ledger)
    assert [f.file_id for f in ledger.claim(batch, [waiting])] == [file.file_id]
    assert state_of(ledger, file) == (FileState.CLAIMED, batch.batch_id, None)


def test_a_file_whose_batch_is_still_being_divided_is_not_readmitted(ledger: Any) -> None:
    file, _ = left_behind(ledger, divided=False)
    assert ledger.readmit(to_wait(file), "replay") is False
    assert now(ledger, file) == file
    assert ledger.pending("app_logs", MANY) == []


def test_a_file_that_another_batch_has_found_bad_since_it_was_read_is_not_readmitted(ledger: Any) -> None:
    file, _ = left_behind(ledger)
    stale = to_wait(file)
    assert ledger.readmit(stale, "replay") is True
    batch = opened(ledger)
    ledger.claim(batch, [now(ledger, file)])
    ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "corrupt_gzip", AT)
    for known in (stale, replace(stale, batch_id=None), replace(stale, batch_id=batch.batch_id)):
        assert ledger.readmit(known, "replay") is False
    assert state_of(ledger, file) == (FileState.FAILED, batch.batch_id, "corrupt_gzip")


def test_of_eight_who_readmit_at_once_one_does(ledger: Any) -> None:
    file, _ = left_behind(ledger)
    done = race([lambda: ledger.readmit(to_wait(file), "replay")] * RACERS)
    assert sorted(map(str, done)) == ["False"] * (RACERS - 1) + ["True"]


def test_an_unknown_file_is_not_readmitted(ledger: Any) -> None:
    assert ledger.readmit(a_file(), "replay") is False
    assert list(ledger.files()) == []


# -- claiming ----------------------------------------------------------------------------------------------


def test_a_claimed_file_waits_no_more_and_is_carried_by_its_batch(ledger: Any) -> None:
    files = [a_file(f"f{n}") for n in range(40)]
    batch = opened(ledger, files=files)
    carried = ledger.batch_files(batch.batch_id)
    assert ledger.pending("app_logs", 100) == []
    assert [file.key for file in carried] == sorted(file.key for file in files)
    assert all((f.state, f.batch_id) == (FileState.CLAIMED, batch.batch_id) for f in carried)
    assert state_of(ledger, files[0]) == (FileState.CLAIMED, batch.batch_id, None)


def test_runs_that_claim_at_once_never_share_a_file_and_leave_none(
    ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # moto's transactions are slow; what counts is that there are several, and that some fail.
    monkeypatch.setattr("gluebook.aws.ledger.claims._FILES_PER_CLAIM", 3)
    files = [a_file(f"f{n:02d}") for n in range(12)]
    for file in files:
        ledger.register(file, "test")
    batches = [a_batch() for _ in range(4)]
    for batch in batches:
        ledger.open_batch(batch)
    found = race([partial(ledger.claim, batch, files) for batch in batches])
    claimed = [
        (file.file_id, batch.batch_id)
        for batch, got in zip(batches, found, strict=True)
        for file in succeeded(got)
    ]
    assert sorted(file_id for file_id, _ in claimed) == sorted(file.file_id for file in files)
    assert {file.file_id: file.batch_id for file in ledger.files()} == dict(claimed)
    assert ledger.pending("app_logs", 100) == []
    for batch in batches:
        assert {f.file_id for f in ledger.batch_files(batch.batch_id)} == {
            file_id for file_id, batch_id in claimed if batch_id == batch.batch_id
        }


def test_a_claim_leaves_out_what_others_have_taken(ledger: Any) -> None:
    files = [a_file(f"f{n}") for n in range(6)]
    opened(ledger, files=files[2:4])
    for file in files[:2] + files[4:]:
        ledger.register(file, "test")
    batch = opened(ledger)
    claimed = ledger.claim(batch, files)
    assert {file.file_id for file in claimed} == {file.file_id for file in files[:2] + files[4:]}


def test_a_file_is_claimed_for_the_wait_that_was_read_and_for_no_later_one(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    going = ledger.advance(batch, replace(batch, state=BatchState.DIVIDING), AT, "used up")
    ledger.release(going, ledger.batch_files(batch.batch_id), "b/1", EVEN_LATER)
    slow = opened(ledger)
    assert ledger.claim(slow, [file]) == []
    [waits] = ledger.pending("app_logs", MANY)
    assert (waits.group, waits.waiting_since) == ("b/1", EVEN_LATER)
    assert [one.file_id for one in ledger.claim(slow, [waits])] == [file.file_id]


def test_who_no_longer_works_on_a_batch_claims_nothing_for_it(ledger: Any) -> None:
    file = a_file()
    ledger.register(file, "test")
    batch = opened(ledger)
    curated(ledger, batch)
    assert ledger.claim(batch, [file]) == []
    assert ledger.pending("app_logs", MANY) == [file]
    assert ledger.batch_files(batch.batch_id) == []


def test_a_marker_of_a_wait_that_is_over_is_removed_by_who_stumbles_over_it(real: Ledger) -> None:
    file, other = a_file("dangling"), a_file("other")
    opened(real, files=[file])
    gone = a_file("never registered")
    for dangling in (file, gone):
        real._table.put({**file_item(dangling), **ledger_keys.pending_key(dangling)})
    real.register(other, "test")
    pending = real.pending("app_logs", MANY)
    assert {one.file_id for one in pending} == {file.file_id, gone.file_id, other.file_id}
    claimed = real.claim(opened(real), pending)
    assert [one.file_id for one in claimed] == [other.file_id]
    assert real.pending("app_logs", MANY) == []
    assert state_of(real, file)[0] is FileState.CLAIMED


def test_the_marker_of_a_pending_file_is_kept(real: Ledger) -> None:
    file = a_file()
    batch = opened(real, files=[file])
    going = real.advance(batch, replace(batch, state=BatchState.DIVIDING), AT, "used up")
    real.release(going, real.batch_files(batch.batch_id), "b/1", EVEN_LATER)
    real._table.put({**file_item(file), **ledger_keys.pending_key(file)})
    assert real.claim(opened(real), [file]) == []
    [waits] = real.pending("app_logs", MANY)
    assert waits.waiting_since == EVEN_LATER


@pytest.mark.parametrize("count", [1, 40])
def test_a_claim_whose_answer_is_lost_has_what_it_claimed(
    real: Ledger, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    files = [a_file(f"f{n}") for n in range(count)]
    for file in files:
        real.register(file, "test")
    batch = opened(real)
    transact = real._table.transact

    def answer_is_lost(actions: list[Any]) -> bool:
        transact(actions)
        return transact(actions)  # as an SDK repeats it, long after the table knew the first one by its token

    monkeypatch.setattr(real._table, "transact", answer_is_lost)
    claimed = real.claim(batch, files)
    assert {file.file_id for file in claimed} == {file.file_id for file in files}
    assert {file.batch_id for file in claimed} == {batch.batch_id}


def test_nothing_to_claim_is_claimed_without_complaint(ledger: Any) -> None:
    assert ledger.claim(opened(ledger), []) == []


def test_who_has_lost_the_batch_claims_nothing(ledger: Any) -> None:
    file = a_file()
    ledger.register(file, "test")
    batch = opened(ledger)
    assert ledger.take_over(batch, "run-2", 3_000, 1_000, AT)
    with pytest.raises(Fenced):
        ledger.claim(batch, [file])
    assert ledger.pending("app_logs", MANY) == [file]
    assert ledger.batch_files(batch.batch_id) == []


# -- leases and take-over ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "taken"), [(999, False), (1_000, True), (1_001, True)])
def test_a_batch_is_taken_over_once_its_lease_has_ended(ledger: Any, now: int, taken: bool) -> None:
    batch = opened(ledger)
    found = ledger.take_over(batch, "run-2", 3_000, now, AT)
    current = ledger.batch(batch.batch_id)
    if taken:
        assert found == current
        assert (found.owner, found.epoch, found.attempts, found.lease_until) == ("run-2", 2, 2, 3_000)
    else:
        assert (found, current) == (None, batch)


def test_of_eight_who_take_over_at_once_one_does(ledger: Any) -> None:
    batch = opened(ledger)
    found = race([partial(ledger.take_over, batch, f"run-{n}", 3_000, 2_000, AT) for n in range(RACERS)])
    [winner] = [one for one in found if one is not None]
    assert winner == ledger.batch(batch.batch_id)
    assert winner.epoch == 2  # type: ignore[union-attr]


def test_a_lease_that_was_prolonged_in_time_is_not_taken_over(ledger: Any) -> None:
    batch = opened(ledger)
    ledger.lease(batch, 2_000)
    assert ledger.take_over(batch, "run-2", 3_000, 1_500, AT) is None
    ledger.lease(batch, 0)
    assert ledger.take_over(batch, "run-2", 3_000, 1_500, AT)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (BatchState.CLAIMED, "run-1 is FAILED: why"),
        (BatchState.PUBLISHING, "run-1 is FAILED: why"),
        (BatchState.DIVIDING, "attempts_used_up"),
    ],
)
def test_the_end_of_a_lease_tells_why_unless_there_is_a_reason(
    ledger: Any, state: BatchState, reason: str
) -> None:
    batch = opened(ledger)
    if state is not BatchState.CLAIMED:
        given = reason if state is BatchState.DIVIDING else None
        batch = ledger.advance(batch, replace(batch, state=state, reason=given), AT, "test")
    ledger.end_lease(batch, "run-1 is FAILED: why")
    assert ledger.batch(batch.batch_id) == replace(batch, lease_until=0, reason=reason)


def test_a_lease_that_was_lost_or_whose_batch_went_on_is_not_ended(ledger: Any) -> None:
    batch = opened(ledger)
    going = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate")
    with pytest.raises(Fenced):
        ledger.end_lease(batch, "late")
    taken = ledger.take_over(going, "run-2", 3_000, 2_000, AT)
    with pytest.raises(Fenced):
        ledger.end_lease(going, "late")
    assert ledger.batch(batch.batch_id) == taken


def test_a_lease_may_be_prolonged_while_the_state_moves_on(ledger: Any) -> None:
    batch = opened(ledger)
    going = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate")
    ledger.lease(batch, 5_000)
    done = ledger.advance(going, replace(going, state=BatchState.CURATED), AT, "published")
    found = ledger.batch(batch.batch_id)
    assert (done.state, found.state, found.lease_until) == (BatchState.CURATED, BatchState.CURATED, 5_000)


def test_who_was_taken_over_from_may_change_nothing(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    ledger.take_over(batch, "run-2", 3_000, 1_000, AT)
    before = ledger.batch(batch.batch_id)
    changes: tuple[Callable[[], object], ...] = (
        lambda: ledger.confirm(batch),
        lambda: ledger.lease(batch, 9_000),
        lambda: ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "corrupt_gzip", AT),
        lambda: ledger.release(batch, [now(ledger, file)], "b/1", AT),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate"),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.FAILED), AT, "gave up"),
        lambda: ledger.note_statement(batch, "s", AT),
    )
    for forbidden in changes:
        with pytest.raises(Fenced, match=batch.batch_id):
            forbidden()
    assert ledger.batch(batch.batch_id) == before
    assert state_of(ledger, file) == (FileState.CLAIMED, batch.batch_id, None)


def test_an_unknown_batch_is_none(ledger: Any) -> None:
    batch = a_batch()
    assert ledger.batch(batch.batch_id) is None
    changes: tuple[Callable[[], object], ...] = (
        lambda: ledger.confirm(batch),
        lambda: ledger.lease(batch, 1),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.FAILED), AT, "x"),
    )
    for forbidden in changes:
        with pytest.raises(Fenced):
            forbidden()
    assert ledger.take_over(batch, "run-2", 3_000, 2_000, AT) is None
    assert ledger.batch(batch.batch_id) is None


@pytest.mark.parametrize("state", [BatchState.CURATED, BatchState.LOADING, BatchState.LOADED])
def test_a_published_batch_cant_be_taken_over(ledger: Any, state: BatchState) -> None:
    with pytest.raises(IllegalTransition):
        ledger.take_over(a_batch(state=state), "run-2", 3_000, 2_000, AT)


# -- files that are done with ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [FileState.EMPTY, FileState.FAILED])
def test_what_a_run_finds_a_file_to_be_is_noted_once(ledger: Any, state: FileState) -> None:
    file, good = a_file(), a_file()
    batch = opened(ledger, files=[file, good])
    ledger.settle_file(batch, now(ledger, file), state, "why", AT)
    ledger.settle_file(batch, now(ledger, file), state, "why", LATER)
    assert state_of(ledger, file) == (state, batch.batch_id, "why")
    assert state_of(ledger, good) == (FileState.CLAIMED, batch.batch_id, None)
    assert ledger.count_failures("app_logs", ANY_TIME) == (state is FileState.FAILED)
    assert ledger.count_failures("app_logs", LATER) == 0


WAYS = [
    (FileState.EMPTY, FileState.CLAIMED),
    (FileState.EMPTY, FileState.FAILED),
    (FileState.FAILED, FileState.CLAIMED),
    (FileState.FAILED, FileState.EMPTY),
    (FileState.FAILED, FileState.FAILED),
]


@pytest.mark.parametrize(("first", "second"), WAYS)
def test_a_later_run_may_find_a_file_to_be_something_else(
    ledger: Any, first: FileState, second: FileState
) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    ledger.settle_file(batch, now(ledger, file), first, "first", AT)
    taken = ledger.take_over(batch, "run-2", 3_000, 1_000, AT)
    reason = None if second is FileState.CLAIMED else "second"
    ledger.settle_file(taken, now(ledger, file), second, reason, LATER)
    assert state_of(ledger, file) == (second, batch.batch_id, reason)


def test_a_file_is_settled_as_it_was_read_and_not_as_it_has_become_since(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    read = now(ledger, file)
    ledger.settle_file(batch, read, FileState.EMPTY, "empty_file", AT)
    with pytest.raises(Fenced, match=batch.batch_id):
        ledger.settle_file(batch, read, FileState.FAILED, "corrupt_gzip", LATER)
    assert state_of(ledger, file) == (FileState.EMPTY, batch.batch_id, "empty_file")


def test_files_of_a_published_batch_are_not_settled_any_more(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    curated(ledger, batch)
    with pytest.raises(Fenced):
        ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "late", AT)
    assert state_of(ledger, file)[0] is FileState.CLAIMED


def test_a_file_of_another_batch_is_not_settled(ledger: Any) -> None:
    file = a_file()
    carried = opened(ledger, files=[file])
    with pytest.raises(Fenced):
        ledger.settle_file(opened(ledger), now(ledger, file), FileState.FAILED, "not mine", AT)
    assert state_of(ledger, file) == (FileState.CLAIMED, carried.batch_id, None)


# -- dividing ----------------------------------------------------------------------------------------------


def dividing(ledger: Any, files: list[FileVersion]) -> Batch:
    batch = opened(ledger, files=files)
    given_up = replace(batch, state=BatchState.DIVIDING, epoch=batch.epoch + 1)
    return ledger.advance(batch, given_up, AT, "used up")  # type: ignore[no-any-return]


def test_a_released_file_waits_again_as_one_of_its_group(ledger: Any) -> None:
    files = [a_file("one"), a_file("two")]
    batch = dividing(ledger, files)
    carried = ledger.batch_files(batch.batch_id)
    ledger.release(batch, carried[:1], "b/1", LATER)
    [waits] = ledger.pending("app_logs", MANY)
    assert waits == now(ledger, files[0]) == replace(files[0], waiting_since=LATER, group="b/1")
    assert state_of(ledger, files[1]) == (FileState.CLAIMED, batch.batch_id, None)
    # A run that continues the division still knows the files that it carried.
    assert ledger.batch_files(batch.batch_id) == carried


def test_releasing_again_changes_nothing(ledger: Any) -> None:
    file = a_file()
    batch = dividing(ledger, [file])
    carried = ledger.batch_files(batch.batch_id)
    ledger.release(batch, carried, "b/1", LATER)
    ledger.release(batch, carried, "b/1", EVEN_LATER)
    [waits] = ledger.pending("app_logs", MANY)
    assert waits.waiting_since == LATER
    other = opened(ledger)
    ledger.claim(other, [waits])
    ledger.release(batch, carried, "b/1", EVEN_LATER)
    assert ledger.pending("app_logs", MANY) == []
    assert state_of(ledger, file) == (FileState.CLAIMED, other.batch_id, None)


def test_an_empty_file_is_released_without_its_check_result(ledger: Any) -> None:
    file = a_file()
    batch = dividing(ledger, [file])
    ledger.settle_file(batch, now(ledger, file), FileState.EMPTY, "empty_file", AT)
    ledger.release(batch, [now(ledger, file)], "b/1", LATER)
    assert ledger.pending("app_logs", MANY) == [replace(file, waiting_since=LATER, group="b/1")]
    assert state_of(ledger, file) == (FileState.PENDING, None, None)


def test_what_has_become_something_else_since_it_was_read_is_not_released(ledger: Any) -> None:
    file = a_file()
    batch = dividing(ledger, [file])
    read = now(ledger, file)
    ledger.settle_file(batch, read, FileState.FAILED, "corrupt_gzip", AT)
    ledger.release(batch, [read], "b/1", LATER)
    assert state_of(ledger, file) == (FileState.FAILED, batch.batch_id, "corrupt_gzip")
    assert ledger.pending("app_logs", MANY) == []


def test_a_superseded_file_cant_wait_again(ledger: Any) -> None:
    file = a_file()
    batch = ended(ledger, BatchState.LOADED, [file])
    again = ledger.reopen(batch, LATER, "superseded", ledger.files_now([file]))
    with pytest.raises(IllegalTransition):
        ledger.release(again, [now(ledger, file)], "b/1", LATER)


def test_a_divided_batch_is_not_open_and_not_a_failure(ledger: Any) -> None:
    batch = dividing(ledger, [a_file()])
    assert ledger.open_batches("app_logs") == [batch]
    ledger.advance(batch, replace(batch, state=BatchState.DIVIDED), LATER, "divided")
    assert ledger.open_batches("app_logs") == []
    assert ledger.count_failures("app_logs", ANY_TIME) == 0


# -- batches -----------------------------------------------------------------------------------------------


def test_a_batch_comes_back_as_it_was_noted(ledger: Any) -> None:
    batch = replace(
        a_batch(),
        files=3,
        size=10**12,
        counts=Counts(10, 7, 2, 1),
        partitions=("2026-01-05", "2026-01-06"),
        plan="staging/p.json",
        statement_id="s",
        reason="why",
        merged=4,
        superseded=3,
        retracted=2,
        row_references=9,
        load_attempts=2,
        failing_since=AT,
        retry_at=LATER,
        given_up=True,
        generation=3,
        parent="divided",
    )
    ledger.open_batch(batch)
    assert ledger.batch(batch.batch_id) == batch
    assert list(ledger.batches()) == [batch]


def test_a_change_is_written_and_given_back(ledger: Any) -> None:
    batch = opened(ledger)
    going = replace(batch, state=BatchState.PUBLISHING, plan="p", counts=Counts(3, 2, 1, 0))
    found = ledger.advance(batch, going, LATER, "gate")
    assert found == replace(going, changed_at=LATER) == ledger.batch(batch.batch_id)


def test_what_is_taken_away_is_gone(ledger: Any) -> None:
    batch = curated(ledger, opened(ledger))
    noted = replace(batch, state=BatchState.LOADING, load_attempts=1, statement_id="s-1")
    loading = ledger.advance(batch, noted, AT, "load 1")
    failed = ledger.advance(
        loading, replace(loading, state=BatchState.CURATED, reason="load_failed"), AT, "failed"
    )
    second = replace(failed, state=BatchState.LOADING, load_attempts=2, statement_id=None)
    again = ledger.advance(failed, second, AT, "load 2")
    assert ledger.batch(batch.batch_id).statement_id is None
    loaded = ledger.advance(again, replace(again, state=BatchState.LOADED, reason=None), AT, "loaded")
    assert ledger.batch(batch.batch_id) == loaded
    assert loaded.reason is None


def test_a_curated_batch_that_is_processed_again_stays_open_and_forgets_its_failed_loads(ledger: Any) -> None:
    batch = curated(ledger, opened(ledger))
    loading = ledger.advance(batch, replace(batch, state=BatchState.LOADING, load_attempts=1), AT, "load 1")
    failed = replace(loading, state=BatchState.CURATED, failing_since=AT, retry_at=LATER, given_up=True)
    reopened = ledger.reopen(ledger.advance(loading, failed, AT, "failed"), LATER, "replay")
    assert (reopened.state, reopened.generation, reopened.load_attempts) == (BatchState.CLAIMED, 2, 0)
    assert (reopened.failing_since, reopened.retry_at, reopened.given_up) == ("", "", False)
    assert ledger.open_batches(batch.dataset) == [reopened]


def test_of_eight_who_advance_at_once_one_does(ledger: Any) -> None:
    batch = curated(ledger, opened(ledger))
    loading = replace(batch, state=BatchState.LOADING, load_attempts=1)
    found = race([lambda: ledger.advance(batch, loading, AT, "load 1")] * RACERS)
    assert sum(isinstance(one, Batch) for one in found) == 1
    assert sum(isinstance(one, Fenced) for one in found) == RACERS - 1


def test_a_change_of_what_has_changed_since_is_refused(ledger: Any) -> None:
    batch = curated(ledger, opened(ledger))
    loading = ledger.advance(batch, replace(batch, state=BatchState.LOADING, load_attempts=1), AT, "load 1")
    failed = ledger.advance(loading, replace(loading, state=BatchState.CURATED), AT, "failed")
    again = ledger.advance(failed, replace(failed, state=BatchState.LOADING, load_attempts=2), AT, "load 2")
    # The first attempt's outcome arrives late: same state, same epoch, another load attempt.
    with pytest.raises(Fenced):
        ledger.advance(loading, replace(loading, state=BatchState.LOADED), AT, "late")
    with pytest.raises(Fenced):
        ledger.note_statement(loading, "s-1", AT)
    assert ledger.note_statement(again, "s-2", AT) == ledger.batch(batch.batch_id)


@pytest.mark.parametrize(
    ("state", "new"),
    [
        (BatchState.CLAIMED, BatchState.CURATED),
        (BatchState.PUBLISHING, BatchState.CLAIMED),
        (BatchState.CURATED, BatchState.LOADED),
        (BatchState.LOADED, BatchState.LOADING),
        (BatchState.FAILED, BatchState.CURATED),
    ],
)
def test_ways_that_do_not_exist_raise_before_anything_is_written(
    ledger: Any, state: BatchState, new: BatchState
) -> None:
    batch = a_batch(state=state)
    ledger.open_batch(batch)
    with pytest.raises(IllegalTransition, match=f"from {state} to {new}"):
        ledger.advance(batch, replace(batch, state=new), AT, "x")
    assert ledger.batch(batch.batch_id) == batch


def test_open_batches_are_those_of_the_dataset_for_which_something_is_to_do_oldest_first(ledger: Any) -> None:
    batches = [replace(a_batch(), created_at=f"2026-01-05T10:{9 - n:02d}:00.000Z") for n in range(3)]
    for batch in batches:
        ledger.open_batch(batch)
    ledger.open_batch(a_batch(dataset="support_tickets"))
    assert ledger.open_batches("app_logs") == batches[::-1]
    ledger.advance(batches[1], replace(batches[1], state=BatchState.EMPTY), AT, "no rows")
    assert ledger.open_batches("app_logs") == [batches[2], batches[0]]


@pytest.mark.parametrize(
    "way",
    [
        [BatchState.EMPTY],
        [BatchState.PUBLISHING, BatchState.REJECTED],
        [BatchState.PUBLISHING, BatchState.EMPTY],
        [BatchState.FAILED],
        [BatchState.DIVIDING, BatchState.FAILED],
        [BatchState.DIVIDING, BatchState.DIVIDED],
        [BatchState.PUBLISHING, BatchState.DIVIDING, BatchState.DIVIDED],
        [BatchState.PUBLISHING, BatchState.CURATED, BatchState.DIVIDING, BatchState.FAILED],
        [BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.DIVIDING],
        [BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.LOADED],
    ],
    ids=lambda way: "-".join(way),
)
def test_a_batch_is_open_until_it_has_come_to_an_end(ledger: Any, way: list[BatchState]) -> None:
    batch = opened(ledger)
    for state in way:
        assert [one.batch_id for one in ledger.open_batches("app_logs")] == [batch.batch_id]
        batch = ledger.advance(batch, replace(batch, state=state), AT, "on")
        assert (state in OPEN_STATES) == bool(ledger.open_batches("app_logs"))
    assert ledger.batch(batch.batch_id) == batch


# -- again -------------------------------------------------------------------------------------------------


def ended(ledger: Any, state: BatchState, files: list[FileVersion] | None = None) -> Batch:
    """A batch in a final state."""
    batch = opened(ledger, files=files)
    if state is BatchState.REJECTED:
        batch = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate")
    if state is not BatchState.LOADED:
        return ledger.advance(batch, replace(batch, state=state, reason="why"), AT, "end")  # type: ignore[no-any-return]
    done = curated(ledger, batch)
    loading = replace(done, state=BatchState.LOADING, load_attempts=2, statement_id="s")
    loading = ledger.advance(done, loading, AT, "load")
    return ledger.advance(loading, replace(loading, state=BatchState.LOADED, merged=7), AT, "loaded")  # type: ignore[no-any-return]


@pytest.mark.parametrize("state", sorted(REPEATABLE_STATES))
def test_a_batch_that_has_ended_is_opened_again_one_generation_further(
    ledger: Any, state: BatchState
) -> None:
    batch = ended(ledger, state, [a_file()])
    assert ledger.open_batches("app_logs") == []
    again = ledger.reopen(batch, LATER, "replay")
    assert again == ledger.batch(batch.batch_id)
    assert ledger.open_batches("app_logs") == [again]
    assert (again.state, again.generation, again.epoch) == (BatchState.CLAIMED, 2, batch.epoch + 1)
    assert (again.attempts, again.load_attempts, again.lease_until) == (0, 0, 0)
    assert (again.statement_id, again.plan, again.reason) == (None, None, None)
    assert (again.merged, again.changed_at) == (batch.merged, LATER)
    assert ledger.take_over(again, "run-2", 3_000, 1, LATER)


@pytest.mark.parametrize(
    "state",
    [BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.DIVIDING, BatchState.DIVIDED],
)
def test_a_batch_on_its_way_or_divided_is_not_opened_again(ledger: Any, state: BatchState) -> None:
    batch = a_batch(state=state)
    ledger.open_batch(batch)
    with pytest.raises(IllegalTransition):
        ledger.reopen(batch, LATER, "replay")
    assert ledger.batch(batch.batch_id) == batch


def test_of_eight_who_open_a_batch_again_at_once_one_does(ledger: Any) -> None:
    batch = ended(ledger, BatchState.LOADED)
    found = race([lambda: ledger.reopen(batch, LATER, "replay")] * RACERS)
    assert sum(isinstance(one, Batch) for one in found) == 1
    assert found.count(None) == RACERS - 1
    assert ledger.batch(batch.batch_id).generation == 2


def test_superseded_files_leave_with_the_opening_of_their_batch(ledger: Any) -> None:
    files = [a_file(f"f{n}") for n in range(3)]
    batch = ended(ledger, BatchState.LOADED, files)
    superseded = ledger.files_now(files[:2])
    assert ledger.reopen(batch, LATER, "2 superseded", superseded)
    reasons = [f"superseded: a newer version of {file.key} is loaded" for file in files[:2]]
    assert [state_of(ledger, file) for file in files] == [
        (FileState.SUPERSEDED, batch.batch_id, reasons[0]),
        (FileState.SUPERSEDED, batch.batch_id, reasons[1]),
        (FileState.CLAIMED, batch.batch_id, None),
    ]


def test_ninety_superseded_files_fit_into_one_opening(real: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ended(real, BatchState.LOADED)
    files = [replace(a_file(), state=FileState.CLAIMED, batch_id=batch.batch_id) for _ in range(90)]
    written: list[int] = []
    monkeypatch.setattr(real._table, "transact", lambda actions: written.append(len(actions)))
    real.reopen(batch, LATER, "90 superseded", files)
    # AWS docs, "TransactWriteItems": at most 100 actions.
    assert 90 < written[0] <= 100 and len(written) == 1


def test_a_batch_is_opened_with_all_its_superseded_files_or_not_at_all(ledger: Any) -> None:
    files = [a_file(f"f{n}") for n in range(3)]
    batch = ended(ledger, BatchState.LOADED, files[:2])
    opened(ledger, files=files[2:])
    strange = ledger.files_now([files[0], files[2]])
    assert ledger.reopen(batch, LATER, "superseded", strange) is None
    assert ledger.batch(batch.batch_id) == batch
    assert ledger.open_batches("app_logs")[0].batch_id != batch.batch_id
    assert {state_of(ledger, file)[0] for file in files} == {FileState.CLAIMED}


def test_files_stay_when_another_process_reopened_their_batch_first(ledger: Any) -> None:
    file = a_file()
    batch = ended(ledger, BatchState.LOADED, [file])
    ledger.reopen(batch, LATER, "replay")
    assert ledger.reopen(batch, LATER, "superseded", ledger.files_now([file])) is None
    assert state_of(ledger, file)[0] is FileState.CLAIMED


def test_what_is_superseded_is_so_for_good(ledger: Any) -> None:
    file = a_file()
    batch = ended(ledger, BatchState.LOADED, [file])
    again = ledger.reopen(batch, LATER, "superseded", ledger.files_now([file]))
    for state in (FileState.CLAIMED, FileState.EMPTY, FileState.FAILED):
        with pytest.raises(IllegalTransition):
            ledger.settle_file(again, now(ledger, file), state, "x", LATER)


# -- corrections and failures ------------------------------------------------------------------------------


def test_corrections_are_kept_by_dataset_until_they_are_dropped(ledger: Any) -> None:
    ledger.note_correction("app_logs", "raw", "a", "t1")
    ledger.note_correction("app_logs", "raw", "b", "t2")
    ledger.note_correction("other", "raw", "a", "t3")
    seen = ledger.corrections("app_logs")
    assert seen == [Correction("raw", "a", "t1"), Correction("raw", "b", "t2")]
    assert ledger.drop_correction("app_logs", seen[0]) is True
    assert ledger.drop_correction("app_logs", seen[0]) is False
    assert ledger.corrections("app_logs") == seen[1:]
    assert [one.token for one in ledger.corrections("other")] == ["t3"]
    assert ledger.corrections("nothing") == []


def test_a_correction_that_was_renewed_since_it_was_read_stays(ledger: Any) -> None:
    ledger.note_correction("app_logs", "raw", "a", "old")
    [seen] = ledger.corrections("app_logs")
    ledger.note_correction("app_logs", "raw", "a", "new")
    assert ledger.drop_correction("app_logs", seen) is False
    assert ledger.corrections("app_logs") == [Correction("raw", "a", "new")]


def test_failures_are_files_and_batches_that_failed_since_a_moment(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    ledger.settle_file(batch, now(ledger, file), FileState.FAILED, "corrupt_gzip", AT)
    batch = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate")
    ledger.advance(batch, replace(batch, state=BatchState.REJECTED), LATER, "gate")
    failed = opened(ledger)
    ledger.advance(failed, replace(failed, state=BatchState.FAILED), EVEN_LATER, "x")
    fine = opened(ledger)
    ledger.advance(fine, replace(fine, state=BatchState.EMPTY), EVEN_LATER, "no rows")
    counted = [
        ledger.count_failures("app_logs", since) for since in (ANY_TIME, AT, LATER, EVEN_LATER, "2027")
    ]
    assert counted == [3, 3, 2, 1, 0]
    assert ledger.count_failures("support_tickets", ANY_TIME) == 0


# -- marks, and what only the real one keeps ---------------------------------------------------------------


def test_marks_are_set_read_and_forgotten(ledger: Any) -> None:
    assert ledger.mark("crawl:app_logs") is None
    ledger.clear_mark("crawl:app_logs")
    ledger.set_mark("crawl:app_logs", "wanted")
    ledger.set_mark("other", "x")
    ledger.set_mark("crawl:app_logs", "twice")
    assert ledger.mark("crawl:app_logs") == "twice"
    ledger.clear_mark("crawl:app_logs")
    assert (ledger.mark("crawl:app_logs"), ledger.mark("other")) == (None, "x")


def test_a_mark_that_has_changed_is_not_removed(ledger: Any) -> None:
    ledger.set_mark("crawl:app_logs", "first")
    ledger.set_mark("crawl:app_logs", "second")
    ledger.clear_mark("crawl:app_logs", "first")
    assert ledger.mark("crawl:app_logs") == "second"
    ledger.clear_mark("crawl:app_logs", "second")
    assert ledger.mark("crawl:app_logs") is None
    ledger.clear_mark("crawl:app_logs", "second")


def test_the_endpoint_is_found_in_the_environment(table: str) -> None:
    file = a_file()
    assert Ledger(table, "tester").register(file, "test")
    assert Ledger(table, "another").pending("app_logs", MANY) == [file]


def test_every_change_of_state_is_kept_with_time_cause_and_actor(
    real: Ledger, table: str, endpoint: Endpoint
) -> None:
    file = a_file()
    batch = opened(real, files=[file])
    real.lease(batch, 2_000)
    for _ in range(2):
        real.settle_file(batch, now(real, file), FileState.EMPTY, "empty_file", LATER)
    real.settle_file(batch, now(real, file), FileState.CLAIMED, None, LATER)
    ended = real.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")
    real.reopen(ended, EVEN_LATER, "superseded", [now(real, file)])

    def history(pk: str, sk: str) -> list[tuple[str, str, str, str]]:
        item = client("dynamodb").get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        entries = [entry["M"] for entry in item["history"]["L"]]
        return [tuple(e[name]["S"] for name in ("at", "state", "cause", "actor")) for e in entries]

    assert history(f"FILE#raw/{file.key}", "VERSION#v1") == [
        (file.registered_at, "PENDING", "test", "tester"),
        (batch.created_at, "CLAIMED", f"claim for {batch.batch_id}", "tester"),
        (LATER, "EMPTY", "empty_file", "tester"),
        (LATER, "CLAIMED", "readable", "tester"),
        (EVEN_LATER, "SUPERSEDED", "superseded", "tester"),
    ]
    assert history(f"BATCH#{batch.batch_id}", "BATCH") == [
        (batch.created_at, "CLAIMED", "claim", "tester"),
        (LATER, "EMPTY", "no rows to load", "tester"),
        (EVEN_LATER, "CLAIMED", "superseded", "tester"),
    ]


def test_the_whole_table_is_read_page_by_page(real: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [a_file(f"page-{n}") for n in range(25)]
    for file in files:
        real.register(file, "test")
    api = real._table._client
    scan, query = api.scan, api.query
    monkeypatch.setattr(api, "scan", lambda **request: scan(**{"Limit": 7, **request}))
    monkeypatch.setattr(
        api, "query", lambda **request: query(**{**request, "Limit": min(3, request.get("Limit", 3))})
    )
    assert {file.file_id for file in real.files()} == {file.file_id for file in files}
    assert {file.file_id for file in real.pending("app_logs", 100)} == {file.file_id for file in files}
    assert len(real.pending("app_logs", 4)) == 4


# -- verdicts ----------------------------------------------------------------------------------------------


def a_verdict(batch: Batch, rows: int = 60) -> NotedVerdict:
    of = (batch.batch_id, batch.dataset, batch.generation, batch.epoch)
    return NotedVerdict(*of, rows, False, 2, manifest=f"quality/of-{batch.epoch}.json")


def note(ledger: Any, batch: Batch, noted: NotedVerdict) -> Batch:
    changed: Batch = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), LATER, "gate", noted)
    return changed


def test_a_verdict_waits_until_it_is_recorded(ledger: Any) -> None:
    batch = opened(ledger)
    noted = a_verdict(batch)
    note(ledger, batch, noted)
    assert ledger.verdicts(batch.dataset) == [noted]
    assert ledger.verdicts("another") == []
    trying = replace(noted, attempts=1)
    assert ledger.verdict_submitted(trying, "statement-1")
    [submitted] = ledger.verdicts(batch.dataset)
    assert submitted == replace(trying, statement_id="statement-1")
    assert ledger.drop_verdict(submitted)
    assert ledger.verdicts(batch.dataset) == []
    assert not ledger.drop_verdict(submitted)


def test_of_two_who_record_a_verdict_one_is_remembered(ledger: Any) -> None:
    batch = opened(ledger)
    note(ledger, batch, a_verdict(batch))
    trying = replace(a_verdict(batch), attempts=1)
    assert ledger.verdict_submitted(trying, "statement-1")
    assert not ledger.verdict_submitted(trying, "statement-2")
    assert [noted.statement_id for noted in ledger.verdicts(batch.dataset)] == ["statement-1"]


def test_a_later_verdict_is_not_dropped_with_an_earlier_one(ledger: Any) -> None:
    batch = opened(ledger)
    noted = a_verdict(batch)
    batch = note(ledger, batch, noted)
    taken = ledger.take_over(batch, "jr_2", batch.lease_until + 600, batch.lease_until + 1, LATER)
    later = a_verdict(taken, rows=61)
    note(ledger, taken, later)
    assert not ledger.drop_verdict(noted)
    assert not ledger.verdict_submitted(replace(noted, attempts=1), "statement-1")
    assert ledger.verdicts(batch.dataset) == [later]


def test_a_run_that_has_lost_its_batch_notes_no_verdict(ledger: Any) -> None:
    batch = opened(ledger)
    ledger.take_over(batch, "jr_2", batch.lease_until + 600, batch.lease_until + 1, LATER)
    with pytest.raises(Fenced):
        note(ledger, batch, a_verdict(batch))
    assert ledger.verdicts(batch.dataset) == []


# -- DynamoDB's limits -------------------------------------------------------------------------------------


def stored(table: str, key: dict[str, str]) -> dict[str, Any]:
    """An item as plain values, straight from the table."""
    found: dict[str, Any] = session().resource("dynamodb").Table(table).get_item(Key=key)["Item"]
    return found


def wire(key: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}


def put_history(table: str, key: dict[str, str], changes: list[dict[str, Any]]) -> None:
    """What an earlier release would have kept: every change."""
    session().resource("dynamodb").Table(table).put_item(Item={**stored(table, key), "history": changes})


def change_entry(number: int, cause: str = "take-over from jr_" + "0" * 64) -> dict[str, Any]:
    return {"at": AT, "state": "CLAIMED", "cause": f"{number}: {cause}", "actor": "job jr_" + "1" * 64}


def test_a_batch_that_is_taken_up_again_and_again_keeps_its_first_and_last_changes(
    real: Ledger, table: str
) -> None:
    batch = opened(real)
    for number in range(100):
        until = batch.lease_until + 600
        taken = real.take_over(batch, f"jr_{number:064d}", until, batch.lease_until + 1, LATER)
        assert taken is not None
        batch = taken
    history = stored(table, ledger_keys.batch_key(batch.batch_id))["history"]
    assert history[0]["cause"] == "claim"
    assert history[-1]["cause"].endswith("98")
    told = [change for change in history if "left_out" not in change]
    assert len(told) + sum(int(change.get("left_out", 0)) for change in history) == 101
    assert len(history) <= 60


def test_a_history_that_an_earlier_release_filled_up_is_shortened_when_it_is_next_written(
    real: Ledger, table: str
) -> None:
    file = a_file()
    batch = opened(real, files=[file])
    places = [ledger_keys.batch_key(batch.batch_id), ledger_keys.file_key(file)]
    for place in places:
        put_history(table, place, [change_entry(number) for number in range(300)])
    failed = real.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")
    assert failed.state is BatchState.EMPTY
    assert real.reopen(failed, EVEN_LATER, "superseded", [now(real, file)]) is not None
    for place in places:
        history = stored(table, place)["history"]
        assert history[0] == change_entry(0)
        assert history[-1]["cause"] == "superseded"
        assert sum(int(change.get("left_out", 0)) for change in history) > 200
        assert len(history) <= 60


def test_a_few_changes_with_endless_causes_of_an_earlier_release_are_shortened_too(
    real: Ledger, table: str
) -> None:
    batch = opened(real)
    place = ledger_keys.batch_key(batch.batch_id)
    put_history(table, place, [change_entry(number, "e" * 50_000) for number in range(8)])
    room = MOST_ITEM_BYTES - item_size(client("dynamodb").get_item(TableName=table, Key=wire(place))["Item"])
    put_history(table, place, [change_entry(number, "e" * (50_000 + room // 8)) for number in range(8)])
    ended = real.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")
    assert real.batch(batch.batch_id) == ended
    assert stored(table, place)["history"][-1]["cause"] == "no rows to load"


def test_a_full_history_does_not_let_anybody_through_who_came_too_late(real: Ledger, table: str) -> None:
    batch = opened(real)
    put_history(table, ledger_keys.batch_key(batch.batch_id), [change_entry(number) for number in range(300)])
    ended = real.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")
    with pytest.raises(Fenced):
        real.advance(batch, replace(batch, state=BatchState.PUBLISHING), LATER, "gate")
    assert real.batch(batch.batch_id) == ended


def test_an_endless_reason_is_kept_in_part_and_noted_once(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    reason = "bad_file: " + "é" * 500_000
    ledger.settle_file(batch, now(ledger, file), FileState.FAILED, reason, LATER)
    kept = now(ledger, file).reason
    assert kept is not None
    assert kept.startswith("bad_file: éé")
    assert len(kept.encode()) <= 4096
    ledger.settle_file(batch, now(ledger, file), FileState.FAILED, reason, LATER)
    assert now(ledger, file).reason == kept
    going = ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), LATER, "gate")
    closed = ledger.advance(going, replace(going, state=BatchState.REJECTED, reason=reason), LATER, reason)
    assert closed.state is BatchState.REJECTED
    [found] = [one for one in ledger.batches() if one.batch_id == batch.batch_id]
    assert found.reason == kept


def test_an_object_with_the_longest_key_that_s3_has_is_registered_as_often_as_it_comes(ledger: Any) -> None:
    beginning = "app_logs/mongod/dt=2026-01-05/"
    key = beginning + "é" * ((1024 - len(beginning)) // 2)
    bucket = "b" * 63
    first = replace(a_file(), bucket=bucket, key=key, version_id="v" * 1024)
    second = replace(first, version_id="w" * 1024, file_id="f" * 40)
    for file in (first, second):
        assert ledger.register(file, "test", correctable=True) is True
        assert ledger.register(file, "test", correctable=True) is False
    assert set(ledger.versions(bucket, key)) == {first, second}
    [seen] = ledger.corrections("app_logs")
    assert seen == Correction(bucket, key, second.file_id)
    assert ledger.drop_correction("app_logs", seen) is True
    assert ledger.corrections("app_logs") == []


def test_a_marker_of_a_correction_that_an_earlier_release_wrote_is_found_and_dropped(
    real: Ledger, table: str
) -> None:
    key = "app_logs/mongod/dt=2026-01-05/a.log"
    item = {"pk": "CORRECTED#app_logs", "sk": f"raw/{key}", "bucket": "raw", "key": key, "token": "t"}
    session().resource("dynamodb").Table(table).put_item(Item=item)
    assert real.corrections("app_logs") == [Correction("raw", key, "t")]
    assert real.drop_correction("app_logs", Correction("raw", key, "t")) is True
    assert real.corrections("app_logs") == []


def test_what_does_not_fit_into_one_answer_is_asked_for_again(real: Ledger, table: str) -> None:
    files = [a_file(f"large-{number}") for number in range(45)]
    for file in files:
        real.register(file, "test")
        put_history(table, ledger_keys.file_key(file), [change_entry(0, "e" * 390_000)])
    assert {file.file_id for file in real.files_now(files)} == {file.file_id for file in files}
    assert {file.file_id for file in real.files()} == {file.file_id for file in files}


def test_what_is_not_there_cannot_be_changed(ledger: Any) -> None:
    batch = a_batch()
    with pytest.raises(Fenced):
        ledger.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")
    assert ledger.take_over(batch, "jr_2", 2_000, 1_500, LATER) is None
    assert list(ledger.batches()) == []
