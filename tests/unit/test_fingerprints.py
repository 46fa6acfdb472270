"""What makes two records one revision: all that the source says, and nothing of how it is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.kit import ticket_file, ticket_record
from gluebook.sources.model import Source
from gluebook.sources.support_tickets.helpdesk import SOURCE as HELPDESK
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.transforms.fingerprints import digest
from gluebook.transforms.verbs import (
    blank_to_null,
    fingerprint,
    normalise_types,
    pseudonymise,
    rename_columns,
)
from rows_kit import rows_of_fields, rows_of_file

Fields = Mapping[str, str]
BASE = {
    "number": "INC1",
    "incident_state": "Awaiting Vendor",
    "active": "true",
    "reassignment_count": "0",
    "reopen_count": "0",
    "sys_mod_count": "3",
    "made_sla": "true",
    "caller_id": "ada@example.com",
    "opened_by": "Ben Sample",
    "opened_at": "29/2/2016 01:16",
    "sys_created_at": "29/2/2016 01:16",
    "sys_updated_at": "29/2/2016 01:16",
    "impact": "1 - High",
    "urgency": "1 - High",
    "priority": "1 - Critical",
    "knowledge": "true",
    "u_priority_confirmation": "false",
    "resolved_at": "29/2/2016 01:16",
    "closed_at": "29/2/2016 01:16",
    **dict.fromkeys(("sys_created_by", "sys_updated_by", "contact_type", "location", "category"), "Zoë"),
    **dict.fromkeys(("subcategory", "u_symptom", "cmdb_ci", "assignment_group", "assigned_to"), "one"),
    **dict.fromkeys(
        ("notify", "problem_id", "rfc", "vendor", "caused_by", "closed_code", "resolved_by"), "one"
    ),
}


def fingerprints(source: Source, records: list[Fields], key: str = "a key") -> list[str]:
    """The fingerprint of each record, in order."""
    rows = blank_to_null(rows_of_fields(source, records), source)
    rows = normalise_types(rename_columns(pseudonymise(rows, source, key, frozenset()), source), source)
    assert rows["_problem"].null_count == len(records)
    found: list[str] = fingerprint(rows, source)["_row_hash"].to_pylist()
    return found


def test_the_same_revision_written_otherwise_has_the_same_fingerprint() -> None:
    """Each of these was another revision, and in the warehouse one of the two won by chance."""
    spellings = {
        "active": ["TRUE", "True"],
        "sys_mod_count": ["3.0"],
        "sys_updated_at": ["29-02-2016 01:16", "29/02/2016 1:16:00", "2016-02-29T03:16+02:00"],
        "priority": ["1 - CRITICAL"],
        "caller_id": ["Ada@Example.com"],
        "location": ["\tZoë\u00a0"],
        "sys_updated_by": ["Zoë\ufeff"],
    }
    others = [{**BASE, name: text} for name, texts in spellings.items() for text in texts]
    assert len(set(fingerprints(SERVICENOW, [BASE, *others]))) == 1


def test_a_revision_that_differs_in_any_column_has_another_fingerprint() -> None:
    assert set(BASE) == set(SERVICENOW.columns)
    others = {
        "incident_state": "New",
        "priority": "4 - Low",
        **dict.fromkeys(("impact", "urgency"), "3 - Low"),
        **{name: "29/2/2016 01:17" for name in BASE if name.endswith("_at")},
        **{name: "4" for name in BASE if name.endswith("_count")},
        **dict.fromkeys(("active", "made_sla", "knowledge"), "false"),
        "u_priority_confirmation": "true",
    }
    records = [{**BASE, name: others.get(name, "another")} for name in BASE]
    records += [{**BASE, name: "?"} for name in BASE if name not in SERVICENOW.layout.required]
    # A value that changes places, or moves by the least that the contract keeps.
    records += [{**BASE, "category": "one", "subcategory": "Zoë"}]
    records += [{**BASE, "sys_updated_at": "2016-02-29T01:16:00.000001Z"}]
    found = fingerprints(SERVICENOW, [BASE, *records])
    assert len(set(found)) == len(found)


def test_neither_the_key_nor_the_other_records_of_the_batch_have_a_say_in_it() -> None:
    """Ben's name in a description is masked only if Ben is in the batch."""
    one = {"Ticket ID": "1", "Ticket Status": "Open", "Customer Name": "Ada Example", "Customer Age": "32"}
    one |= {"Customer Email": "ada@example.com", "Ticket Description": "I am Ada, ask Ben Sample"}
    ben = {"Ticket ID": "2", "Ticket Status": "Open", "Customer Name": "Ben Sample"}
    [alone] = fingerprints(HELPDESK, [one])
    assert fingerprints(HELPDESK, [one, ben])[0] == alone
    assert fingerprints(HELPDESK, [one], key="another") == [alone]
    for name in HELPDESK.private + HELPDESK.left_out:
        assert fingerprints(HELPDESK, [{**one, name: "40"}]) != [alone]


def test_the_format_is_as_the_decision_record_says() -> None:
    """Computed here by Python alone: what is in the tables is compared with it for as long as they last."""
    typed = {
        **dict.fromkeys(("opened_at", "created_at", "updated_at"), "2016-02-29 01:16:00"),
        **dict.fromkeys(("resolved_at", "closed_at"), "2016-02-29 01:16:00"),
        **dict.fromkeys(("is_active", "made_sla", "used_knowledge"), "true"),
        **{"priority_confirmed": "false", "revision": "3", "reassignment_count": "0", "reopen_count": "0"},
        **{"status": "pending", "priority": "critical", "impact": "high", "urgency": "high"},
    }
    names = {old for old, new in SERVICENOW.renames.items() if new in typed}
    texts = {name: BASE[name] for name in BASE if name not in names}
    whole = {**dict(sorted(typed.items())), "_unmasked": sha256(dict(sorted(texts.items())))}
    assert fingerprints(SERVICENOW, [BASE]) == [f"v2:{sha256(whole)[:61]}"]


def sha256(values: Mapping[str, str]) -> str:
    """As Spark has always written them: codes of control characters have digits in upper case."""
    written = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    written = re.sub(r"\\\\|\\u00..", lambda code: code[0][:2] + code[0][2:].upper(), written)
    return hashlib.sha256(written.encode()).hexdigest()


def test_a_ticket_is_one_whatever_blanks_stand_around_its_number() -> None:
    """A tab behind the number made it another ticket."""
    numbers = ["T1", "T1\t", "\u00a0T1", '"T1\n"', '"\r\nT1"', "\ufeffT1", "\u200bT1", "\u3000T1\u2009"]
    body = ticket_file(*(ticket_record(number, 1, "New", "5/1/2026 10:00") for number in numbers))
    rows = blank_to_null(rows_of_file(SERVICENOW, body), SERVICENOW)
    assert rename_columns(rows, SERVICENOW)["ticket_id"].to_pylist() == ["T1"] * len(numbers)


WRITTEN = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


@given(st.lists(st.tuples(WRITTEN, WRITTEN), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_digest_is_that_of_a_json_object_without_what_is_null(
    records: list[tuple[str | None, str | None]],
) -> None:
    first, second = (pa.array(texts, pa.string()) for texts in zip(*records, strict=True))
    wanted = [
        sha256({name: text for name, text in zip(("a", 'ü"'), record, strict=True) if text is not None})
        for record in records
    ]
    assert digest({"a": first, 'ü"': second}).to_pylist() == wanted
