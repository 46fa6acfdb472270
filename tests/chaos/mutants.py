"""Each protection, and how to break it: a text of the source, and what takes its place."""

from __future__ import annotations

from dataclasses import dataclass

_STEPS, _CORE, _AWS = "src/gluebook/steps", "src/gluebook/core", "src/gluebook/aws"
_PROTECTIONS, _FOUND = "tests/chaos/test_protections.py", "tests/chaos/test_found.py"


@dataclass(frozen=True)
class Mutation:
    """One protection, broken.

    protection  what holds without the mutation, and against what it helps
    broken      what is wrong with the code now
    file        where, from the repository's root; `old` is there exactly once
    test        file and name of the test that must tell by the rows it misses or finds twice
    """

    name: str
    protection: str
    broken: str
    file: str
    old: str
    new: str
    test: tuple[str, str]


_PUBLISHED = """\
    ledger.confirm(batch)
    write_results(objects, lake, batch, plan.results)
    old = _withdraw(objects, lake, batch, range(1, batch.generation))
    if plan.vouchers:
        vouchers = lake.vouchers(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, vouchers, copy_manifest(plan.vouchers, lake))
    if plan.files:
        manifest = lake.manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, manifest, copy_manifest(plan.files, lake))
"""
_PUBLISHED_REGARDLESS = """\
    write_results(objects, lake, batch, plan.results)
    old = _withdraw(objects, lake, batch, range(1, batch.generation))
    if plan.vouchers:
        vouchers = lake.vouchers(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json_once(lake.bucket, vouchers, copy_manifest(plan.vouchers, lake))
    if plan.files:
        manifest = lake.manifest(batch.dataset, batch.batch_id, batch.generation)
        objects.put_json(lake.bucket, manifest, copy_manifest(plan.files, lake))
"""

