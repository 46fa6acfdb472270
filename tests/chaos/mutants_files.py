"""Mutations of the file's steps: registration, sweep, claim, reading, start of a run."""

from __future__ import annotations

from chaos.mutating import Mutation

_PROTECTIONS = "tests/chaos/test_protections.py"
_FOUND = "tests/chaos/test_found.py"

FILES = (
    Mutation(
        name="claim",
        protection="a file is claimed once, even if two runs have read it as pending",
        broken="the claim has no condition",
        file="src/gluebook/aws/ledger/claims.py",
        old=""""#state = :pending AND #waiting_since = :since",
                    {"pending": FileState.PENDING.value, "since": file.waiting_since},""",
        new='"attribute_exists(pk)", {},',
        test=(_PROTECTIONS, "test_two_runs_that_read_the_same_pending_file_do_not_both_claim_it"),
    ),
    Mutation(
        name="sweep-registers",
        protection="a file whose event was lost is found by the sweep",
        broken="the sweep lists the bucket and registers nothing",
        file="src/gluebook/functions/sweep.py",
        old="registrations += register_missing(page, registering)",
        new="registrations += Registrations()",
        test=(_PROTECTIONS, "test_a_file_whose_event_was_lost_is_found_by_the_sweep"),
    ),
    Mutation(
        name="listing",
        protection="a version that was registered after the listing stays newer than the listed ones",
        broken="the listing is assumed to be complete",
        file="src/gluebook/operations/register.py",
        old="if orders.keys() - {version.version_id for version in listed}:",
        new="if False:",
        test=(
            _FOUND,
            "test_a_version_registered_while_the_sweep_reads_an_old_listing_stays_the_newest",
        ),
    ),
    Mutation(
        name="version-order",
        protection="the versions of a file are ordered by S3's sequencer, in any order of events",
        broken="an event's sequencer is ignored",
        file="src/gluebook/core/versions.py",
        old='return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")',
        new='return "0"',
        test=(_PROTECTIONS, "test_a_late_event_of_an_old_version_restores_nothing"),
    ),
    Mutation(
        name="correction-noted",
        protection="a correction is recorded in the transaction that registers the version",
        broken="it is not recorded",
        file="src/gluebook/operations/register.py",
        old="ledger.register_all(files, cause, correctable)",
        new="ledger.register_all(files, cause, ())",
        test=(_PROTECTIONS, "test_a_correction_leaves_no_row_of_the_superseded_version"),
    ),
    Mutation(
        name="claimed-version",
        protection="the claimed version is read, and not the newest object",
        broken="the newest object is read, by the tests' own engine, which replaces Spark",
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
        protection="the same, in Spark's tasks",
        broken="the newest version is read",
        file="src/gluebook/job/pieces.py",
        old="return objects.open_version(file.bucket, file.key, file.version_id, part)",
        new="""newest = next(objects.versions(file.bucket, file.key))[0].version_id
        return objects.open_version(file.bucket, file.key, newest, part)""",
        test=(
            "tests/unit/test_check.py",
            "test_a_file_that_was_corrected_after_its_claim_is_read_as_claimed",
        ),
    ),
    Mutation(
        name="wake-up",
        protection="the end of a run starts the next one if a file was registered after its claim",
        broken="the end of a run starts nothing",
        file="src/gluebook/functions/load.py",
        old='    steps.run(f"starting the job of {dataset}", start, None)\n',
        new="    if after is None:\n        start()\n",
        test=(
            _PROTECTIONS,
            "test_a_file_registered_after_a_runs_claim_is_processed_when_the_run_ends",
        ),
    ),
    Mutation(
        name="delayed-start",
        protection="a refused start is retried, even if the event of the run's end is lost",
        broken="the delayed message is not sent",
        file="src/gluebook/functions/admit.py",
        old="context.queue.send_later(start_wanted(dataset), context.retry_seconds)",
        new="pass",
        test=(
            _PROTECTIONS,
            "test_a_refused_start_is_retried_even_if_the_event_of_the_runs_end_is_lost",
        ),
    ),
)
