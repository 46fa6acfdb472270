"""One schedule per protection, such that without the protection rows are lost or doubled."""

from __future__ import annotations

from typing import Any

from chaos.compare import DOUBLED, LOST
from chaos.play import BROKEN_WORLD, play
from chaos.redshift import Redshift
from chaos.settle import Settling

Step = dict[str, Any]
BY_EVENTS_ALONE = Settling(sweeps=False, ticks=False, replays=False)
CALM: Step = {"do": "calm"}
DELIVER: Step = {"do": "deliver"}
# The load function hears of the end of a run or statement.
TOLD: list[Step] = [{"do": "event"}, {"do": "go", "kind": "load"}]
GIVEN_UP: list[Step] = [{"do": "timeout"}, *TOLD]
CRASH = "crash_before_write"


def logs(name: str, *lines: str, copies: int = 1) -> Step:
    return {"do": "put", "dataset": "app_logs", "name": name, "lines": list(lines), "copies": copies}


def tickets(name: str, *lines: str, copies: int = 1) -> Step:
    return {"do": "put", "dataset": "support_tickets", "name": name, "lines": list(lines), "copies": copies}


def go(kind: str, pick: int = 0, **how: Any) -> Step:
    return {"do": "go", "kind": kind, "pick": pick, **how}


def admitted(*puts: Step) -> list[Step]:
    """Put, told of, registered; the job run that this starts hasn't made a step yet."""
    return [*puts, {"do": "deliver", "count": len(puts)}, go("admit")]


def apart(steps: list[Step], redshift: Redshift, settling: Settling = Settling()) -> list[str]:  # noqa: B008
    """The rows that are lost or doubled in the end, and files of which the lake's manifests speak in vain."""
    problems = play(steps, redshift, settling).problems
    # Where the world itself broke down, nobody knows.
    return [str(problem) for problem in problems if problem.kind in (LOST, DOUBLED, BROKEN_WORLD)]


def wrong(steps: list[Step], redshift: Redshift, settling: Settling = Settling()) -> list[str]:  # noqa: B008
    """Everything that isn't as it must be in the end."""
    return [str(problem) for problem in play(steps, redshift, settling).problems]


def test_two_runs_that_read_the_same_pending_file_do_not_both_claim_it(redshift: Redshift) -> None:
    """Protection: the condition on the claim."""
    race = {"do": "race", "dataset": "support_tickets"}
    # One has read what is pending and is about to claim it; its first transaction opens its batch.
    about_to_claim = [
        go("run", until="TransactWriteItems"),
        go("run", calls=1),
        go("run", until="TransactWriteItems"),
    ]
    steps = [*admitted(tickets("t", "T 1 1 01 x")), *about_to_claim, race, go("run", 1), CALM]
    assert apart(steps, redshift) == []


def test_an_older_revision_that_arrives_later_does_not_overwrite_a_newer_one(redshift: Redshift) -> None:
    """Protection: newer wins."""
    steps = [tickets("a", "T 1 2 02 new"), CALM, tickets("b", "T 1 1 01 old"), CALM]
    assert apart(steps, redshift) == []


def test_a_load_with_a_lost_answer_is_not_repeated(redshift: Redshift) -> None:
    """Protection: the batch's row in `etl_loads` empties the stage of its second load."""
    lost = {"do": "statement", "how": "after"}
    steps = [*admitted(tickets("t", "T 1 1 01 x")), go("run"), {"do": "event"}, go("load"), lost, CALM]
    assert apart(steps, redshift) == []


def test_nothing_of_a_rejected_batch_is_visible(redshift: Redshift) -> None:
    """Protection: the gate comes before publishing."""
    assert apart([logs("a", "L #reject-me", "L x"), CALM], redshift) == []


def test_a_file_whose_event_was_lost_is_found_by_the_sweep(redshift: Redshift) -> None:
    """Protection: the sweep."""
    assert apart([logs("a", "L x", copies=0)], redshift) == []


def test_a_file_that_is_corrected_between_claim_and_reading_is_read_as_it_was_claimed(
    redshift: Redshift,
) -> None:
    """Protection: the exact claimed version is read, and not the newest object."""
    correction = tickets("t", "T 1 2 02 new")
    steps = [
        *admitted(tickets("t", "T 1 1 01 old")),
        go("run", until="GetObject support_tickets/"),
        correction,
    ]
    assert apart([*steps, CALM], redshift) == []


def test_a_fenced_off_run_publishes_nothing(redshift: Redshift) -> None:
    """Protection: the fence is asked before the manifest is written.

    The run has made its copies and stalls. Its successor brings the batch to its end, and it is processed again.
    """
    stalled = [go("run", until="CopyObject curated/"), go("run", calls=1), {"do": "timeout"}]
    # The successor's start is what the end of the first run asks for.
    taken_over = [
        {"do": "event"},
        go("load"),
        go("run", 1),
        *loaded_by_hand(),
        {"do": "replay"},
        go("replay"),
    ]
    steps = [*admitted(tickets("t", "T 1 1 01 x")), *stalled, *taken_over, go("run", 1), CALM]
    assert apart(steps, redshift) == []