MUTATIONS = (
    Mutation(
        name="claim",
        protection="a file is claimed once, though two runs have found it waiting",
        broken="the claim has no condition",
        file=f"{_AWS}/ledger_claims.py",
        old=""""#state = :pending AND #waiting_since = :since",
                    {"pending": FileState.PENDING.value, "since": file.waiting_since},""",
        new='"attribute_exists(pk)", {},',
        test=(_PROTECTIONS, "test_two_runs_that_found_the_same_file_waiting_do_not_both_take_it"),
    ),
    Mutation(
        name="newer-wins",
        protection="an older revision never overwrites a newer one",
        broken="what isn't newer than the table's row reaches the MERGE",
        file=f"{_CORE}/load_sql.py",
        old='f"and ({_not_newer(contract, request, newest, target)})"',
        new='"and 1 = 0"',
        test=(_PROTECTIONS, "test_an_older_revision_that_comes_later_does_not_overwrite_a_newer_one"),
    ),
    Mutation(
        name="loaded-already",
        protection="a load is made once, though its answer was lost",
        broken="nobody looks whether the batch is in `etl_loads`",
        file=f"{_CORE}/warehouse_sql.py",
        old='''f"exists (select 1 from {LOADS} where batch_id = {quote(request.batch_id)} "
        f"and generation >= {request.generation})"''',
        new='f"exists (select 1 from {LOADS} where 1 = 0)"',
        test=(_PROTECTIONS, "test_a_load_whose_answer_was_lost_is_not_made_again"),
    ),
    Mutation(
        name="gate",
        protection="nothing of a batch that the gate rejects is published",
        broken="the gate is asked, its verdict is ignored",
        file=f"{_STEPS}/curate.py",
        old="not (verdict := gate()).passed",
        new="(verdict := gate()) is None",
        test=(_PROTECTIONS, "test_nothing_of_a_batch_that_the_gate_rejects_is_seen_anywhere"),
    ),
    Mutation(
        name="adoption",
        protection="a file whose event was lost is found by the sweep",
        broken="the sweep lists the bucket and adopts nothing",
        file=f"{_STEPS}/sweep.py",
        old="adopted += adopt(page, adopting)",
        new="adopted += Adopted()",
        test=(_PROTECTIONS, "test_a_file_whose_event_was_lost_is_found_by_the_sweep"),
    ),
    Mutation(
        name="listing",
        protection="a version that an event has registered since the listing stays newer than what that shows",
        broken="what the sweep has listed is taken for what there is",
        file=f"{_STEPS}/register.py",
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
        file=f"{_CORE}/versions.py",
        old='return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")',
        new='return "0"',
        test=(_PROTECTIONS, "test_an_old_version_that_is_heard_of_late_brings_nothing_back"),
    ),
    Mutation(
        name="claimed-version",
        protection="what is read is the version that was claimed, and not the newest object",
        broken="the newest object is read; here in the tests' own engine, which reads instead of Spark",
        file="tests/chaos/engine.py",
        old="objects.open_version(file.bucket, file.key, file.version_id).read().decode()",
        new='(objects.body(file.bucket, file.key) or b"").decode()',
        test=(
            _PROTECTIONS,
            "test_a_file_that_is_corrected_between_claim_and_reading_is_read_as_it_was_claimed",
        ),
    ),
    Mutation(
        name="claimed-version-in-spark",
        protection="the same, in what Spark's tasks run",
        broken="the newest version is read",
        file=f"{_STEPS}/check.py",
        old="stream = objects.open_version(file.bucket, file.key, file.version_id)",
        new="""newest = next(objects.versions(file.bucket, file.key))[0].version_id
        stream = objects.open_version(file.bucket, file.key, newest)""",
        test=(
            "tests/unit/test_check.py",
            "test_a_file_that_was_corrected_since_its_claim_is_read_as_claimed",
        ),
    ),
    Mutation(
        name="fence",
        protection="whoever acts on what a batch was before can't change it any more",
        broken="a batch is changed whatever its epoch is",
        file=f"{_AWS}/ledger_batches.py",
        old='"#state = :state AND #epoch = :epoch AND #load_attempts = :loads" + more',
        new='"#state = :state AND #load_attempts = :loads" + more',
        test=(_PROTECTIONS, "test_word_of_a_load_that_comes_late_is_not_taken_for_word_of_a_later_one"),
    ),
    Mutation(
        name="fence-copies",
        protection="a run that was given up makes no copies any more, which nobody would take back",
        broken="the ledger isn't asked before the copies are made",
        file=f"{_STEPS}/publish.py",
        old="""    ledger.confirm(batch)
    plan = _plan(""",
        new="    plan = _plan(",
        test=(_PROTECTIONS, "test_a_run_that_was_given_up_makes_no_copies_when_its_batch_was_taken_back"),
    ),
    Mutation(
        name="fence-publish",
        protection="a run that was given up publishes nothing any more: the ledger says no, and so does S3",
        broken="neither is asked: not the ledger before the manifest, and that is written whatever is there",
        file=f"{_STEPS}/publish.py",
        old=_PUBLISHED,
        new=_PUBLISHED_REGARDLESS,
        test=(_PROTECTIONS, "test_a_run_that_was_given_up_publishes_nothing_any_more"),
    ),
    Mutation(
        name="manifest-once",
        protection="a manifest is written once: a run that has passed the fence and stalls doesn't bring it back",
        broken="it is written whatever is there",
        file=f"{_STEPS}/publish.py",
        old="objects.put_json_once(lake.bucket, manifest, copy_manifest(plan.files, lake))",
        new="objects.put_json(lake.bucket, manifest, copy_manifest(plan.files, lake))",
        test=(
            _FOUND,
            "test_a_run_that_stalls_before_its_manifest_does_not_write_it_when_the_batch_has_moved_on",
        ),
    ),
    Mutation(
        name="tombstone-own",
        protection="a division takes the place of a manifest that a stalled run has yet to write",
        broken="nothing is put there",
        file=f"{_STEPS}/publish.py",
        old="    objects.put_json_once(lake.bucket, own, withdrawn_manifest(planned))\n",
        new="",
        test=(_PROTECTIONS, "test_a_manifest_that_was_never_written_is_not_when_its_batch_has_been_divided"),
    ),
    Mutation(
        name="tombstone",
        protection="a withdrawn manifest leaves an empty one in its place, so that nobody writes it again",
        broken="it is deleted",
        file=f"{_STEPS}/publish.py",
        old="objects.put_json(lake.bucket, key, withdrawn_manifest(named))",
        new="objects.delete(lake.bucket, [key])",
        test=(
            _FOUND,
            "test_a_run_that_stalls_before_its_manifest_does_not_write_it_when_the_batch_has_moved_on",
        ),
    ),
    Mutation(
        name="tidying",
        protection="a run that tidies up late leaves the work of a later one alone",
        broken="inbox and staging go for every epoch",
        file=f"{_STEPS}/publish.py",
        old='over = [key for key in keys if int(key.removeprefix(place).split("/")[0]) <= batch.epoch]',
        new="over = list(keys)",
        test=(_FOUND, "test_a_run_that_tidies_up_late_leaves_the_work_of_a_later_one_alone"),
    ),
    Mutation(
        name="take-over",
        protection="what a run that died has left behind is taken over when its lease has ended",
        broken="no lease ever ends",
        file=f"{_CORE}/claiming.py",
        old="b.lease_until <= now]",
        new="False]",
        test=(_PROTECTIONS, "test_what_a_run_that_died_has_left_behind_is_taken_over"),
    ),
    Mutation(
        name="division",
        protection="a batch that runs die of is divided, and the neighbours of the bad file are loaded",
        broken="it is FAILED as a whole",
        file=f"{_STEPS}/claim.py",
        old="state = BatchState.FAILED if untouched else BatchState.DIVIDING",
        new="state = BatchState.FAILED",
        test=(_PROTECTIONS, "test_one_bad_file_does_not_keep_its_neighbours_out"),
    ),
    Mutation(
        name="division-after-load",
        protection="a batch that the warehouse refuses for its content is divided",
        broken="its load is tried again, for ever",
        file=f"{_CORE}/loading.py",
        old="return BatchState.CURATED if worth_retrying else BatchState.DIVIDING",
        new="return BatchState.CURATED",
        test=(_PROTECTIONS, "test_what_the_warehouse_refuses_for_its_content_is_taken_back_and_divided"),
    ),
    Mutation(
        name="taking-back",
        protection="what a batch has published leaves the lake before its files wait again",
        broken="it stays",
        file=f"{_STEPS}/divide.py",
        old="    withdraw_published(objects, lake, batch)\n",
        new="",
        test=(_PROTECTIONS, "test_what_the_warehouse_refuses_for_its_content_is_taken_back_and_divided"),
    ),
    Mutation(
        name="epoch-given-up",
        protection="a run that still works on a batch that was given up doesn't keep others from it",
        broken="giving up doesn't raise the epoch, so its lease can be prolonged",
        file=f"{_STEPS}/claim.py",
        old="epoch=batch.epoch + 1, attempts=0, lease_until=0)",
        new="attempts=0, lease_until=0)",
        test=(_PROTECTIONS, "test_a_run_whose_batch_was_given_up_does_not_keep_it_from_being_divided"),
    ),
    Mutation(
        name="empty-in-division",
        protection="an empty version waits again with its half, and takes the place of the one before",
        broken="it is left behind in the batch that is divided",
        file=f"{_STEPS}/divide.py",
        old="f.state in (FileState.FAILED, FileState.SUPERSEDED)",
        new="f.state in (FileState.FAILED, FileState.SUPERSEDED, FileState.EMPTY)",
        test=(_FOUND, "test_an_empty_version_counts_though_its_batch_was_divided"),
    ),
    Mutation(
        name="stale-rows",
        protection="the load of a newer version takes the rows of the one before out of the warehouse",
        broken="no version ever goes stale; until its batch is processed again its rows stay",
        file=f"{_CORE}/retraction_sql.py",
        old='f"where {FILES}.dataset = {dataset} and {FILES}.{ORDER} < files.latest"',
        new='f"where {FILES}.dataset = {dataset} and 1 = 0"',
        test=(_PROTECTIONS, "test_the_load_of_a_correction_takes_the_rows_before_it_away_at_once"),
    ),
    Mutation(
        name="stale-lake",
        protection="rows of a version leave the lake as well when a newer one of its file is loaded",
        broken="the batch that carries them isn't processed again",
        file=f"{_STEPS}/corrections.py",
        old="return [batch_id for batch_id, files in stale.items() if _reopen(batches[batch_id], files, work)]",
        new="return []",
        test=(_PROTECTIONS, "test_a_correction_leaves_nothing_of_the_version_before_it"),
    ),
    Mutation(
        name="correction-noted",
        protection="a correction is noted in the transaction that registers it",
        broken="it isn't noted",
        file=f"{_STEPS}/register.py",
        old="ledger.register(file, cause, correctable=correctable)",
        new="ledger.register(file, cause, correctable=False)",
        test=(_PROTECTIONS, "test_a_correction_leaves_nothing_of_the_version_before_it"),
    ),
    Mutation(
        name="echoes",
        protection="a record that another file holds too outlives the correction of its own",
        broken="which other files hold a record isn't kept",
        file=f"{_CORE}/retraction_sql.py",
        old="            *self._echoes_are_kept(),\n",
        new="",
        test=(_PROTECTIONS, "test_a_record_that_another_file_holds_too_outlives_the_correction_of_its_own"),
    ),
    Mutation(
        name="wake-up",
        protection="the end of a run starts the next one if a file was registered after its last look",
        broken="the end of a run starts nothing",
        file=f"{_STEPS}/load.py",
        old="            start_if_needed(dataset, work, after=event)\n",
        new="",
        test=(
            _PROTECTIONS,
            "test_a_file_registered_after_the_last_look_of_a_run_is_taken_up_when_that_ends",
        ),
    ),
    Mutation(
        name="delayed-start",
        protection="a start that was refused is asked for again, though the end of the run is never told",
        broken="the message to ourselves isn't sent",
        file=f"{_STEPS}/admit.py",
        old="work.queue.send_later(start_wanted(dataset), work.retry_seconds)",
        new="pass",
        test=(
            _PROTECTIONS,
            "test_a_start_that_was_refused_is_asked_for_again_when_the_end_of_the_run_is_never_told",
        ),
    ),
)
