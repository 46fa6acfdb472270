"""What the ledger promises: held against the real one on a real server, and the stand-in of the unit tests."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from contract.moto_aws import client, moto_endpoint, session  # noqa: F401
from fakes import FakeLedger, a_batch, a_file
from gluebook.aws.ledger import Ledger
from gluebook.core.model import Batch, Counts, FileVersion
from gluebook.core.states import OPEN_STATES, BatchState, FileState
from gluebook.errors import Fenced, IllegalTransition
from localaws.endpoint import Endpoint

AT = "2026-01-05T10:15:00.000Z"
LATER = "2026-01-05T10:16:00.000Z"
MANY = 20
RACERS = 8
T = TypeVar("T")


@pytest.fixture
def table(endpoint: Endpoint) -> str:
    """A table of its own for every test, as the template makes it."""
    name = f"ledger-{uuid.uuid4().hex}"
    client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name


@pytest.fixture(params=["real", "fake"])
def ledger(request: pytest.FixtureRequest) -> Ledger | FakeLedger:
    return request.getfixturevalue("real") if request.param == "real" else FakeLedger()


@pytest.fixture
def real(table: str) -> Ledger:
    return Ledger(table, "tester", session())


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
    return ledger.advance(going, replace(going, state=BatchState.CURATED), AT, "published")


def state_of(ledger: Any, file: FileVersion) -> tuple[FileState, str | None, str | None]:
    [found] = [one for one in ledger.files() if one.file_id == file.file_id]
    return found.state, found.batch_id, found.reason


# -- registering -------------------------------------------------------------------------------------------


def test_a_file_version_is_registered_once_however_often_it_is_told(ledger: Any) -> None:
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


def test_a_file_outside_the_convention_is_known_but_never_pending(ledger: Any) -> None:
    file = replace(
        a_file(), state=FileState.FAILED, reason="no_such_date: dt=2026-02-30", dataset="", source="", dt=""
    )
    assert ledger.register(file, "object created")
    assert list(ledger.files()) == [file]
    assert ledger.pending("", MANY) == []
    assert ledger.file_state(file.file_id) is FileState.FAILED


def test_pending_files_come_oldest_first_up_to_the_limit_of_their_dataset_only(ledger: Any) -> None:
    files = [a_file(f"f{n}", at=f"2026-01-05T10:{n:02d}:00.000Z") for n in range(12)]
    other = a_file("other", dataset="support_tickets")
    for file in [*files[::2], other, *files[1::2]]:
        ledger.register(file, "test")
    assert ledger.pending("app_logs", MANY) == files
    assert ledger.pending("app_logs", 5) == files[:5]
    assert ledger.pending("support_tickets", MANY) == [other]
    assert ledger.pending("nothing", MANY) == []


def test_an_unknown_file_has_no_state(ledger: Any) -> None:
    assert ledger.file_state("0" * 40) is None


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
    monkeypatch.setattr("gluebook.aws.ledger._FILES_PER_CLAIM", 3)
    files = [a_file(f"f{n:02d}") for n in range(12)]
    for file in files:
        ledger.register(file, "test")
    batches = [a_batch() for _ in range(4)]
    for batch in batches:
        ledger.open_batch(batch)
    found = race([lambda batch=batch: ledger.claim(batch, files) for batch in batches])
    assert not [error for error in found if isinstance(error, Exception)]
    claimed = [
        (file.file_id, batch.batch_id) for batch, got in zip(batches, found, strict=True) for file in got
    ]  # type: ignore[union-attr]
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
    found = race([lambda n=n: ledger.take_over(batch, f"run-{n}", 3_000, 2_000, AT) for n in range(RACERS)])
    [winner] = [one for one in found if one is not None]
    assert winner == ledger.batch(batch.batch_id)
    assert winner.epoch == 2  # type: ignore[union-attr]


def test_a_lease_that_was_prolonged_in_time_is_not_taken_over(ledger: Any) -> None:
    batch = opened(ledger)
    ledger.lease(batch, 2_000)
    assert ledger.take_over(batch, "run-2", 3_000, 1_500, AT) is None
    ledger.lease(batch, 0)
    assert ledger.take_over(batch, "run-2", 3_000, 1_500, AT)


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
    for forbidden in (
        lambda: ledger.confirm(batch),
        lambda: ledger.lease(batch, 9_000),
        lambda: ledger.settle_file(batch, file, FileState.FAILED, "corrupt_gzip", AT),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.PUBLISHING), AT, "gate"),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.FAILED), AT, "gave up"),
        lambda: ledger.note_statement(batch, "s", AT),
    ):
        with pytest.raises(Fenced, match=batch.batch_id):
            forbidden()
    assert ledger.batch(batch.batch_id) == before
    assert state_of(ledger, file) == (FileState.CLAIMED, batch.batch_id, None)


def test_an_unknown_batch_is_nobodys(ledger: Any) -> None:
    batch = a_batch()
    assert ledger.batch(batch.batch_id) is None
    for forbidden in (
        lambda: ledger.confirm(batch),
        lambda: ledger.lease(batch, 1),
        lambda: ledger.advance(batch, replace(batch, state=BatchState.FAILED), AT, "x"),
    ):
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
def test_a_file_is_settled_once_and_its_first_reason_stays(ledger: Any, state: FileState) -> None:
    file, good = a_file(), a_file()
    batch = opened(ledger, files=[file, good])
    ledger.settle_file(batch, file, state, "first", AT)
    for again in (FileState.EMPTY, FileState.FAILED):
        ledger.settle_file(batch, file, again, "second", LATER)
    assert state_of(ledger, file) == (state, batch.batch_id, "first")
    assert state_of(ledger, good) == (FileState.CLAIMED, batch.batch_id, None)
    assert ledger.file_state(file.file_id) is state


def test_a_take_over_may_settle_what_was_settled_before(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    ledger.settle_file(batch, file, FileState.EMPTY, "empty_file", AT)
    taken = ledger.take_over(batch, "run-2", 3_000, 1_000, AT)
    ledger.settle_file(taken, file, FileState.FAILED, "attempts_used_up", AT)
    assert state_of(ledger, file) == (FileState.EMPTY, batch.batch_id, "empty_file")


def test_files_of_a_published_batch_are_not_settled_any_more(ledger: Any) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    curated(ledger, batch)
    with pytest.raises(Fenced):
        ledger.settle_file(batch, file, FileState.FAILED, "late", AT)
    assert state_of(ledger, file)[0] is FileState.CLAIMED


@pytest.mark.parametrize("state", [FileState.PENDING, FileState.CLAIMED])
def test_a_file_cant_be_settled_as_something_unsettled(ledger: Any, state: FileState) -> None:
    file = a_file()
    batch = opened(ledger, files=[file])
    with pytest.raises(IllegalTransition):
        ledger.settle_file(batch, file, state, "x", AT)


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
        load_attempts=2,
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
    # The first attempt's outcome comes late: same state, same fence, another load.
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
        [BatchState.REJECTED],
        [BatchState.FAILED],
        [BatchState.PUBLISHING, BatchState.FAILED],
        [BatchState.PUBLISHING, BatchState.CURATED, BatchState.FAILED],
        [BatchState.PUBLISHING, BatchState.CURATED, BatchState.LOADING, BatchState.FAILED],
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
    assert ledger.open_batches("app_logs") == []
    assert ledger.batch(batch.batch_id) == batch


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
    real.settle_file(batch, file, FileState.EMPTY, "empty_file", LATER)
    real.settle_file(batch, file, FileState.EMPTY, "empty_file", LATER)
    real.advance(batch, replace(batch, state=BatchState.EMPTY), LATER, "no rows to load")

    def history(pk: str, sk: str) -> list[tuple[str, str, str, str]]:
        item = client("dynamodb").get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        entries = [entry["M"] for entry in item["history"]["L"]]
        return [tuple(e[name]["S"] for name in ("at", "state", "cause", "actor")) for e in entries]  # type: ignore[misc]

    assert history(f"FILE#{file.file_id}", "FILE") == [
        (file.registered_at, "PENDING", "test", "tester"),
        (batch.created_at, "CLAIMED", f"claim for {batch.batch_id}", "tester"),
        (LATER, "EMPTY", "empty_file", "tester"),
    ]
    assert history(f"BATCH#{batch.batch_id}", "BATCH") == [
        (batch.created_at, "CLAIMED", "claim", "tester"),
        (LATER, "EMPTY", "no rows to load", "tester"),
    ]


def test_the_whole_table_is_read_page_by_page(real: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [a_file(f"page-{n}") for n in range(25)]
    for file in files:
        real.register(file, "test")
    table = real._table._table
    scan, query = table.scan, table.query
    monkeypatch.setattr(table, "scan", lambda **request: scan(**{"Limit": 7, **request}))
    monkeypatch.setattr(
        table, "query", lambda **request: query(**{**request, "Limit": min(3, request.get("Limit", 3))})
    )
    assert {file.file_id for file in real.files()} == {file.file_id for file in files}
    assert {file.file_id for file in real.pending("app_logs", 100)} == {file.file_id for file in files}
    assert len(real.pending("app_logs", 4)) == 4
