"""A help desk's export: one CSV record per ticket as it stands, its texts as people wrote them."""

from __future__ import annotations

from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.sources.framing import Layout
from gluebook.sources.model import Source

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

HELPDESK = Source(
    name="helpdesk",
    contract=SUPPORT_TICKETS,
    layout=Layout(
        framing="csv",
        columns=(*_RENAMES, *_LEFT_OUT, *_PRIVATE),
        required=("Ticket ID", "Ticket Status"),
    ),
    renames=_RENAMES,
    left_out=_LEFT_OUT,
    private=_PRIVATE,
    prose=("Ticket Subject", "Ticket Description", "Resolution"),
    choices={"status": _STATUS, "priority": _PRIORITY},
)
