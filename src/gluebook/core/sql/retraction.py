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
    extra_references_table,
    fail_if_any,
    listed,
    loaded,
    quote,
    same,
    same_content,
)


@dataclass(frozen=True)
class Retraction:
    """The statements of one load.

    They expect the temporary tables `<dataset>_stage` and `<dataset>_row_references`. Both are empty if the batch is
    already loaded; the statements then change no table. The other temporary tables are:

    stale        file versions that have a later one
    live         this batch's live references: a row for each key and file version
    to_retract   keys whose row in the table has lost its reference; at the end those that were retracted
    inherited    extra references that become the provenance of a row in `to_retract`
    newest       rows of this batch that go into the table
    extra        references in `live` that no row of `newest` has as its provenance
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
    def to_retract(self) -> str:
        """The table that holds the retracted keys after `statements`."""
        return self._named("to_retract")

    def assertions(self) -> list[str]:
        """Check that rows and references match: otherwise a row would stay, or be retracted, without a reason."""
        stage, row_references, key = self._named("stage"), self.row_references, self.contract.key
        files = f"(select {listed(FILE_VERSION)} from {row_references} where {ORDER} is not null) files"
        return [
            fail_if_any(
                "row references name neither a file version nor a row",
                f"{row_references} where ({ORDER} is null and ({_null((*key, RECORD), 'or')})) "
                f"or ({ORDER} is not null and not ({_null((*key, RECORD), 'and')}))",
            ),
            fail_if_any(
                "file versions of rows have no reference of their own",
                f"(select {listed(FILE_VERSION)} from {stage} union select {listed(FILE_VERSION)} "
                f"from {row_references}) named left join {files} on {same(FILE_VERSION, 'files', 'named')} "
                f"where files.{FILE_VERSION[0]} is null",
            ),
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
            self._find_live(),
            self._find_rows_to_retract(),
            *self._delete_extra_references(),
            *self._inherit_provenance(),
            *self._delete_retracted(),
            *self._insert_rows(),
            *self._insert_extra_references(),
        ]

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

    def _find_live(self) -> str:
        names, stale = (*self.contract.key, *FILE_VERSION, RECORD), self._named("stale")
        return (
            f"create temp table {self._named('live')} as select {listed(names, 'claimed')} from ("
            f"select {listed(names)} from {self._named('stage')} union all "
            f"select {listed(names)} from {self.row_references} where {ORDER} is null) claimed "
            f"left join {stale} on {same(FILE_VERSION, stale, 'claimed')} where {stale}.{FILE_VERSION[0]} is null"
        )

    def _find_rows_to_retract(self) -> str:
        target, key = self.contract.name, self.contract.key
        stale, live = self._named("stale"), self._named("live")
        found = (
            f"create temp table {self.to_retract} as select {listed(key, target)} from {target} "
            f"join {stale} on {same(FILE_VERSION, stale, target)}"
        )
        if self.request.generation == 1:
            return found
        # Rows of this batch's earlier generation that this generation lacks; none if the batch is already loaded.
        return (
            f"{found} union select {listed(key, target)} from {target} "
            f"left join {live} on {same((*key, *FILE_VERSION), live, target)} "
            f"where {target}.{BATCH} = {quote(self.request.batch_id)} and {live}.{key[0]} is null "
            f"and not {loaded(self.request)}"
        )

    def _delete_extra_references(self) -> list[str]:
        references, stale = self._extra_references, self._named("stale")
        batch = quote(self.request.batch_id)
        of_stale = f"delete from {references} using {stale} where {same(FILE_VERSION, references, stale)}"
        # The batch's own references are inserted again below if they still exist.
        own = f"delete from {references} where {BATCH} = {batch} and not {loaded(self.request)}"
        return [of_stale] if self.request.generation == 1 else [of_stale, own]

    def _inherit_provenance(self) -> list[str]:
        """Rows that another batch references stay; one such reference becomes their provenance."""
        target, key = self.contract.name, self.contract.key
        references = self._extra_references
        to_retract, inherited, live = self.to_retract, self._named("inherited"), self._named("live")
        provenance = (*FILE_VERSION, RECORD, BATCH)
        ranked = (
            f"select {listed((*key, *provenance), references)}, row_number() over (partition by "
            f"{listed(key, references)} order by {listed((*FILE_VERSION, RECORD), references)}) as place "
            f"from {references} join {to_retract} on {same(key, to_retract, references)} "
            # Rows that this batch references itself are inserted below, as this generation has them.
            f"left join {live} on {same(key, live, references)} where {live}.{key[0]} is null"
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

    def _delete_retracted(self) -> list[str]:
        target, key = self.contract.name, self.contract.key
        to_retract, live = self.to_retract, self._named("live")
        return [
            f"delete from {target} using {to_retract} where {same(key, target, to_retract)}",
            # These rows are inserted again below, so they are not retracted.
            f"delete from {to_retract} using {live} where {same(key, to_retract, live)}",
        ]

    def _insert_rows(self) -> list[str]:
        target, key, newest = self.contract.name, self.contract.key, self._named("newest")
        known = same(key, newest, target)
        if self.request.generation > 1:
            # The batch's own rows are replaced where this generation's content differs.
            another = f"{target}.{BATCH} <> {quote(self.request.batch_id)}"
            known += f" and ({another} or ({same_content(self.contract, newest, target)}))"
        return [
            self._candidates(),
            f"delete from {newest} using {target} where {known}",
            *(
                [f"delete from {target} using {newest} where {same(key, target, newest)}"]
                if self.request.generation > 1
                else []
            ),
            # No MERGE: none of these keys is in the table.
            f"insert into {target} ({listed(self.contract.names)}) "
            f"select {listed(self.contract.names)} from {newest}",
        ]

    def _candidates(self) -> str:
        """One row for each key with a live reference in this batch; with its own provenance if that is live."""
        key, place, names = self.contract.key, (*FILE_VERSION, RECORD), self.contract.names
        stage, row_references, stale = self._named("stage"), self.row_references, self._named("stale")
        as_extra = ", ".join(f"{row_references if name in place else stage}.{name}" for name in names)
        is_live = f"{stale}.{FILE_VERSION[0]} is null"
        return (
            f"create temp table {self._named('newest')} as select {listed(names)} from (select {listed(names)}, "
            f"row_number() over (partition by {listed(key)} order by is_extra, {listed(place)}) as place from ("
            f"select {listed(names, stage)}, 0 as is_extra from {stage} "
            f"left join {stale} on {same(FILE_VERSION, stale, stage)} where {is_live} union all "
            f"select {as_extra}, 1 as is_extra from {stage} "
            f"join {row_references} on {same(key, row_references, stage)} and {row_references}.{ORDER} is null "
            f"left join {stale} on {same(FILE_VERSION, stale, row_references)} where {is_live}) claimed) ranked "
            "where place = 1"
        )

    def _insert_extra_references(self) -> list[str]:
        """Keep the live references to rows whose provenance is another file version; every key is in the table."""
        target, live = self.contract.name, self._named("live")
        references = self._extra_references
        reference, newest = (*self.contract.key, *FILE_VERSION), self._named("newest")
        extra = self._named("extra")
        return [
            # Rows inserted just now need no search of the whole table.
            f"create temp table {extra} as select {listed((*reference, RECORD), live)} from {live} "
            f"left join {newest} on {same(reference, newest, live)} where {newest}.{reference[0]} is null",
            f"insert into {references} ({listed(reference)}, {RECORD}, {BATCH}) "
            f"select {listed(reference, extra)}, min({extra}.{RECORD}), {quote(self.request.batch_id)} "
            f"from {extra} left join {target} on {same(reference, target, extra)} "
            f"left join {references} on {same(reference, references, extra)} where {target}.{reference[0]} is null "
            f"and {references}.{reference[0]} is null group by {listed(reference, extra)}",
        ]

    def _named(self, what: str) -> str:
        return f"{self.contract.name}_{what}"


def _null(names: tuple[str, ...], word: str) -> str:
    return f" {word} ".join(f"{name} is null" for name in names)
