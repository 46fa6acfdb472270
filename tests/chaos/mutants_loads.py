"""Mutations of the load, and of corrections in the lake."""

from __future__ import annotations

from chaos.mutating import Mutation

_PROTECTIONS = "tests/chaos/test_protections.py"

LOADS = (
    Mutation(
        name="newer-wins",
        protection="an older revision never overwrites a newer one",
        broken="rows that are not newer than the table's reach the MERGE",
        file="src/gluebook/core/sql/load.py",
        old='f"case when {_not_newer(contract, request, newest, target)} then 1 else 0 end as stays "',
        new='"0 as stays "',
        test=(_PROTECTIONS, "test_an_older_revision_that_arrives_later_does_not_overwrite_a_newer_one"),
    ),
    Mutation(
        name="loaded-already",
        protection="a load is made once, even if its answer is lost",
        broken="`etl_loads` is not checked for the batch",
        file="src/gluebook/core/sql/warehouse.py",
        old='''f"exists (select 1 from {LOADS} where batch_id = {quote(request.batch_id)} "
        f"and generation >= {request.generation})"''',
        new='f"exists (select 1 from {LOADS} where 1 = 0)"',
        test=(_PROTECTIONS, "test_a_load_with_a_lost_answer_is_not_repeated"),
    ),
    Mutation(
        name="stale-rows",
        protection="the load of a newer version retracts the rows of the previous one",
        broken="no version becomes stale; its rows stay until its batch is processed again",
        file="src/gluebook/core/sql/retraction.py",
        old='f"where {FILES}.dataset = {dataset} and {FILES}.{ORDER} < files.latest"',
        new='f"where {FILES}.dataset = {dataset} and 1 = 0"',
        test=(_PROTECTIONS, "test_the_load_of_a_correction_retracts_the_superseded_rows_at_once"),
    ),
    Mutation(
        name="stale-lake",
        protection="the rows of a version also leave the lake when a newer version is loaded",
        broken="their batch is not processed again",
        file="src/gluebook/functions/corrections.py",
        old="return [batch_id for batch_id, files in stale.items() if _reopen(batches[batch_id], files, context)]",
        new="return []",
        test=(_PROTECTIONS, "test_a_correction_leaves_no_row_of_the_superseded_version"),
    ),
    Mutation(
        name="extra-references",
        protection="a record that another file also contains stays when its own file is corrected",
        broken="the extra references are not kept",
        file="src/gluebook/core/sql/retraction.py",
        old="            self._insert_extra_references(),\n",
        new="",
        test=(
            _PROTECTIONS,
            "test_a_record_that_another_file_also_contains_stays_when_its_own_file_is_corrected",
        ),
    ),
)
