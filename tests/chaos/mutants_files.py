"""Broken on the way of a file: registered, found by the sweep, claimed, read, a run started for it."""

from __future__ import annotations

from chaos.mutating import Mutation

_PROTECTIONS = "tests/chaos/test_protections.py"
_FOUND = "tests/chaos/test_found.py"

FILES = (
    Mutation(
        name="claim",
        protection="a file is claimed once, though two runs have found it waiting",
        broken="the claim has no condition",
        file="src/gluebook/aws/ledger/claims.py",
        old=""""#state = :pending AND #waiting_since = :since",
                    {"pending": FileState.PENDING.value, "since": file.waiting_since},""",
        new='"attribute_exists(pk)", {},',
        test=(_PROTECTIONS, "test_two_runs_that_found_the_same_file_waiting_do_not_both_take_it"),
    ),
    Mutation(
        name="adoption",
        protection="a file whose event was lost is found by the sweep",
        broken="the sweep lists the bucket and adopts nothing",
        file="src/gluebook/functions/sweep.py",
        old="adopted += adopt(page, adopting)",
        new="adopted += Adopted()",
        test=(_PROTECTIONS, "test_a_file_whose_event_was_lost_is_found_by_the_sweep"),
    ),
    Mutation(
        name="listing",
        protection="a version that an event has registered since the listing stays newer than what that shows",
        broken="what the sweep has listed is taken for what there is",
        file="src/gluebook/operations/register.py",
        old="if places.keys() - {version.version_id for version in listed}:",
        new="if False:",
        test=(
            _FOUND,
            "test_a_version_registered_while_the_sweep_goes_through_an_old_listing_stays_the_newest",
        ),
    ),
    Mutation(
        name="version-order",
        protection="the versions of a file are ordered by what S3 says, in whatever order they are heard of",
        broken="an event's sequencer is ignored",
        file="src/gluebook/core/versions.py",
        old='return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")',
        new='return "0"',
        test=(_PROTECTIONS, "test_an_old_version_that_is_heard_of_late_brings_nothing_back"),
    ),
    Mutation(
        name="correction-noted",
        protection="a correction is noted in the transaction that registers it",
        broken="it isn't noted",
        file="src/gluebook/operations/register.py",
        old="ledger.register(file, cause, correctable=correctable)",
        new="ledger.register(file, cause, correctable=False)",
        test=(_PROTECTIONS, "test_a_correction_leaves_nothing_of_the_version_before_it"),
    ),
    Mutation(
        name="claimed-version",
        protection="what is read is the version that was claimed, and not the newest object",
        broken="the newest object is read; here in the tests' own engine, which reads instead of Spark",
        file="tests/chaos/engine.py",
        old="objects.open_version(file.bucket, file.key, file.version_id).read()",
        new='(objects.body(file.bucket, file.key) or b"")',
        test=(
            _PROTECTIONS,
            "test_a_file_that_is_corrected_between_claim_and_reading_is_read_as_it_was_claimed",
        ),
    ),
    Mutation(
        name="claimed-version-in-spark",
        protection="the same, in what Spark's tasks run",
        broken="the newest version is read",
        file="src/gluebook/job/check.py",
        old="stream = objects.open_version(file.bucket, file.key, file.version_id)",
        new="""newest = next(objects.versions(file.bucket, file.key))[0].version_id
        stream = objects.open_version(file.bucket, file.key, newest)""",
        test=(
            "tests/unit/test_check.py",
            "test_a_file_that_was_corrected_since_its_claim_is_read_as_claimed",
        ),
    ),
    Mutation(
        name="wake-up",
        protection="the end of a run starts the next one if a file was registered after its last look",
        broken="the end of a run starts nothing",
        file="src/gluebook/functions/load.py",
        old='    parts.do(f"starting the job of {dataset}", partial(start_if_needed, dataset, work, after), None)\n',
        new="    if after is None:\n        start_if_needed(dataset, work, after)\n",
        test=(
            _PROTECTIONS,
            "test_a_file_registered_after_the_last_look_of_a_run_is_taken_up_when_that_ends",
        ),
    ),
    Mutation(
        name="delayed-start",
        protection="a start that was refused is asked for again, though the end of the run is never told",
        broken="the message to ourselves isn't sent",
        file="src/gluebook/functions/admit.py",
        old="work.queue.send_later(start_wanted(dataset), work.retry_seconds)",
        new="pass",
        test=(
            _PROTECTIONS,
            "test_a_start_that_was_refused_is_asked_for_again_when_the_end_of_the_run_is_never_told",
        ),
    ),
)