def test_a_fenced_off_run_writes_no_results(redshift: Redshift) -> None:
    """Protection: the fence is asked before the results are written; here it is counts that would be wrong."""
    stalled = [go("run", until="CopyObject vouchers/"), go("run", calls=1), {"do": "timeout"}]
    taken_over = [{"do": "event"}, go("load"), go("run", 1), *loaded_by_hand()]
    corrected = [*admitted(logs("a", "L y")), {"do": "meanwhile"}, {"do": "meanwhile"}]
    steps = [*admitted(logs("a", "L x", "L z")), *stalled, *taken_over, *corrected, CALM]
    assert wrong(steps, redshift) == []


def test_a_fenced_off_run_copies_nothing_after_its_batch_was_withdrawn(redshift: Redshift) -> None:
    """Protection: what copies are made from goes before they do; whoever lists `curated/` would see them for ever.

    The run has put its plan down and stalls. Its successor publishes; the warehouse refuses that for its content; a
    third run has taken it back, and the plan is still there.
    """
    plan = "PutObject staging/support_tickets-0001/1/plan.json"
    stalled = [go("run", until=plan), go("run", calls=2), *GIVEN_UP]
    refused = [
        go("run", 1, until="DeleteObject inbox/"),
        {"do": "tick"},
        go("load"),
        {"do": "statement"},
        *TOLD,
    ]
    taken_back = [{"do": "race", "dataset": "support_tickets"}, go("run", 2, until="DeleteObject results/")]
    steps = [*admitted(tickets("t", "T 1 1 01 @long")), *stalled, *refused, *taken_back, go("run"), CALM]
    assert wrong(steps, redshift, Settling(replays=False)) == []


def test_a_manifest_is_not_written_after_its_batch_was_divided(redshift: Redshift) -> None:
    """Protection: what is withdrawn leaves something in its place, also where nothing has been yet.

    One run stalls before its manifest, and so do those that take over, until they are given up.
    """
    stalled = [go("run", until="PutObject manifests/"), *GIVEN_UP]
    died = [go("run", 1, until="PutObject manifests/"), go("run", 1, calls=0, fault=CRASH), *TOLD]
    steps = [*admitted(logs("a", "L x"), logs("b", "L y")), *stalled, *died, *died, go("run", 1), CALM]
    assert apart(steps, redshift, Settling(replays=False)) == []


def test_a_fenced_off_run_does_not_keep_its_batch_from_being_divided(redshift: Redshift) -> None:
    """Protection: giving up raises the fence, so that nobody prolongs the lease any more.

    Two runs have died; the third is about to renew its lease when it is given up, and the one that does so dies at
    once. The schedule looks one more time, and by then somebody must be able to go on.
    """
    died = [go("run", until="PutObject staging/"), go("run", calls=0, fault=CRASH), *TOLD]
    about_to_renew = [go("run", until="PutObject inbox/"), go("run", calls=1), *GIVEN_UP]
    gave_it_up = [go("run", 1, until="TransactWriteItems"), go("run", 1, calls=0, fault="crash_after_write")]
    renewed = [go("run"), {"do": "tick"}, go("load")]
    steps = [
        *admitted(logs("a", "L x"), logs("b", "L y")),
        *died,
        *died,
        *about_to_renew,
        *gave_it_up,
        *renewed,
    ]
    assert apart(steps, redshift, BY_EVENTS_ALONE) == []


def test_a_late_result_of_a_load_is_not_applied_to_a_later_load(redshift: Redshift) -> None:
    """Protection: a batch is changed only as it was read, and processing it again makes it another.

    Two are told that the batch is loaded, and one of them stalls before it says so. By then the batch is processed
    again, and that load is refused.
    """
    told = [*TOLD, {"do": "statement"}, {"do": "event", "copies": 2}]
    stalled = [go("load", until="GetStatementResult"), go("load", calls=1)]
    again = [go("load", 1), {"do": "replay"}, go("replay"), go("run"), {"do": "event"}, go("load", 1)]
    refused = [go("load"), {"do": "statement", "how": "conflict"}]
    steps = [*admitted(logs("a", "L x")), go("run"), *told, *stalled, *again, *refused, CALM]
    assert apart(steps, redshift, Settling(replays=False)) == []


def loaded_by_hand() -> list[Step]:
    """The end of a run is told of, its batch is loaded and known to be; nobody else moves."""
    return [{"do": "event"}, go("load"), {"do": "statement"}, {"do": "event"}, go("load")]


def test_a_file_registered_after_a_runs_claim_is_processed_when_the_run_ends(
    redshift: Redshift,
) -> None:
    """Protection: the wake-up by the end of a run; neither the schedule nor the queue nor a load helps."""
    first = [*admitted(logs("a", "%broken")), go("run", until="TransactWriteItems")]
    steps = [*first, *admitted(logs("b", "L y")), {"do": "drop"}, CALM]
    assert apart(steps, redshift, BY_EVENTS_ALONE) == []


