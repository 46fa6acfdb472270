"""Broken in the warehouse, and where the lake follows it."""

from __future__ import annotations

from chaos.mutating import Mutation

_PROTECTIONS = "tests/chaos/test_protections.py"

LOADS = (
    Mutation(
        name="newer-wins",
        protection="an older revision never overwrites a newer one",
        broken="what isn't newer than the table's row reaches the MERGE",
        file="src/gluebook/core/sql/load.py",
        old='f"and ({_not_newer(contract, request, newest, target)})"',
        new='"and 1 = 0"',
        test=(_PROTECTIONS, "test_an_older_revision_that_comes_later_does_not_overwrite_a_newer_one"),
    ),
    Mutation(
        name="loaded-already",
        protection="a load is made once, though its answer was lost",
        broken="nobody looks whether the batch is in `etl_loads`",
        file="src/gluebook/core/sql/warehouse.py",
        old='''f"exists (select 1 from {LOADS} where batch_id = {quote(request.batch_id)} "
        f"and generation >= {request.generation})"''',
        new='f"exists (select 1 from {LOADS} where 1 = 0)"',
        test=(_PROTECTIONS, "test_a_load_whose_answer_was_lost_is_not_made_again"),
    ),
    Mutation(
        name="stale-rows",
        protection="the load of a newer version takes the rows of the one before out of the warehouse",
        broken="no version ever goes stale; until its batch is processed again its rows stay",
        file="src/gluebook/core/sql/retraction.py",
        old='f"where {FILES}.dataset = {dataset} and {FILES}.{ORDER} < files.latest"',
        new='f"where {FILES}.dataset = {dataset} and 1 = 0"',
        test=(_PROTECTIONS, "test_the_load_of_a_correction_takes_the_rows_before_it_away_at_once"),
    ),
    Mutation(
        name="stale-lake",
        protection="rows of a version leave the lake as well when a newer one of its file is loaded",
        broken="the batch that carries them isn't processed again",
        file="src/gluebook/functions/corrections.py",
        old="return [batch_id for batch_id, files in stale.items() if _reopen(batches[batch_id], files, work)]",
        new="return []",
        test=(_PROTECTIONS, "test_a_correction_leaves_nothing_of_the_version_before_it"),
    ),
    Mutation(
        name="echoes",
        protection="a record that another file holds too outlives the correction of its own",
        broken="which other files hold a record isn't kept",
        file="src/gluebook/core/sql/retraction.py",
        old="            *self._echoes_are_kept(),\n",
        new="",
        test=(_PROTECTIONS, "test_a_record_that_another_file_holds_too_outlives_the_correction_of_its_own"),
    ),
)
