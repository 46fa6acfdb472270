"""The report's sources in a deployed stack: the adapters, put together. The only place that knows them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.aws.services import Warehouse
from gluebook.core.keys import Lake
from gluebook.report.ask import ask, not_asked
from gluebook.report.gather import Sources
from gluebook.status import overview

_COLUMNS = ["reason", "_source_file", "_source_record", "raw"]
_AT_ONCE = 2000


def connected(lake_bucket: str, ledger_table: str, workgroup: str, warehouse_database: str) -> Sources:
    """The sources of a stack, by the names that its outputs tell. Without a workgroup no warehouse is asked."""
    lake, objects, ledger = Lake(lake_bucket), Objects(), Ledger(ledger_table, "report")
    named = bool(workgroup and warehouse_database)
    nobody = not_asked("no workgroup and database are named in the parameters")
    return Sources(
        lake=lake,
        objects=objects,
        overview=lambda: overview(ledger, objects, lake),
        rejects=lambda dataset, batch_id: rejects_in(lake, dataset, batch_id),
        asked=lambda: ask(Warehouse(workgroup, warehouse_database)) if named else nobody,
    )


def rejects_in(lake: Lake, dataset: str, batch_id: str) -> Iterable[Mapping[str, Any]]:
    """A batch's rejects, one after the other: reason, _source_file, _source_record, raw. Raises ClientError."""
    import awswrangler as wr  # slow to import

    def rows() -> Iterator[Mapping[str, Any]]:
        prefix = lake.uri(lake.quarantine(dataset, batch_id))
        for path in sorted(wr.s3.list_objects(f"{prefix}*", suffix=".parquet")):
            for frame in wr.s3.read_parquet(path, columns=_COLUMNS, chunked=_AT_ONCE):
                yield from frame.to_dict("records")

    return rows()