def test_a_refused_start_is_retried_even_if_the_event_of_the_runs_end_is_lost(
    redshift: Redshift,
) -> None:
    """Protection: the message to ourselves."""
    first = [*admitted(logs("a", "L x")), go("run", until="TransactWriteItems")]
    untold = [go("run"), {"do": "event", "copies": 0}]
    later = [{"do": "clock", "seconds": 400}, CALM]
    steps = [*first, *admitted(logs("b", "L y")), *untold, *later]
    assert apart(steps, redshift, BY_EVENTS_ALONE) == []


def test_the_batch_of_a_dead_run_is_taken_over(redshift: Redshift) -> None:
    """Protection: the lease that ends."""
    died = go("run", until="PutObject staging/", calls=1_000)
    steps = [*admitted(logs("a", "L x")), died, go("run", calls=0, fault="crash_before_write"), CALM]
    assert apart(steps, redshift) == []


def test_one_bad_file_does_not_keep_its_neighbours_out(redshift: Redshift) -> None:
    """Protection: a batch that can't be brought to its end is divided."""
    steps = [logs("a", "L x"), logs("b", "L y"), logs("cc", "%poison"), CALM]
    assert apart(steps, redshift, BY_EVENTS_ALONE) == []


def test_a_batch_that_the_warehouse_refuses_for_its_data_is_withdrawn_and_divided(redshift: Redshift) -> None:
    """Protection: what was published of a batch leaves the lake before its files wait again."""
    steps = [logs("a", "L x"), logs("b", "L y", "L @long-1"), CALM]
    assert apart(steps, redshift) == []


def test_while_access_is_denied_no_batch_is_blamed_and_all_is_loaded_afterwards(redshift: Redshift) -> None:
    """Protection: only what is known to be the data's fault divides a batch.

    Two loads are refused, one of a correction; one waits for so long that it is given up, and is replayed.
    """
    denied: list[Step] = [{"do": "deny", "denied": True}, logs("a", "L x"), tickets("t", "T 1 1 01 x"), CALM]
    later: list[Step] = [{"do": "clock", "seconds": 700}, {"do": "tick"}, CALM]
    assert wrong([*denied, *later, *later], redshift) == []
    a_day: list[Step] = [{"do": "clock", "seconds": 90_000}, {"do": "tick"}, CALM]
    assert wrong([*denied, *a_day, logs("a", "L y"), CALM], redshift) == []
    # Who is patient needs no operator.
    assert wrong([*denied, *later], redshift, Settling(replays=False)) == []


def test_a_late_event_of_an_old_version_restores_nothing(redshift: Redshift) -> None:
    """Protection: versions are ordered by what S3 says, and not by when they are loaded."""
    heard_of_first = {"do": "deliver", "pick": -1}
    steps = [logs("a", "L old"), logs("a", "L new"), heard_of_first, go("admit"), go("run"), CALM]
    assert apart(steps, redshift) == []


def test_the_load_of_a_correction_retracts_the_superseded_rows_at_once(redshift: Redshift) -> None:
    """Protection: rows go stale in the transaction that brings the newer ones; nobody is told that it is done."""
    first = [*admitted(logs("a", "L x")), go("run"), *loaded_by_hand()]
    correction = [*admitted(logs("a", "L y")), go("run"), *TOLD]
    untold: list[Step] = [{"do": "statement"}, {"do": "event", "copies": 0}]
    found = apart([*first, *correction, *untold], redshift, BY_EVENTS_ALONE)
    # The lake's turn comes with that word.
    assert [problem for problem in found if "warehouse" in problem] == []


def test_a_correction_leaves_no_row_of_the_superseded_version(redshift: Redshift) -> None:
    """Protection: batches with superseded versions are processed again, so that they leave the lake as well."""
    assert apart([logs("a", "L x"), CALM, logs("a", "L y"), CALM], redshift) == []


def test_a_record_that_another_file_also_contains_stays_when_its_own_file_is_corrected(
    redshift: Redshift,
) -> None:
    """Protection: extra-references."""
    steps = [logs("a", "L x"), CALM, logs("b", "L x"), CALM, logs("a", "L y"), CALM]
    assert apart(steps, redshift) == []


def test_the_verdict_on_a_divided_batch_is_deleted(redshift: Redshift) -> None:
    """Protection: its files are counted with the batches that they come with afterwards."""
    refused = [*admitted(tickets("t", "T 1 1 01 @long"), tickets("u", "T 2 1 01 x")), go("run"), CALM]
    assert apart(refused, redshift, Settling(replays=False)) == []


def test_a_refused_verdict_is_recorded_by_a_later_attempt(redshift: Redshift) -> None:
    """Protection: the schedule tries again."""
    loaded = [*admitted(tickets("t", "T 1 1 01 x")), go("run"), {"do": "event"}, go("load")]
    refused = [{"do": "statement"}, {"do": "statement", "how": "conflict"}, CALM]
    assert apart([*loaded, *refused], redshift) == []
