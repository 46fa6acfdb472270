"""Shrunk schedules that once lost or duplicated rows."""

from __future__ import annotations

from chaos.play import play
from chaos.redshift import Redshift
from chaos.settle import Settling
from chaos.test_protections import CALM, Step, admitted, go, loaded_by_hand, logs, tickets

WITHOUT_HELP = Settling(replays=False)
REPLAY: list[Step] = [{"do": "replay"}, go("replay")]
GIVEN_UP: list[Step] = [{"do": "timeout"}, {"do": "event"}, go("load")]
CRASH = "crash_before_write"


def problems(steps: list[Step], redshift: Redshift) -> list[str]:
    """All problems at the end, without an operator who replays failures."""
    return [str(problem) for problem in play(steps, redshift, WITHOUT_HELP).problems]


def test_what_the_warehouse_refuses_again_when_it_is_replayed_does_not_stay_in_the_lake(
    redshift: Redshift,
) -> None:
    assert problems([logs("a", "L @long-3"), CALM, *REPLAY, CALM], redshift) == []


def test_a_replayed_batch_that_was_never_loaded_does_not_fail_for_one_bad_file(redshift: Redshift) -> None:
    files = [logs("a", "L #reject-me-1"), logs("b", "L @long-1"), logs("cc", "L x")]
    assert problems([*files, CALM, {"do": "mend"}, *REPLAY, CALM], redshift) == []


def test_an_empty_version_supersedes_even_if_its_batch_was_divided(redshift: Redshift) -> None:
    assert problems([logs("b", "L x"), logs("b"), logs("cc", "%poison")], redshift) == []


def test_a_fenced_off_run_does_not_delete_the_rejects_of_its_successor(redshift: Redshift) -> None:
    stalled = [*admitted(logs("a", "L x", "!bad")), go("run", until="CopyObject quarantine/")]
    steps = [*stalled, *GIVEN_UP, go("run", 1), go("run"), CALM]
    assert problems(steps, redshift) == []
    before_it_looks = [go("run", until="PutObject staging/app_logs-0001/1/vouchers/"), go("run", calls=4)]
    steps = [*admitted(logs("a", "L x", "!bad")), *before_it_looks, *GIVEN_UP, go("run", 1), go("run"), CALM]
    assert problems(steps, redshift) == []


def test_files_of_an_earlier_generation_are_deleted_even_if_their_manifest_is_withdrawn_already(
    redshift: Redshift,
) -> None:
    old_manifest_is_gone = [go("run", until="DeleteObject manifests/"), go("run", calls=1)]
    died = [go("run", until="DeleteObject curated/"), go("run", calls=0, fault=CRASH)]
    for steps in (old_manifest_is_gone[:1], old_manifest_is_gone, []):
        replayed = [logs("a", "L x"), CALM, *REPLAY, *steps, *died, CALM]
        assert problems(replayed, redshift) == []


def test_an_interrupted_division_withdraws_every_file(redshift: Redshift) -> None:
    refused = [*admitted(logs("a", "L @long-1")), go("run"), *loaded_by_hand()]
    for stop in ("DeleteObject curated/", "DeleteObject vouchers/", "DeleteObject manifests/"):
        died = [go("run", until=stop), go("run", calls=0, fault=CRASH)]
        assert problems([*refused, *died, CALM], redshift) == []


def test_a_correction_is_recorded_even_if_the_sweep_dies_after_it_registered_the_version(
    redshift: Redshift,
) -> None:
    first = [*admitted(logs("a", "L x")), CALM, logs("a", "L y", copies=0), {"do": "sweep"}]
    registrations = [go("sweep", until="TransactWriteItems"), go("sweep", calls=0, fault="crash_after_write")]
    assert problems([*first, *registrations, CALM], redshift) == []


def test_a_version_registered_while_the_sweep_reads_an_old_listing_stays_the_newest(
    redshift: Redshift,
) -> None:
    listed = [
        logs("a", "L old"),
        {"do": "sweep"},
        go("sweep", until="ListObjectVersions"),
        go("sweep", calls=1),
    ]
    newer = [logs("a", "L new"), {"do": "deliver", "pick": -1}, go("admit")]
    assert problems([*listed, *newer, CALM], redshift) == []


