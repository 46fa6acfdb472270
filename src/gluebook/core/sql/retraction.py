"""Which rows of an append dataset stay in its table: those that a live file version contains.

A row reference says that a file version contains the row's record. A file version is live until a later version of
the same file is loaded; then it is stale, in whatever order the two were loaded. A row's own provenance is one of its
live references. The others are kept in the extra references, so that the row can stay when its provenance goes stale.

These invariants hold after each load, and the next load relies on them:

* a key is in the table once, and the row's provenance is live
* every other live reference to the row is in the extra references, once
* every extra reference is live, and its key is in the table
"""

from __future__ import annotations

from dataclasses import dataclass

from gluebook.contracts import Contract
from gluebook.core.sql.warehouse import (
    BATCH,
    FILE_VERSION,
    FILES,
    ORDER,
    RECORD,
    LoadRequest,
    copied_wrong,
    extra_references_table,
    fail_if,
    fail_if_any,
    listed,
    loaded,
    not_as_many,
    quote,
    same,
    same_content,
)


@dataclass(frozen=True)
class Retraction:
    """The statements of one load.

    They expect the temporary tables `<dataset>_stage` and `<dataset>_row_references`. Both are empty if the batch is
    already loaded; the statements then change no table. First the stage is left with one row for each key that has a
    live reference in this batch, in the end with the rows that were inserted. Rows are wide and exceptions are few,
    so only rows with several references are copied. The other temporary tables are:

    stale        file versions that have a later one
    repeated     keys with several references in this batch
    live         live references to `repeated`, numbered within each key; the first becomes the row's provenance
    newest       the rows of these keys
    to_retract   keys of rows that were deleted because they lost their reference; some of them are inserted again
    inherited    extra references that become the provenance of a row in `to_retract`
    known        references in the stage whose row is in the table and stays
    replaced     later generations only: keys of rows of this batch that were deleted for other content
    """

    contract: Contract
    request: LoadRequest

    @property
    def row_references(self) -> str:
        """The table that COPY fills with the row references."""
        return self._named("row_references")

    @property
    def _extra_references(self) -> str:
        return extra_references_table(self.contract)

    @property
    def counts(self) -> list[str]:
        """Subqueries of one row each, for after `statements`: merged; deleted, retracted; replaced."""
        key, stage, to_retract = self.contract.key, self._named("stage"), self._named("to_retract")
        replaced = f"count(*) as replaced from {self._named('replaced')}" if self._again else "0 as replaced"
        return [
            f"(select count(*) as merged from {stage}) merged_rows",
            f"(select count(*) as deleted, count(case when {stage}.{key[0]} is null then 1 end) as retracted "
            f"from {to_retract} left join {stage} on {same(key, stage, to_retract)}) retracted_rows",
            f"(select {replaced}) replaced_rows",
        ]

    def assertions(self) -> list[str]:
        """Check that rows and references match: otherwise a row would stay, or be retracted, without a reason."""
        stage, row_references, key = self._named("stage"), self.row_references, self.contract.key
        unknown = "file versions of rows have no reference of their own"
        files = (
            f"(select {listed(FILE_VERSION)} from {row_references} where {ORDER} is not null "
            f"group by {listed(FILE_VERSION)}) files"
        )
        in_stage, in_references = (
            f"{one} left join {files} on {same(FILE_VERSION, 'files', one)}"
            for one in (stage, row_references)
        )
        return [
            fail_if(not_as_many(row_references, self.request.row_references), row_references),
            fail_if(
                copied_wrong(stage, self.request) | {unknown: f"count(files.{FILE_VERSION[0]}) < count(*)"},
                in_stage,
            ),
            fail_if_any(
                "row references name neither a file version nor a row",
                f"{row_references} where ({ORDER} is null and ({_null((*key, RECORD), 'or')})) "
                f"or ({ORDER} is not null and not ({_null((*key, RECORD), 'and')}))",
            ),
            fail_if_any(unknown, f"{in_references} where files.{FILE_VERSION[0]} is null"),
            fail_if_any(
                "extra references name no row in the stage",
                f"(select {listed(key)} from {row_references} where {ORDER} is null) extra "
                f"left join {stage} on {same(key, stage, 'extra')} where {stage}.{key[0]} is null",
            ),
        ]

    def statements(self) -> list[str]:
        """Bring the table, the extra references and the file versions up to date from the stage."""
        return [
            self._record_files(),
            self._find_stale(),
            self._find_repeated(),
            self._find_live(),
            *self._leave_one_row_for_each_key(),
            self._find_rows_to_retract(),
            *self._delete_extra_references(),
            *self._inherit_provenance(),
            self._delete_retracted(),
            *self._leave_rows_to_insert(),
            *self._insert_rows(),
            self._insert_extra_references(),
        ]

    @property
    def _again(self) -> bool:
        """Whether the batch is processed again: its own rows may be in the table."""
        return self.request.generation > 1

    def _record_files(self) -> str:
        dataset = quote(self.contract.name)
        # The first entry of a version stays: the order of a file's versions does not change.
        return (
            f"insert into {FILES} (dataset, {listed(FILE_VERSION)}, {ORDER}, batch_id) "
            f"select {dataset}, {listed(FILE_VERSION, 'named')}, named.{ORDER}, {quote(self.request.batch_id)} "
            f"from (select {listed(FILE_VERSION)}, max({ORDER}) as {ORDER} from {self.row_references} "
            f"where {ORDER} is not null group by {listed(FILE_VERSION)}) named "
            f"left join (select {listed(FILE_VERSION)} from {FILES} where dataset = {dataset}) known "
            f"on {same(FILE_VERSION, 'known', 'named')} where known.{FILE_VERSION[0]} is null"
        )

    def _find_stale(self) -> str:
        dataset, (file, _) = quote(self.contract.name), FILE_VERSION
        return (
            f"create temp table {self._named('stale')} as select {listed(FILE_VERSION, FILES)} from {FILES} "
            f"join (select {file}, max({ORDER}) as latest from {FILES} where dataset = {dataset} "
            # Only a file in this batch can have a later version now, or be an earlier version that is loaded late.
            f"and {file} in (select {file} from {self.row_references}) group by {file}) files "
            f"on files.{file} = {FILES}.{file} "
            f"where {FILES}.dataset = {dataset} and {FILES}.{ORDER} < files.latest"
        )

    def _find_repeated(self) -> str:
        key = listed(self.contract.key)
        return (
            f"create temp table {self._named('repeated')} as select {key} from (select {key} from "
            f"{self._named('stage')} union all select {key} from {self.row_references} where {ORDER} is null) "
            f"claimed group by {key} having count(*) > 1"
        )

    def _find_live(self) -> str:
        key, place = self.contract.key, (*FILE_VERSION, RECORD)
        stale, repeated, names = self._named("stale"), self._named("repeated"), (*key, *place)
        return (
            f"create temp table {self._named('live')} as select {listed(names, 'claimed')}, row_number() over ("
            # A row keeps its own provenance if that is live.
            f"partition by {listed(key, 'claimed')} order by is_extra, {listed(place, 'claimed')}) as place from ("
            f"select {listed(names)}, 0 as is_extra from {self._named('stage')} union all "
            f"select {listed(names)}, 1 as is_extra from {self.row_references} where {ORDER} is null) claimed "
            f"join {repeated} on {same(key, repeated, 'claimed')} "
            f"left join {stale} on {same(FILE_VERSION, stale, 'claimed')} where {stale}.{FILE_VERSION[0]} is null"
        )

    def _leave_one_row_for_each_key(self) -> list[str]:
        """A row of the stage under the first live reference to its key; its own row if the reference is a row's."""
        key, names, place = self.contract.key, self.contract.names, (*FILE_VERSION, RECORD)
        stage, live, newest = self._named("stage"), self._named("live"), self._named("newest")
        repeated, stale = self._named("repeated"), self._named("stale")
        referenced = ", ".join(f"{live if name in place else stage}.{name}" for name in names)
        return [
            f"create temp table {newest} as select {listed(names)} from (select {referenced}, "
            f"row_number() over (partition by {listed(key, stage)} order by "
            f"case when {same(place, live, stage)} then 0 else 1 end, {listed(place, stage)}) as chosen "
            f"from {stage} join {live} on {same(key, live, stage)} where {live}.place = 1) ranked where chosen = 1",
            f"delete from {stage} using {repeated} where {same(key, stage, repeated)}",
            f"delete from {stage} using {stale} where {same(FILE_VERSION, stage, stale)}",
            f"insert into {stage} ({listed(names)}) select {listed(names)} from {newest}",
        ]

    def _find_rows_to_retract(self) -> str:
        target, key, reference = self.contract.name, self.contract.key, (*self.contract.key, *FILE_VERSION)
        stage, stale, live = self._named("stage"), self._named("stale"), self._named("live")
        found = (
            f"create temp table {self._named('to_retract')} as select {listed(key, target)} from {target} "
            f"join {stale} on {same(FILE_VERSION, stale, target)}"
        )
        if not self._again:
            return found
        # Rows of this batch's earlier generation that this generation lacks; none if the batch is already loaded.
        return (
            f"{found} union select {listed(key, target)} from {target} "
            f"left join {stage} on {same(reference, stage, target)} "
            f"left join {live} on {same(reference, live, target)} "
            f"where {target}.{BATCH} = {quote(self.request.batch_id)} and {stage}.{key[0]} is null "
            f"and {live}.{key[0]} is null and not {loaded(self.request)}"
        )

    def _delete_extra_references(self) -> list[str]:
        references, stale = self._extra_references, self._named("stale")
        batch = quote(self.request.batch_id)
        of_stale = f"delete from {references} using {stale} where {same(FILE_VERSION, references, stale)}"
        # The batch's own references are inserted again below if they still exist.
        own = f"delete from {references} where {BATCH} = {batch} and not {loaded(self.request)}"
        return [of_stale, own] if self._again else [of_stale]

    def _inherit_provenance(self) -> list[str]:
        """Rows that another batch references stay; one such reference becomes their provenance."""
        target, key = self.contract.name, self.contract.key
        references = self._extra_references
        to_retract, inherited, stage = (self._named(what) for what in ("to_retract", "inherited", "stage"))
        provenance = (*FILE_VERSION, RECORD, BATCH)
        ranked = (
            f"select {listed((*key, *provenance), references)}, row_number() over (partition by "
            f"{listed(key, references)} order by {listed((*FILE_VERSION, RECORD), references)}) as place "
            f"from {references} join {to_retract} on {same(key, to_retract, references)} "
            # Rows that this batch references itself are inserted below, as this generation has them.
            f"left join {stage} on {same(key, stage, references)} where {stage}.{key[0]} is null"
        )
        return [
            f"create temp table {inherited} as select {listed((*key, *provenance))} from ({ranked}) ranked "
            "where place = 1",
            f"update {target} set {', '.join(f'{name} = {inherited}.{name}' for name in provenance)} "
            f"from {inherited} where {same(key, target, inherited)}",
            # A reference is either the row's provenance or an extra reference.
            f"delete from {references} using {inherited} where {same((*key, *FILE_VERSION), references, inherited)}",
            f"delete from {to_retract} using {inherited} where {same(key, to_retract, inherited)}",
        ]

    def _delete_retracted(self) -> str:
        target, to_retract = self.contract.name, self._named("to_retract")
        return f"delete from {target} using {to_retract} where {same(self.contract.key, target, to_retract)}"

    def _leave_rows_to_insert(self) -> list[str]:
        """Rows that the table has stay there, unless they are this batch's and this generation's content differs."""
        target, key, stage = self.contract.name, self.contract.key, self._named("stage")
        known, reference = self._named("known"), (*key, *FILE_VERSION, RECORD)
        stays = ""
        if self._again:
            another = f"{target}.{BATCH} <> {quote(self.request.batch_id)}"
            stays = f" where {another} or ({same_content(self.contract, stage, target)})"
        return [
            f"create temp table {known} as select {listed(reference, stage)} from {stage} "
            f"join {target} on {same(key, stage, target)}{stays}",
            f"delete from {stage} using {known} where {same(key, stage, known)}",
        ]

    def _insert_rows(self) -> list[str]:
        target, key, names = self.contract.name, self.contract.key, listed(self.contract.names)
        stage, replaced = self._named("stage"), self._named("replaced")
        replacing = [
            f"create temp table {replaced} as select {listed(key, target)} from {target} "
            f"join {stage} on {same(key, stage, target)}",
            f"delete from {target} using {replaced} where {same(key, target, replaced)}",
        ]
        return [
            *(replacing if self._again else []),
            # No MERGE: none of these keys is in the table.
            f"insert into {target} ({names}) select {names} from {stage}",
        ]

    def _insert_extra_references(self) -> str:
        """Keep the live references to rows whose provenance is another file version; every key is in the table."""
        target, references = self.contract.name, self._extra_references
        reference = (*self.contract.key, *FILE_VERSION)
        names = listed((*reference, RECORD))
        return (
            f"insert into {references} ({names}, {BATCH}) "
            f"select {listed(reference, 'extra')}, min(extra.{RECORD}), {quote(self.request.batch_id)} "
            f"from (select {names} from {self._named('live')} where place > 1 "
            f"union all select {names} from {self._named('known')}) extra "
            f"left join {target} on {same(reference, target, 'extra')} "
            f"left join {references} on {same(reference, references, 'extra')} where {target}.{reference[0]} is null "
            f"and {references}.{reference[0]} is null group by {listed(reference, 'extra')}"
        )

    def _named(self, what: str) -> str:
        return f"{self.contract.name}_{what}"


def _null(names: tuple[str, ...], word: str) -> str:
    return f" {word} ".join(f"{name} is null" for name in names)
