"""Broken on the way of a batch: gate, fence, publishing, take-over, division."""

from __future__ import annotations

from chaos.mutating import Mutation

_AWS = "src/gluebook/aws"
_CORE = "src/gluebook/core"
_STEPS = "src/gluebook/steps"
_PROTECTIONS = "tests/chaos/test_protections.py"
_FOUND = "tests/chaos/test_found.py"

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
_PUBLISHED_REGARDLESS = _PUBLISHED.replace("    ledger.confirm(batch)\n", "").replace(
    "put_json_once(lake.bucket, manifest,", "put_json(lake.bucket, manifest,"
)

BATCHES = (
    Mutation(
        name="gate",
        protection="nothing of a batch that the gate rejects is published",
        broken="the gate is asked, its verdict is ignored",
        file=f"{_STEPS}/curate.py",
        old="if not verdict.passed:",
        new="if verdict is None:",
        test=(_PROTECTIONS, "test_nothing_of_a_batch_that_the_gate_rejects_is_seen_anywhere"),
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
        old="batch.lease_until <= now",
        new="False",
        test=(_PROTECTIONS, "test_what_a_run_that_died_has_left_behind_is_taken_over"),
    ),
    Mutation(
        name="epoch-given-up",
        protection="a run that still works on a batch that was given up doesn't keep others from it",
        broken="giving up doesn't raise the epoch, so its lease can be prolonged",
        file=f"{_CORE}/model.py",
        old="reason=reason, epoch=self.epoch + 1, attempts=0",
        new="reason=reason, attempts=0",
        test=(_PROTECTIONS, "test_a_run_whose_batch_was_given_up_does_not_keep_it_from_being_divided"),
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
        old="    if blames_data:\n",
        new="    if blames_data and not batch:\n",
        test=(_PROTECTIONS, "test_what_the_warehouse_refuses_for_its_content_is_taken_back_and_divided"),
    ),
    Mutation(
        name="innocent-load",
        protection="a load that fails for what isn't the data's fault waits for its next attempt",
        broken="every error is the data's, so the batch is divided and its files are FAILED",
        file="src/gluebook/aws/services.py",
        old='return self.status == "FAILED" and blames_data(self.error)',
        new='return self.status == "FAILED"',
        test=(_PROTECTIONS, "test_while_access_is_denied_no_batch_is_blamed_and_all_is_loaded_afterwards"),
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
        name="verdict-of-divided",
        protection="the verdict on a batch that is divided is taken back",
        broken="it stays, and its rows are counted twice",
        file=f"{_STEPS}/divide.py",
        old="    ledger.note_verdict(batch, nothing)\n",
        new="    assert nothing\n",
        test=(_PROTECTIONS, "test_the_verdict_on_a_batch_that_is_divided_is_taken_back"),
    ),
    Mutation(
        name="verdict-again",
        protection="a verdict whose statement has failed is recorded with the schedule",
        broken="it is given up",
        file=f"{_STEPS}/verdicts.py",
        old="        if noted.retry_at <= stamp(work.clock()):",
        new="        if not noted.attempts:",
        test=(_PROTECTIONS, "test_a_verdict_that_the_warehouse_refused_is_recorded_after_all"),
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
)
