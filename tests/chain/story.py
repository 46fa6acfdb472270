"""The story that the chain lives through: three deliveries, on real bytes."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from chain.kit import TEN_MEGABYTES, Chain, log_line, sample_file, ticket_file, ticket_record, truncated
from gluebook.contracts import CONTRACTS

TICKETS = "support_tickets/servicenow/dt=2026-01-05/"
LOGS = "app_logs/mongod/dt=2026-01-05/"
TABLES = ("support_tickets", "app_logs")

GOOD_TICKETS = ticket_file(
    ticket_record("T1", 2, "Active", "5/1/2026 10:00", caller_id="Ada Example", priority="2 - High"),
    ticket_record("T2", 4, "Resolved", "5/1/2026 11:00", caller_id="Ada Example"),
)
GOOD_LOGS = log_line(1) + log_line(2, "mail to ada@example.com failed") + log_line(3)
BAD = {
    f"{TICKETS}truncated.csv.gz": truncated(GOOD_TICKETS * 50),
    f"{TICKETS}empty.csv": b"",
    f"{TICKETS}header-only.csv": ticket_file(),
    f"{TICKETS}another-layout.csv": b"Ticket ID,Customer Name\n1,Ada Example\n",
    f"{TICKETS}latin-1.csv": GOOD_TICKETS.replace(b"Ada", b"Ad\xe4"),
    f"{TICKETS}not-gzip.csv.gz": b"\x1f\x8bthis is no gzip",
    f"{LOGS}truncated.jsonl.gz": truncated(GOOD_LOGS * 50),
    f"{LOGS}empty.jsonl": b"",
    f"{LOGS}blank.jsonl": b"\n\n  \n",
    f"{LOGS}utf-16.jsonl": GOOD_LOGS.decode().encode("utf-16"),
}
OUTSIDE = [
    "app_logs/mongod/lost.jsonl",
    "weblogs/nginx/dt=2026-01-05/a.log",
    "app_logs/nginx/dt=2026-01-05/a.log",
    "app_logs/mongod/dt%3D2026-01-05/a.jsonl",
    "app_logs/mongod/dt=9999-12-31/a.jsonl",
]
# As long as S3 takes them: with the bucket's name it is longer than a sort key of DynamoDB.
CORRECTED = f"{LOGS}corrected-{'x' * (1024 - len(LOGS) - len('corrected-.jsonl'))}.jsonl"
STRANGE = f"{LOGS}a name + ünïcode %41\n\x1b[31m.jsonl"
NO_ARRIVALS = [LOGS, f"{LOGS}_SUCCESS", f"{LOGS}.part-0.jsonl.crc", f"{LOGS}_temporary/0/part-0.jsonl"]


@dataclass
class Story:
    """What was there after the first delivery, and which keys were sent."""

    tables: dict[str, list[tuple[object, ...]]]
    curated: list[str]


def tell(chain: Chain) -> Story:
    """Send all deliveries and wait each time until the chain has nothing to do."""
    chain.send(f"{TICKETS}good.csv.gz", gzip.compress(GOOD_TICKETS))
    chain.send(f"{LOGS}good.jsonl", GOOD_LOGS)
    chain.send(f"{LOGS}long-line.jsonl", log_line(10) + b"x" * TEN_MEGABYTES + b"\n" + log_line(11))
    chain.send(STRANGE, log_line(20))
    # Record 3 is in good.jsonl, too: when this file is corrected, that one still contains it.
    chain.send(CORRECTED, log_line(3) + log_line(30) + log_line(31))
    for file in (sample_file("support_tickets"), sample_file("app_logs")):
        chain.send_sample(file)
    for key, body in BAD.items():
        chain.send(key, body)
    for key in OUTSIDE:
        chain.send(key, b"{}")
    for key in NO_ARRIVALS:
        chain.send(key, b"")
    chain.settle()
    first = Story({table: all_rows(chain, table) for table in TABLES}, chain.lake_keys("curated/"))

    chain.send(f"{TICKETS}good.csv.gz", gzip.compress(GOOD_TICKETS))
    chain.send(f"{LOGS}good.jsonl", GOOD_LOGS)
    chain.settle()
    again = {table: all_rows(chain, table) for table in TABLES}
    assert again == first.tables, "the same file a second time changed rows"

    chain.send(CORRECTED, log_line(31) + log_line(32))

    chain.send(
        f"{TICKETS}later.csv",
        ticket_file(
            ticket_record("T1", 1, "New", "5/1/2026 09:00"),
            ticket_record("T2", 5, "Closed", "5/1/2026 12:00"),
            ticket_record("T3", 0, "New", "5/1/2026 12:30"),
        ),
    )
    chain.send(f"{LOGS}second.jsonl", log_line(3) + log_line(4))
    chain.settle()
    return first


def all_rows(chain: Chain, table: str) -> list[tuple[object, ...]]:
    """Everything but the provenance: another file version may contain the same row."""
    names = ", ".join(name for name in CONTRACTS[table].names if not name.startswith("_"))
    return chain.rows(f"select {names} from {table} order by {', '.join(CONTRACTS[table].key)}")
