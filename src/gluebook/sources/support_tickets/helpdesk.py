"""A help desk's export: one CSV record per ticket as it stands, its texts as people wrote them."""

from __future__ import annotations

from gluebook.sources.framing import Layout
from gluebook.sources.model import Source, identity

_RENAMES = {
    "Ticket ID": "ticket_id",
    "Ticket Status": "status",
    "Ticket Priority": "priority",
    "Ticket Channel": "channel",
    "Ticket Type": "category",
    "Ticket Subject": "subject",
    "Ticket Description": "description",
    "Resolution": "resolution",
    "Product Purchased": "product",
    "Date of Purchase": "purchased_on",
    # The address is the person: names are shared, and change.
    "Customer Email": "requester",
    "First Response Time": "first_response_at",
    # Whatever its name says, it holds a moment.
    "Time to Resolution": "resolved_at",
    "Customer Satisfaction Rating": "satisfaction_rating",
}

_LEFT_OUT = ("Customer Name",)
_PRIVATE = ("Customer Age", "Customer Gender")

_STATUS = {
    # Says that it isn't done, and not whether somebody has taken it up; `new` would claim that nobody has.
    "open": "active",
    "pending customer response": "pending",
    "closed": "closed",
}
_PRIORITY = {"critical": "critical", "high": "high", "medium": "moderate", "low": "low"}

SOURCE = Source(
    *identity(__name__),
    layout=Layout(framing="csv", required=("Ticket ID", "Ticket Status")),
    renames=_RENAMES,
    left_out=_LEFT_OUT,
    private=_PRIVATE,
    prose=("Ticket Subject", "Ticket Description", "Resolution"),
    choices={"status": _STATUS, "priority": _PRIORITY},
    # The export says how a ticket stands, and neither which revision that is nor when it was written.
    derive={
        "revision": "cast(first_response_at is not null as int) + cast(resolved_at is not null as int)",
        "updated_at": "coalesce(greatest(first_response_at, resolved_at), cast(dt as timestamp))",
        "is_active": "status not in ('resolved', 'closed')",
        "resolved_before_response": "resolved_at < first_response_at",
        "orphan_resolution_time": """
            case when resolved_at is not null
                 then first_response_at is null or resolution is null or status not in ('resolved', 'closed')
            end""",
    },
)
