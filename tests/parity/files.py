"""Small files with something wrong in each, of every source there is."""

from __future__ import annotations

import csv
import io
import json

from gluebook.sample import Request, generate


def _sample(dataset: str, source: str) -> dict[str, bytes]:
    files = generate(Request(seed=11, tickets=40, log_lines=200, days=1, files_per_day=2)).files
    chosen = (file for file in files if file.key.startswith(f"{dataset}/{source}/"))
    return {file.key.rpartition("/")[2]: file.body for file in chosen}


def _csv(*records: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def _helpdesk(number: int, **more: str) -> dict[str, str]:
    return {
        "Ticket ID": str(number),
        "Customer Name": f"Ada Example{number}",
        "Customer Email": f"ada{number}@example.com",
        "Ticket Subject": "Refund request",
        "Ticket Description": f"It broke.\nI am Ada Example{number}, write to ada{number}@example.com",
        "Ticket Status": "Open",
        "Ticket Priority": "Medium",
        "Ticket Channel": "Email",
        "Product Purchased": "Lamp",
        "Date of Purchase": "2025-12-01",
        "First Response Time": "",
        "Time to Resolution": "",
        "Resolution": "",
        "Customer Satisfaction Rating": "",
        **more,
    }


_SOLVED = {
    "Ticket Status": "Closed",
    "First Response Time": "2026-01-04 10:00:00",
    "Time to Resolution": "2026-01-04 09:00:00",
    "Resolution": "Sent a new one.",
    "Customer Satisfaction Rating": "3.0",
}


def _container(line: str, time: str = "2026-01-05T10:00:00.123456789Z", **more: str) -> dict[str, str]:
    return {
        "Timestamp": time,
        "TimeUnixNano": "1767607200123456789",
        "Node": "10.1.2.3",
        "PodName": "shop-6cfdd55578-gfj6q",
        "Container": "server",
        "TraceID": "0af7651916cd43dd8448eb211c80319c",
        "SpanID": "b7ad6b7169203331",
        "Log": json.dumps({"log": f"{line}\n", "stream": "stdout", "time": time}),
        **more,
    }


_TEXT = _container("18:00:00.123 ERROR - something is late")
_JSON = _container(json.dumps({"severity": "info", "message": "order 7 is there", "order": 7}))

FILES: dict[tuple[str, str], dict[str, bytes]] = {
    ("support_tickets", "servicenow"): _sample("support_tickets", "servicenow"),
    ("support_tickets", "helpdesk"): {
        "a.csv": _csv(_helpdesk(1), _helpdesk(2, **_SOLVED), _helpdesk(3, **{"Ticket Status": "Lost"})),
        "b.csv": _csv(_helpdesk(2, **_SOLVED), _helpdesk(1, **_SOLVED)),
    },
    ("app_logs", "mongod"): _sample("app_logs", "mongod"),
    ("app_logs", "containers"): {
        "a.csv": _csv(_TEXT, _JSON, _container("plain", Log="not Docker's")),
        "b.csv": _csv(_JSON, _container("a line", TimeUnixNano="-6795364578871345152")),
    },
}