def test_a_run_that_stalls_before_its_manifest_does_not_write_it_after_the_batch_has_changed(
    redshift: Redshift,
) -> None:
    for file, again in ((tickets("t", "T 1 1 01 x"), REPLAY), (tickets("t", "T 1 1 01 @long"), [])):
        stalled = [*admitted(file), go("run", until="PutObject manifests/"), *GIVEN_UP]
        moved_on = [go("run", 1), *loaded_by_hand(), *again, go("run", 1), *loaded_by_hand()]
        assert problems([*stalled, *moved_on, go("run"), CALM], redshift) == []


def test_a_late_cleanup_keeps_the_work_files_of_a_later_run(redshift: Redshift) -> None:
    stalled = [*admitted(logs("a", "L x")), go("run", until="DeleteObject inbox/"), {"do": "timeout"}]
    published = go("run", 1, until="CopyObject curated/")
    assert problems([*stalled, *loaded_by_hand(), *REPLAY, published, go("run"), CALM], redshift) == []


def test_a_committed_load_with_a_lost_answer_is_kept_when_later_attempts_fail(redshift: Redshift) -> None:
    def fails(how: str) -> list[Step]:
        return [{"do": "statement", "how": how}, {"do": "event"}, go("load")]

    loads = [*fails("after"), *fails("conflict") * 4]
    submitted = [*admitted(tickets("t", "T 1 1 01 x")), go("run"), {"do": "event"}, go("load")]
    assert problems([*submitted, *loads, CALM], redshift) == []


def test_a_run_that_stalls_before_its_results_does_not_write_them_for_a_later_generation(
    redshift: Redshift,
) -> None:
    for lines in (["L old"], ["!reject", "L old"]):
        stalled = [*admitted(logs("a", *lines)), go("run", until="PutObject results/")]
        # The others load it and its correction, so it is processed again.
        corrected = [logs("a", "L new"), {"do": "meanwhile"}]
        assert problems([*stalled, *corrected, CALM], redshift) == []


def test_no_file_of_a_withdrawn_generation_is_copied_even_without_a_cleanup(
    redshift: Redshift,
) -> None:
    """The run that finished it died before the cleanup; the staged files are deleted before the published ones."""
    for place in ("curated/", "vouchers/", "quarantine/"):
        stalled = [*admitted(logs("a", "L x", "!bad")), go("run", until=f"CopyObject {place}"), *GIVEN_UP]
        died = [go("run", 1, until="DeleteObject inbox/"), go("run", 1, calls=0, fault=CRASH)]
        begun = [go("run", 1, until="PutObject staging/app_logs-0001/4/plan.json"), go("run", 1, calls=2)]
        gone = [*loaded_by_hand(), *REPLAY, *begun, go("run", 1, until="TransactWriteItems")]
        assert problems([*stalled, *died, *gone, go("run"), CALM], redshift) == []


def test_a_late_division_withdraws_nothing_of_a_later_generation(redshift: Redshift) -> None:
    """Every run of it died; before its division continues, another run has divided it, and a replay is loaded."""
    died = [
        go("run", until="PutObject staging/"),
        go("run", calls=0, fault=CRASH),
        {"do": "event"},
        go("load"),
    ]
    given_up = [*admitted(logs("a", "L x", "!bad")), *died, *died, *died]
    stalled = [go("run", until="PutObject manifests/"), *GIVEN_UP]
    moved_on = [go("run", 1), {"do": "event"}, go("load"), *REPLAY, go("run", 1), *loaded_by_hand()]
    assert problems([*given_up, *stalled, *moved_on, go("run"), CALM], redshift) == []


def test_a_verdict_that_is_recorded_late_does_not_replace_a_later_one(redshift: Redshift) -> None:
    told: list[Step] = [{"do": "event"}, go("load", -1)]
    rejected = [*admitted(logs("a", "L #reject-me-1")), go("run"), *told]
    again = [*REPLAY, go("run"), *told]
    conflict: Step = {"do": "statement", "how": "conflict"}
    for second in ([], [conflict]):
        later_first: list[Step] = [{"do": "statement", "pick": -1}, *second]
        assert problems([*rejected, *again, *later_first, CALM], redshift) == []
