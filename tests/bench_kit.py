"""A few lines in the shape of the real ones, for tests of the benchmark's inputs and contenders."""

from __future__ import annotations

from pathlib import Path

from bench.inputs import INPUTS

_LOGS = [
    b'{"t":{"$date":"2023-09-23T16:24:35.756-04:00"},"s":"I",  "c":"CONTROL",  "id":23285,   "ctx":"-","msg":"Up"}',
    b'{"t":{"$date":"2023-09-23T16:24:36.001-04:00"},"s":"I",  "c":"COMMAND",  "id":51803,   "ctx":"conn48",'
    b'"msg":"Slow query","attr":{"type":"command","by":"ada@example.com","durationMillis":151}}',
    b'{"t":{"$date":"2023-09-23T16:24:37.100-04:00"},"s":"W",  "c":"STORAGE",  "id":22120,   "ctx":"initandlisten",'
    b'"msg":"Access control is not enabled","attr":{"tags":["startupWarnings"]}}',
]
_TICKETS = [
    b"number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_by,opened_at,"
    b"sys_created_by,sys_created_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,"
    b"cmdb_ci,impact,urgency,priority,assignment_group,assigned_to,knowledge,u_priority_confirmation,notify,problem_id,"
    b"rfc,vendor,caused_by,closed_code,resolved_by,resolved_at,closed_at",
    b"INC0000045,New,true,0,0,0,true,Caller 2403,Opened by  8,29/2/2016 01:16,Created by 6,29/2/2016 01:23,"
    b"Updated by 21,29/2/2016 01:23,Phone,Location 143,Category 55,Subcategory 170,Symptom 72,?,2 - Medium,"
    b"2 - Medium,3 - Moderate,Group 56,?,true,false,Do Not Notify,?,?,?,?,code 5,Resolved by 149,29/2/2016 11:29,"
    b"5/3/2016 12:00",
    b"INC0000045,Closed,false,1,0,3,true,Caller 2403,?,29/2/2016 01:16,?,?,Updated by 9,5/3/2016 12:00,Phone,"
    b"Location 143,Category 55,?,?,?,2 - Medium,1 - High,?,?,?,false,true,Do Not Notify,?,?,?,?,code 5,?,"
    b"29/2/2016 01:10,5/3/2016 12:00",
]


def write_input(name: str, records: int, folder: Path) -> tuple[Path, ...]:
    """The input `name`, made of these lines instead of the real ones."""
    folder.mkdir()
    lines = _LOGS if INPUTS[name].dataset == "app_logs" else _TICKETS
    INPUTS[name].write(lines, records, folder)
    return tuple(sorted(folder.iterdir()))
