"""The report's sources in a deployed stack: the adapters, put together. The only place that knows them all."""

from __future__ import annotations

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.aws.services import Warehouse
from gluebook.core.keys import Lake
from gluebook.operations.rejects import RejectFilter, read_rejects
from gluebook.operations.status import overview
from gluebook.report.ask import ask, not_asked
from gluebook.report.gather import Sources


def connected(lake_bucket: str, ledger_table: str, workgroup: str, warehouse_database: str) -> Sources:
    """The sources of a stack, by the names that its outputs tell. Without a workgroup no warehouse is asked."""
    lake, objects, ledger = Lake(lake_bucket), Objects(), Ledger(ledger_table, "report")
    named = bool(workgroup and warehouse_database)
    nobody = not_asked("no workgroup and database are named in the parameters")
    return Sources(
        lake=lake,
        objects=objects,
        overview=lambda: overview(ledger, objects, lake),
        rejects=lambda dataset, batch_id: read_rejects(
            RejectFilter(dataset=dataset, batch_id=batch_id), objects, lake
        ),
        asked=lambda: ask(Warehouse(workgroup, warehouse_database)) if named else nobody,
    )
