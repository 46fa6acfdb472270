"""Small files with something wrong in each, of every source there is."""

from __future__ import annotations

from gluebook.sample import generate


def _sample(dataset: str) -> dict[str, bytes]:
    files = generate(seed=11, tickets=40, log_lines=200, days=1, files_per_day=2).files
    return {file.key.rpartition("/")[2]: file.body for file in files if file.dataset == dataset}


FILES: dict[tuple[str, str], dict[str, bytes]] = {
    ("support_tickets", "servicenow"): _sample("support_tickets"),
    ("app_logs", "mongod"): _sample("app_logs"),
}
