"""A source that can't work is refused when it is built, with the field and what would be right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gluebook.errors import ConfigurationError
from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.sources.framing import Layout
from gluebook.sources.model import Source
from gluebook.sources.support_tickets.helpdesk import SOURCE as HELPDESK
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.sources.times import problem_of_pattern

STATUS, PRIORITY = SERVICENOW.choices["status"], SERVICENOW.choices["priority"]
RENAMES, REQUIRED = SERVICENOW.renames, SERVICENOW.layout.required
NOBODY = {old: new for old, new in HELPDESK.renames.items() if old != "Customer Email"}


def csv(*required: str) -> Layout:
    return Layout(framing="csv", required=required)


@pytest.mark.parametrize(
    ("source", "changes", "fault"),
    [
        (SERVICENOW, {"renames": {}}, "renames is empty: name the contract column"),
        (
            SERVICENOW,
            {"renames": {**RENAMES, "u_mood": "mood"}},
            "renames gives mood, a column that support_tickets lacks; it has source, ticket_id, ",
        ),
        (SERVICENOW, {"derive": {"mood": "1"}}, "derive gives mood, a column that support_tickets lacks"),
        (
            SERVICENOW,
            {"renames": {**RENAMES, "u_number": "ticket_id"}, "layout": csv(*REQUIRED, "u_number")},
            "ticket_id is given more than once by renames and derive; one of them may give it",
        ),
        (SERVICENOW, {"derive": {"status": "'new'"}}, "status is given more than once by renames and derive"),
        (
            SERVICENOW,
            {"renames": {**RENAMES, "file": "_source_file"}, "layout": csv(*REQUIRED, "file")},
            "renames gives _source_file, which the job fills itself; take it out",
        ),
        (
            SERVICENOW,
            {"choices": {"status": STATUS}},
            "choices lacks priority: say which text means which of critical, high, moderate, low",
        ),
        (SERVICENOW, {"choices": {**SERVICENOW.choices, "impact": {}}}, "choices lacks impact: say which"),
        (
            SERVICENOW,
            {"choices": {**SERVICENOW.choices, "category": {"network": "network"}}},
            "choices has category, which no column becomes that the contract enumerates; take it out",
        ),
        (
            MONGOD,
            {"choices": {**MONGOD.choices, "status": {"new": "new"}}},
            "choices has status, which no column becomes",
        ),
        (
            SERVICENOW,
            {"choices": {**SERVICENOW.choices, "status": {**STATUS, "On Hold ": "pending"}}},
            "choices of status: 'On Hold ' never matches; texts are in lower case and trimmed: 'on hold'",
        ),
        (
            SERVICENOW,
            {"choices": {**SERVICENOW.choices, "priority": {**PRIORITY, "5": "planning"}}},
            "choices of priority: '5' means 'planning', which is none of critical, high, moderate, low",
        ),
        (HELPDESK, {"prose": ("Nothing",)}, "prose has 'Nothing', which is no key of renames"),
        (
            HELPDESK,
            {"prose": ("Ticket Status",)},
            "prose has 'Ticket Status', which becomes status: that is no free text",
        ),
        (
            HELPDESK,
            {"renames": NOBODY, "left_out": ()},
            "prose without a person: whom it may name is known from a column that becomes one of requester, ",
        ),
        (MONGOD, {"prose": ("msg",)}, "becomes one of no column of the contract, or is in left_out"),
        (
            HELPDESK,
            {"private": ("Customer Age", "Customer Name")},
            "column 'Customer Name' stands in more than one of renames, left_out and private; it can be in one",
        ),
        (SERVICENOW, {"left_out": (" sys_created_by",)}, "column ' sys_created_by' can't be one: its name"),
        (SERVICENOW, {"left_out": ("",)}, "column '' can't be one"),
        (SERVICENOW, {"left_out": ("a`b",)}, "column 'a`b' can't be one"),
        (SERVICENOW, {"left_out": ("_raw",)}, "column '_raw' is one of the job's own; let `parse` call it"),
        (SERVICENOW, {"left_out": ("dt",)}, "column 'dt' is one of the job's own"),
        (
            SERVICENOW,
            {"layout": csv(*REQUIRED, "sys_id")},
            "layout.required has 'sys_id', a column that the source lacks; it has number, incident_state, ",
        ),
        (
            SERVICENOW,
            {"layout": csv(*REQUIRED[:-1])},
            "layout.required lacks 'sys_updated_at': without updated_at every record is a reject",
        ),
        (
            MONGOD,
            {"layout": replace(MONGOD.layout, required=("t",))},
            "layout.required is for csv, whose files have a header; take it out",
        ),
        (SERVICENOW, {"null_markers": ("?", "")}, "null_markers has '': values are trimmed first"),
        (SERVICENOW, {"null_markers": ("n/a ",)}, "null_markers has 'n/a '"),
        (
            SERVICENOW,
            {"time_patterns": ("EEE d/M/yyyy",)},
            "time_patterns has 'EEE d/M/yyyy': EEE can't be read; what can is yyyy, M to MMMM, ",
        ),
    ],
)
def test_a_source_that_cannot_work_is_refused_with_what_would_be_right(
    source: Source, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        replace(source, **changes)
    assert str(refused.value).startswith(f"source {source.contract.name}/{source.name}: ")
    assert fault in str(refused.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        replace(SERVICENOW, null_markers=("",), time_patterns=("H:mm",), choices={})
    assert [fault in str(refused.value) for fault in ("null_markers", "time_patterns", "choices")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "d/M/yyyy H:mm[:ss]",
            "dd-MM-yyyy",
            "yyyy.DDD",
            "d MMM yyyy 'at' h:mm a",
            "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        ),
        *(
            "dd/MMM/yyyy:HH:mm:ss XX",
            "yyyyMMdd'T'HHmmss[X]",
            "LL/dd/yyyy KK:mm a",
            "d/M/yyyy ''H",
            "d/M/yyyy k:m:s Z",
        ),
    ],
)
def test_a_pattern_that_names_a_day_is_taken(pattern: str) -> None:
    assert problem_of_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        # Spark refuses these when it reads the first value.
        *(
            (f"d/M/yyyy {letters}", f"{letters} can't be read")
            for letters in ("E", "e", "c", "F", "Q", "q", "w")
        ),
        *(
            (f"d/M/yyyy {letters}", f"{letters} can't be read")
            for letters in ("Y", "u", "A", "n", "N", "B", "p")
        ),
        ("d/MMMMM/yyyy", "MMMMM can't be read"),
        ("ddd/M/yyyy", "ddd can't be read"),
        ("d/M/yyyy HHH:mm", "HHH can't be read"),
        ("d/M/yyyy H:mm:ss.SSSSSSSSSS", "SSSSSSSSSS can't be read"),
        ("d/M/yyyy]", "a ] has no [ before it"),
        ("d/M/yyyy [H:mm", "a [ has no ] behind it"),
        ("d/M/yyyy {H}", "{ stands for nothing"),
        ("d/M/yyyy #", "# stands for nothing"),
        ("d/M/yyyy '", "' stands for nothing"),
        # These it takes, and they don't say which moment is meant.
        ("d/M/yy", "yy can't be read"),
        ("d/M/yyyy z", "z can't be read"),
        ("d/M/yyyy VV", "VV can't be read"),
        ("d/M/yyyy O", "O can't be read"),
        ("d/M/yyyy G", "G can't be read"),
        ("H:mm", "it must have year, month and day outside of [ ]"),
        ("d/M[/yyyy]", "it must have year, month and day outside of [ ]"),
        ("M/yyyy", "it must have year, month and day outside of [ ]"),
        ("'yyyy' d/M", "it must have year, month and day outside of [ ]"),
        ("", "it must have year, month and day outside of [ ]"),
        ("d/M/yyyy h:mm", "h and K need an a for AM and PM"),
    ],
)
def test_a_pattern_that_spark_refuses_or_that_names_no_certain_moment_is_not(
    pattern: str, problem: str
) -> None:
    assert (problem_of_pattern(pattern) or "").startswith(problem)
