"""ServiceNow's incident event log: one CSV record per revision of an incident."""

from __future__ import annotations

from gluebook.sources.framing import Layout
from gluebook.sources.model import Source, identity

_RENAMES = {
    "number": "ticket_id",
    "incident_state": "status",
    "active": "is_active",
    "reassignment_count": "reassignment_count",
    "reopen_count": "reopen_count",
    "sys_mod_count": "revision",
    "made_sla": "made_sla",
    "caller_id": "requester",
    "opened_by": "opened_by",
    "opened_at": "opened_at",
    "sys_created_at": "created_at",
    "sys_updated_at": "updated_at",
    "contact_type": "channel",
    "location": "location",
    "category": "category",
    "subcategory": "subcategory",
    "u_symptom": "symptom",
    "cmdb_ci": "configuration_item",
    "impact": "impact",
    "urgency": "urgency",
    "priority": "priority",
    "assignment_group": "assignment_group",
    "assigned_to": "assigned_to",
    "knowledge": "used_knowledge",
    "u_priority_confirmation": "priority_confirmed",
    "notify": "notify",
    "problem_id": "problem_id",
    "rfc": "change_request",
    "vendor": "vendor",
    "caused_by": "caused_by",
    "closed_code": "close_code",
    "resolved_by": "resolved_by",
    "resolved_at": "resolved_at",
    "closed_at": "closed_at",
}

# Who touched the record; not needed, so not kept.
_LEFT_OUT = ("sys_created_by", "sys_updated_by")

_STATUS = {
    "new": "new",
    "active": "active",
    "awaiting user info": "pending",
    "awaiting problem": "pending",
    "awaiting vendor": "pending",
    "awaiting evidence": "pending",
    # ServiceNow's code for a state without a label; such incidents wait for somebody.
    "-100": "pending",
    "resolved": "resolved",
    "closed": "closed",
}
_PRIORITY = {"1 - critical": "critical", "2 - high": "high", "3 - moderate": "moderate", "4 - low": "low"}
_GRADE = {"1 - high": "high", "2 - medium": "medium", "3 - low": "low"}

SOURCE = Source(
    *identity(__name__),
    layout=Layout(framing="csv", required=("number", "incident_state", "sys_mod_count", "sys_updated_at")),
    renames=_RENAMES,
    null_markers=("?",),
    # Day first, padded or not.
    time_patterns=("d/M/yyyy H:mm[:ss]", "d-M-yyyy H:mm[:ss]"),
    left_out=_LEFT_OUT,
    choices={"status": _STATUS, "priority": _PRIORITY, "impact": _GRADE, "urgency": _GRADE},
)
