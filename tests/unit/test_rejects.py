"""Rejects are counted, the first ones shown, whichever of them are asked for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from fakes import FakeObjects
from gluebook.cli.rejects import _screen
from gluebook.contracts import CONTRACTS, QUARANTINE
from gluebook.core.keys import Lake
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError
from gluebook.operations.rejects import Reject, RejectFilter, Rejects, Tally, find_rejects, summarise
from template_kit import TEMPLATE

LAKE = Lake("lake")


def reject(number: int = 1, **changes: Any) -> Reject:
    values = {
        "key": "app_logs/mongod/dt=2026-01-05/a.jsonl",
        "version_id": "v1",
        "record": number,
        "dataset": "app_logs",
        "source": "mongod",
        "reason": "malformed_record",
        "batch_id": "app_logs-1",
        "raw": f"line {number}",
    }
    return Reject(**{**values, **changes})


TICKET = reject(
    7,
    key="support_tickets/servicenow/dt=2026-01-07/t.csv",
    dataset="support_tickets",
    source="servicenow",
    reason="unknown:status",
    batch_id="support_tickets-1",
)
LATER = reject(3, key="app_logs/containers/dt=2026-01-06/b.csv", source="containers", batch_id="app_logs-12")


@pytest.fixture
def objects(tmp_path: Path) -> FakeObjects:
    """A quarantine of three batches, the first in two files."""
    there = FakeObjects()
    batches = {
        "quarantine/app_logs/app_logs-1-00000.parquet": [reject(2), reject(1)],
        "quarantine/app_logs/app_logs-1-00001.parquet": [reject(3, raw="")],
        "quarantine/app_logs/app_logs-12-00000.parquet": [LATER],
        "quarantine/support_tickets/support_tickets-1-00000.parquet": [TICKET],
    }
    for key, found in batches.items():
        rows = [
            {
                "dataset": r.dataset,
                "source": r.source,
                "reason": r.reason,
                "_source_file": r.key,
                "_source_version": r.version_id,
                "_source_record": r.record,
                "_batch_id": r.batch_id,
                "raw": r.raw or None,
            }
            for r in found
        ]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
        there.upload(tmp_path / "p.parquet", "lake", key)
    return there


def test_all_are_counted_and_the_first_shown_by_file_and_record(objects: FakeObjects) -> None:
    found = find_rejects(RejectFilter(), objects, LAKE, 3)
    assert found.tallies == (
        Tally("app_logs", "containers", "malformed_record", 1, 1),
        Tally("app_logs", "mongod", "malformed_record", 3, 1),
        Tally("support_tickets", "servicenow", "unknown:status", 1, 1),
    )
    assert found.records == 5
    assert found.first == (LATER, reject(1), reject(2))


@pytest.mark.parametrize(
    ("wanted", "records"),
    [
        (RejectFilter(dataset="app_logs"), [3, 1, 2, 3]),
        (RejectFilter(source="servicenow"), [7]),
        (RejectFilter(reason="unknown:status"), [7]),
        (RejectFilter(reason="unknown"), []),
        (RejectFilter(key=TICKET.key), [7]),
        (RejectFilter(batch_id="app_logs-1"), [1, 2, 3]),
        (RejectFilter(since="2026-01-06"), [3, 7]),
        (RejectFilter(until="2026-01-05"), [1, 2, 3]),
        (RejectFilter(since="2026-01-06", until="2026-01-06"), [3]),
        (RejectFilter(dataset="app_logs", source="mongod", until="2026-01-04"), []),
    ],
)
def test_only_those_that_are_asked_for_are_found(
    objects: FakeObjects, wanted: RejectFilter, records: list[int]
) -> None:
    found = find_rejects(wanted, objects, LAKE, 99)
    assert [one.record for one in found.first] == records
    assert found.records == len(records)


def test_the_order_in_which_they_are_found_does_not_matter() -> None:
    many = [reject(number) for number in range(50)]
    random.Random(1).shuffle(many)
    assert summarise(many, 4).first == tuple(reject(number) for number in range(4))
    assert summarise(many, 0) == Rejects((Tally("app_logs", "mongod", "malformed_record", 50, 1),), ())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dataset": "invoices"}, "no dataset 'invoices'; there are"),
        ({"source": "nginx"}, "no source 'nginx'; there are .*, servicenow"),
        ({"dataset": "app_logs", "source": "helpdesk"}, "no source 'helpdesk'; there are containers, mongod"),
        ({"since": "2026-01-06", "until": "2026-01-05"}, "is after"),
    ],
)
def test_what_there_isnt_is_refused_with_what_there_is(asked: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RejectFilter(**asked)


def test_less_than_nothing_is_refused(objects: FakeObjects) -> None:
    with pytest.raises(ConfigurationError, match="--limit -1"):
        find_rejects(RejectFilter(), objects, LAKE, -1)


def shown(found: Rejects) -> str:
    console = Console(width=140, record=True)
    console.print(_screen(found))
    return console.export_text()


def test_the_screen_tells_counts_records_and_the_way_on() -> None:
    text = shown(summarise([reject(1, raw="[bold]x[/]\x1b[2J" + "y" * 300), TICKET, LATER], 2))
    assert "[bold]x[/]" in text and "[2Jyyy" in text and "\x1b" not in text and "y…" in text
    assert "unknown:status" in text and "and 1 more: --limit 3" in text
    assert "gluebook replay" in text


def test_the_catalogs_table_has_the_quarantines_columns_and_lies_over_all_of_it() -> None:
    table = parse_template(TEMPLATE)["Resources"]["Rejects"]["Properties"]["TableInput"]
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert columns == {column.name: column.spark_type for column in QUARANTINE}
    assert table["StorageDescriptor"]["Location"] == {"Fn::Sub": "s3://${LakeBucket}/quarantine/"}
    assert all(LAKE.quarantined(dataset).startswith("quarantine/") for dataset in CONTRACTS)


def test_an_empty_quarantine_says_so_and_where_else_to_look() -> None:
    assert "gluebook status --failed" in shown(Rejects((), ()))
