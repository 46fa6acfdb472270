"""The report's sources in a deployed stack: the only place that knows all adapters."""

from __future__ import annotations

from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.aws.services import Warehouse
from gluebook.core.keys import Lake
from gluebook.operations.rejects import RejectFilter, read_rejects
from gluebook.operations.status import overview
from gluebook.report.gather import Sources
from gluebook.report.warehouse import answers_of, unanswered


def connected(lake_bucket: str, ledger_table: str, workgroup: str, warehouse_database: str) -> Sources:
    """The sources of a stack, by the names in its outputs. Without a workgroup no warehouse is queried."""
    lake, objects, ledger = Lake(lake_bucket), Objects(), Ledger(ledger_table, "report")
    named = bool(workgroup and warehouse_database)
    nothing = unanswered("the parameters name no workgroup and database")
    return Sources(
        lake=lake,
        objects=objects,
        overview=lambda: overview(ledger, objects, lake),
        rejects=lambda dataset, batch_id: read_rejects(
            RejectFilter(dataset=dataset, batch_id=batch_id), objects, lake
        ),
        answers=lambda: answers_of(Warehouse(workgroup, warehouse_database)) if named else nothing,
    )
