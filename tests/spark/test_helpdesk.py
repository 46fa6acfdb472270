"""The help desk's tickets: prose over several lines, times that can't be, and people in all of it."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from datetime import date, datetime
from unittest.mock import patch

import pytest
from pyspark.sql import DataFrame, SparkSession

from chain.kit import real, ticket_file, ticket_record
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.sources.model import Source
from gluebook.sources.support_tickets.helpdesk import SOURCE as HELPDESK
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.transforms.rows import Rows
from gluebook.transforms.verbs import conform, rejects_table
from people_kit import People
from spark.conftest import Frame
from spark.pipelines import FakeRun, run_notebook

FIRST, SOLVED = "2023-06-01 12:15:36", "2023-06-01 11:57:40"


def record(number: str, **more: str) -> dict[str, str]:
    """One ticket; what isn't given is empty. Underscores stand for the blanks in the columns' names."""
    values = {"Ticket ID": number, "Ticket Status": "Open", "Customer Name": "Ada Example"}
    values |= {"Customer Email": "ada@example.com", "Customer Age": "32", "Customer Gender": "Female"}
    return values | {name.replace("_", " "): value for name, value in more.items()}


def file(*records: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HELPDESK.columns, restval="")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def run(spark: SparkSession, frame: Frame, *records: dict[str, str]) -> FakeRun:
    return run_notebook(spark, HELPDESK, frame(HELPDESK, a=file(*records)))


def rows(done: FakeRun) -> dict[str, dict[str, object]]:
    assert done.kept is not None
    found = conform(done.kept.where("_copy = 1"), SUPPORT_TICKETS).collect()
    return {row["ticket_id"]: row.asDict() for row in found}


def quarantine(done: FakeRun) -> DataFrame:
    assert done.rejects is not None
    return rejects_table(done.rejects, "support_tickets")


def texts(*frames: DataFrame) -> list[str]:
    """Every text of every row."""
    return [value for df in frames for row in df.collect() for value in row if isinstance(value, str)]


def test_a_ticket_becomes_the_contracts_words_types_and_lines(spark: SparkSession, frame: Frame) -> None:
    prose = 'It says "no".\n\nAnd then,\r\nnothing.'
    done = run(
        spark,
        frame,
        record(
            "1",
            Ticket_Status="Pending Customer Response",
            Ticket_Priority="Medium",
            Ticket_Description=prose,
            Date_of_Purchase="2021-03-22",
            First_Response_Time=FIRST,
            Customer_Satisfaction_Rating="3.0",
        ),
        record("2", Date_of_Purchase="2021-02-30"),
    )
    (row,) = rows(done).values()
    assert (row["status"], row["priority"], row["description"]) == ("pending", "moderate", prose)
    assert (row["purchased_on"], row["satisfaction_rating"]) == (date(2021, 3, 22), 3)
    assert row["first_response_at"] == row["updated_at"] == datetime(2023, 6, 1, 12, 15, 36)
    assert (row["is_active"], row["opened_at"], row["minutes_to_resolve"]) == (True, None, None)
    assert [reject["reason"] for reject in quarantine(done).collect()] == ["unreadable:purchased_on"]


def test_times_that_cannot_be_are_kept_and_flagged(spark: SparkSession, frame: Frame) -> None:
    answered, solved = {"First_Response_Time": FIRST}, {"Time_to_Resolution": FIRST, "Resolution": "Solved."}
    cases: list[tuple[str, dict[str, str], bool | None, bool | None]] = [
        ("Open", {}, None, None),
        ("Open", answered, None, None),
        ("Closed", {**answered, **solved}, False, False),
        ("Closed", {**answered, **solved, "Time_to_Resolution": SOLVED}, True, False),
        ("Closed", solved, None, True),
        ("Open", {**answered, **solved}, False, True),
        ("Closed", {**answered, **solved, "Resolution": ""}, False, True),
    ]
    done = run(
        spark, frame, *(record(str(n), Ticket_Status=case[0], **case[1]) for n, case in enumerate(cases))
    )
    found = rows(done)
    for n, (status, times, early, orphan) in enumerate(cases):
        row = found[str(n)]
        assert (row["resolved_before_response"], row["orphan_resolution_time"]) == (early, orphan), (
            status,
            times,
        )
        assert (row["resolved_at"] is None) == ("Time_to_Resolution" not in times)


def test_a_ticket_that_has_come_further_is_newer_though_its_times_say_otherwise(
    spark: SparkSession, frame: Frame
) -> None:
    told = {"First_Response_Time": FIRST}
    solved = {**told, "Time_to_Resolution": SOLVED, "Resolution": "Done."}
    steps = [
        record("1"),
        record("1", Ticket_Status="Pending Customer Response", **told),
        record("1", Ticket_Status="Closed", **solved),
    ]
    done = run(spark, frame, *steps)
    assert done.kept is not None
    found = [row.asDict() for row in done.kept.orderBy("_source_record").collect()]
    assert [row["revision"] for row in found] == [0, 1, 2]
    assert [row["status"] for row in found] == ["active", "pending", "closed"]
    assert found[1]["updated_at"] == found[2]["updated_at"], "by the times alone nobody could tell"
    assert found[0]["updated_at"] == datetime(2026, 1, 5), "a ticket without times is as new as its file"


def test_people_disappear_from_what_they_and_others_wrote(spark: SparkSession, frame: Frame) -> None:
    prose = "My name is ADA\nexample, call me Ada. Bob Sample-Jones knows. Write to Ada.X@mail.example.org!"
    bob = {"Customer_Name": "Dr. Bob Sample-Jones", "Customer_Email": "Bob@Example.com"}
    done = run(
        spark,
        frame,
        record(
            "1", Ticket_Description=prose, Resolution="an example for bob, cut.off@mai", Ticket_Subject="Ada?"
        ),
        record("2", Ticket_Description="Ask ada or Ada Example, says Bob.", **bob),
        record("3", **{**bob, "Customer_Email": "bob@example.com"}),
    )
    first, second, third = (rows(done)[number] for number in "123")
    assert first["description"] == (
        "My name is <masked>, call me <masked>. <masked> knows. Write to <masked>!"
    )
    assert (first["subject"], first["resolution"]) == ("<masked>?", "an example for bob, <masked>")
    assert second["description"] == "Ask ada or <masked>, says <masked>."
    assert second["requester"] == third["requester"] != first["requester"]
    assert len(str(first["requester"])) == 32


def test_people_disappear_from_quarantine_however_their_fields_are_quoted(
    spark: SparkSession, frame: Frame
) -> None:
    quoted = {"Customer_Name": 'Ada "The Ace" Example', "Customer_Email": '"ada, x"@example.com'}
    said = 'It was Ada "The Ace" Example, not Bob Sample, aged 32.'
    done = run(
        spark,
        frame,
        record("1", Ticket_Status="Banana", Ticket_Description=said, **quoted),
        record("2", Customer_Name="Bob Sample"),
    )
    (raw,) = (row["raw"] for row in quarantine(done).collect())
    for gone in ("Ada", "Ace", "Example,", "Bob", "Sample", "example.com", "Female", ",32,"):
        assert gone not in raw
    assert "Banana" in raw and "aged 32." in raw


def test_a_batch_of_one_source_has_nothing_of_the_other_in_its_plan(
    spark: SparkSession, frame: Frame
) -> None:
    incident = ticket_file(ticket_record("T", 1, "New", "5/1/2026 10:00"))
    of_one = plan(run_notebook(spark, SERVICENOW, frame(SERVICENOW, a=incident)))
    assert "MapInArrow" in of_one and "Union" not in of_one
    assert "Union" not in plan(run(spark, frame, record("1")))


def plan(done: FakeRun) -> str:
    """What Spark does for the kept rows, what it has computed for them before included."""
    assert done.kept is not None
    return str(done.kept._jdf.queryExecution().optimizedPlan().toString())


# -- the real export -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def export() -> list[dict[str, str]]:
    with gzip.open(real("tickets/customer_support_tickets.csv.gz"), "rt", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def broken(export: list[dict[str, str]]) -> list[dict[str, str]]:
    """The same tickets, each with something that brings it into quarantine."""
    return [{**ticket, "Ticket Status": "Banana"} for ticket in export]


@pytest.fixture(scope="module")
def done(
    spark: SparkSession, frame: Frame, export: list[dict[str, str]], broken: list[dict[str, str]]
) -> FakeRun:
    return run(spark, frame, *export, *broken)


def test_the_real_export_is_kept_whole_and_flagged(done: FakeRun, export: list[dict[str, str]]) -> None:
    found = rows(done)
    assert len(found) == len(export) == 8_469
    by_status = Counter(row["status"] for row in found.values())
    assert by_status == {"pending": 2_881, "active": 2_819, "closed": 2_769}
    early = Counter(row["resolved_before_response"] for row in found.values())
    assert early == {None: 5_700, False: 1_404, True: 1_365}
    orphans = Counter(row["orphan_resolution_time"] for row in found.values())
    assert orphans == {None: 5_700, False: 2_769}
    assert all("{product_purchased}" in str(row["description"]) for row in found.values())
    for ticket in export:
        row, rating = found[ticket["Ticket ID"]], ticket["Customer Satisfaction Rating"]
        assert str(row["description"]).count("\n") == ticket["Ticket Description"].strip().count("\n")
        assert str(row["resolved_at"] or "") == ticket["Time to Resolution"]
        assert row["satisfaction_rating"] == (int(float(rating)) if rating else None)


def test_nobody_of_the_real_export_is_found_in_table_or_quarantine(
    done: FakeRun, export: list[dict[str, str]]
) -> None:
    assert done.kept is not None
    kept, aside = texts(conform(done.kept, SUPPORT_TICKETS)), texts(quarantine(done))
    assert len([text for text in kept if "<masked>" in text]) > 80
    assert len([text for text in aside if "Banana" in text]) == len(export)
    people = People(person for ticket in export for person in persons(ticket))
    assert people.found_in(kept) | people.found_in(aside) == set()


def test_with_masking_off_everybody_of_the_real_export_is_found(
    spark: SparkSession, frame: Frame, export: list[dict[str, str]], broken: list[dict[str, str]]
) -> None:
    def unmasked(rows: Rows, source: Source, key: str, everybody: frozenset[str]) -> Rows:
        return rows.with_columns({"_unmasked": rows["_problem"]})

    with patch("gluebook.transforms.verbs.pseudonymise", unmasked):
        open_to_all = run(spark, frame, *export, *broken)
    assert open_to_all.kept is not None
    people = People(person for ticket in export for person in persons(ticket))
    assert len(people.found_in(texts(quarantine(open_to_all)))) == len(people) == 8_320 + 8_028
    # A table has no column for names; one customer is named in another's ticket.
    assert len(people.found_in(texts(conform(open_to_all.kept, SUPPORT_TICKETS)))) == 8_320 + 1


def persons(ticket: dict[str, str]) -> tuple[str, str]:
    return ticket["Customer Name"], ticket["Customer Email"]
