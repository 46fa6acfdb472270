"""Which rows of an append dataset stand in its table: those that some live file version vouches for.

A file version vouches for a row if it holds the row's record. It is live until a later version of the same file
is loaded; then it is stale, in whatever order the two were loaded. A row's own provenance is one of its live
vouchers. The others are kept as echoes, so that the row can stay when its provenance goes stale.

So these hold after each load, and are taken for granted by the next:

* a key is in the table once, and the row's provenance is live
* every other live voucher for it is in the echoes, once
* every echo is live, and its key is in the table
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
    echoes_table,
    fail_if_any,
    listed,
    loaded,
    quote,
    same,
    same_content,
)


@dataclass(frozen=True)
class Retraction:
    """The statements of one load. They expect `<dataset>_stage` and `<dataset>_vouchers`, both of them empty if
    the batch is loaded already: then nothing they do may change a table.

    stale    file versions that have a later one
    live     what this batch vouches for: a row for each key and file version
    doomed   keys whose row in the table has lost its voucher; at the end those that were retracted
    heirs    echoes that become the provenance of a doomed row
    newest   rows of this batch that go into the table
    besides  vouchers among `live` that no row of `newest` has as its provenance
    """

    contract: Contract
    request: LoadRequest

    @property
    def vouchers(self) -> str:
        """The table that the vouchers are copied to."""
        return self._named("vouchers")

    @property
    def doomed(self) -> str:
        """The table that, after `statements`, holds the retracted keys."""
        return self._named("doomed")

    def assertions(self) -> list[str]:
        """That rows and vouchers fit together: else a row would stand in the table, or go, without a reason."""
        stage, vouchers, key = self._named("stage"), self.vouchers, self.contract.key
        files = f"(select {listed(FILE_VERSION)} from {vouchers} where {ORDER} is not null) files"
        return [
            fail_if_any(
                "vouchers are neither of a file version nor of a row",
                f"{vouchers} where ({ORDER} is null and ({_null((*key, RECORD), 'or')})) "
                f"or ({ORDER} is not null and not ({_null((*key, RECORD), 'and')}))",
            ),
            fail_if_any(
                "file versions of rows have no voucher of their own",
                f"(select {listed(FILE_VERSION)} from {stage} union select {listed(FILE_VERSION)} "
                f"from {vouchers}) named left join {files} on {same(FILE_VERSION, 'files', 'named')} "
                f"where files.{FILE_VERSION[0]} is null",
            ),
            fail_if_any(
                "echoes are of no row in the stage",
                f"(select {listed(key)} from {vouchers} where {ORDER} is null) echoed "
                f"left join {stage} on {same(key, stage, 'echoed')} where {stage}.{key[0]} is null",
            ),
        ]

    def statements(self) -> list[str]:
        """From the emptied or filled stage to the table, the echoes and the file versions as they must be."""
        return [
            self._files_are_noted(),
            self._stale_are_found(),
            self._live_are_found(),
            self._doomed_are_found(),
            *self._echoes_are_dropped(),
            *self._heirs_take_over(),
            *self._doomed_are_deleted(),
            *self._rows_are_put_in(),
            *self._echoes_are_kept(),
        ]

    def _files_are_noted(self) -> str:
        dataset = quote(self.contract.name)
        # What was noted first stays: the order of a file's versions doesn't change.
        return (
            f"insert into {FILES} (dataset, {listed(FILE_VERSION)}, {ORDER}, batch_id) "
            f"select {dataset}, {listed(FILE_VERSION, 'named')}, named.{ORDER}, {quote(self.request.batch_id)} "
            f"from (select {listed(FILE_VERSION)}, max({ORDER}) as {ORDER} from {self.vouchers} "
            f"where {ORDER} is not null group by {listed(FILE_VERSION)}) named "
            f"left join (select {listed(FILE_VERSION)} from {FILES} where dataset = {dataset}) known "
            f"on {same(FILE_VERSION, 'known', 'named')} where known.{FILE_VERSION[0]} is null"
        )

    def _stale_are_found(self) -> str:
        dataset, (file, _) = quote(self.contract.name), FILE_VERSION
        return (
            f"create temp table {self._named('stale')} as select {listed(FILE_VERSION, FILES)} from {FILES} "
            f"join (select {file}, max({ORDER}) as latest from {FILES} where dataset = {dataset} "
            # Only files of this batch can have got a later version, or be one that comes late.
            f"and {file} in (select {file} from {self.vouchers}) group by {file}) files "
            f"on files.{file} = {FILES}.{file} "
            f"where {FILES}.dataset = {dataset} and {FILES}.{ORDER} < files.latest"
        )

    def _live_are_found(self) -> str:
        names, stale = (*self.contract.key, *FILE_VERSION, RECORD), self._named("stale")
        return (
            f"create temp table {self._named('live')} as select {listed(names, 'claimed')} from ("
            f"select {listed(names)} from {self._named('stage')} union all "
            f"select {listed(names)} from {self.vouchers} where {ORDER} is null) claimed "
            f"left join {stale} on {same(FILE_VERSION, stale, 'claimed')} where {stale}.{FILE_VERSION[0]} is null"
        )

    def _doomed_are_found(self) -> str:
        target, key = self.contract.name, self.contract.key
        stale, live = self._named("stale"), self._named("live")
        found = (
            f"create temp table {self.doomed} as select {listed(key, target)} from {target} "
            f"join {stale} on {same(FILE_VERSION, stale, target)}"
        )
        if self.request.generation == 1:
            return found
        # What this batch has brought before and doesn't any more. If it is loaded already, nothing is missing.
        return (
            f"{found} union select {listed(key, target)} from {target} "
            f"left join {live} on {same((*key, *FILE_VERSION), live, target)} "
            f"where {target}.{BATCH} = {quote(self.request.batch_id)} and {live}.{key[0]} is null "
            f"and not {loaded(self.request)}"
        )

    def _echoes_are_dropped(self) -> list[str]:
        echoes, stale, batch = echoes_table(self.contract), self._named("stale"), quote(self.request.batch_id)
        of_stale = f"delete from {echoes} using {stale} where {same(FILE_VERSION, echoes, stale)}"
        # The batch's own come again, as far as there still are any.
        own = f"delete from {echoes} where {BATCH} = {batch} and not {loaded(self.request)}"
        return [of_stale] if self.request.generation == 1 else [of_stale, own]

    def _heirs_take_over(self) -> list[str]:
        """Rows that another batch vouches for stay, with the provenance of one such voucher."""
        target, key, echoes = self.contract.name, self.contract.key, echoes_table(self.contract)
        doomed, heirs, live = self.doomed, self._named("heirs"), self._named("live")
        provenance = (*FILE_VERSION, RECORD, BATCH)
        ranked = (
            f"select {listed((*key, *provenance), echoes)}, row_number() over (partition by "
            f"{listed(key, echoes)} order by {listed((*FILE_VERSION, RECORD), echoes)}) as place "
            f"from {echoes} join {doomed} on {same(key, doomed, echoes)} "
            # What this batch vouches for itself comes in anew below, as this generation has it.
            f"left join {live} on {same(key, live, echoes)} where {live}.{key[0]} is null"
        )
        return [
            f"create temp table {heirs} as select {listed((*key, *provenance))} from ({ranked}) ranked "
            "where place = 1",
            f"update {target} set {', '.join(f'{name} = {heirs}.{name}' for name in provenance)} "
            f"from {heirs} where {same(key, target, heirs)}",
            # A voucher is either the row's provenance or an echo.
            f"delete from {echoes} using {heirs} where {same((*key, *FILE_VERSION), echoes, heirs)}",
            f"delete from {doomed} using {heirs} where {same(key, doomed, heirs)}",
        ]

    def _doomed_are_deleted(self) -> list[str]:
        target, key, doomed, live = self.contract.name, self.contract.key, self.doomed, self._named("live")
        return [
            f"delete from {target} using {doomed} where {same(key, target, doomed)}",
            # These come in anew below: they aren't retracted.
            f"delete from {doomed} using {live} where {same(key, doomed, live)}",
        ]

    def _rows_are_put_in(self) -> list[str]:
        target, key, newest = self.contract.name, self.contract.key, self._named("newest")
        known = same(key, newest, target)
        if self.request.generation > 1:
            # Its own rows are said anew where this generation says something else.
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
        """One row for each key that this batch vouches for, under a live voucher; its own provenance if it can."""
        key, place, names = self.contract.key, (*FILE_VERSION, RECORD), self.contract.names
        stage, vouchers, stale = self._named("stage"), self.vouchers, self._named("stale")
        echoed = ", ".join(f"{vouchers if name in place else stage}.{name}" for name in names)
        is_live = f"{stale}.{FILE_VERSION[0]} is null"
        return (
            f"create temp table {self._named('newest')} as select {listed(names)} from (select {listed(names)}, "
            f"row_number() over (partition by {listed(key)} order by is_echo, {listed(place)}) as place from ("
            f"select {listed(names, stage)}, 0 as is_echo from {stage} "
            f"left join {stale} on {same(FILE_VERSION, stale, stage)} where {is_live} union all "
            f"select {echoed}, 1 as is_echo from {stage} "
            f"join {vouchers} on {same(key, vouchers, stage)} and {vouchers}.{ORDER} is null "
            f"left join {stale} on {same(FILE_VERSION, stale, vouchers)} where {is_live}) claimed) ranked "
            "where place = 1"
        )

    def _echoes_are_kept(self) -> list[str]:
        """Live vouchers whose key is in the table under another file version, which by now every key is."""
        target, echoes, live = self.contract.name, echoes_table(self.contract), self._named("live")
        voucher, newest, besides = (
            (*self.contract.key, *FILE_VERSION),
            self._named("newest"),
            self._named("besides"),
        )
        return [
            # What has just been put in needn't be looked for in the whole table.
            f"create temp table {besides} as select {listed((*voucher, RECORD), live)} from {live} "
            f"left join {newest} on {same(voucher, newest, live)} where {newest}.{voucher[0]} is null",
            f"insert into {echoes} ({listed(voucher)}, {RECORD}, {BATCH}) "
            f"select {listed(voucher, besides)}, min({besides}.{RECORD}), {quote(self.request.batch_id)} "
            f"from {besides} left join {target} on {same(voucher, target, besides)} "
            f"left join {echoes} on {same(voucher, echoes, besides)} where {target}.{voucher[0]} is null "
            f"and {echoes}.{voucher[0]} is null group by {listed(voucher, besides)}",
        ]

    def _named(self, what: str) -> str:
        return f"{self.contract.name}_{what}"


def _null(names: tuple[str, ...], word: str) -> str:
    return f" {word} ".join(f"{name} is null" for name in names)
