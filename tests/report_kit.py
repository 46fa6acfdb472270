"""A made-up day for tests of the report and for its pictures: the same values every time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from gluebook.core.model import Counts
from gluebook.operations.status import FileStatus
from gluebook.report.gather import checks_of, gated_of
from gluebook.report.model import (
    Answers,
    DatasetDay,
    Lineage,
    Reject,
    RejectReason,
    ReportData,
    ServiceErrors,
    TicketsOpened,
    Trend,
)
from report_quality import HOSTILE, logs_quality, outcome, tickets_quality

DAY = date(2026, 1, 5)
MADE_AT = "2026-01-05T18:30:00Z"
NOTHING = Counts()


def day_file(
    key: str,
    dataset: str,
    source: str,
    state: str,
    reason: str | None = None,
    batch: str | None = None,
    counts: Counts = NOTHING,
    loaded: int = 0,
    reject_reasons: dict[str, int] | None = None,
) -> FileStatus:
    """A file version that arrived in the morning."""
    arrived = f"{DAY}T06:00:00Z"
    return FileStatus(
        key, "v1", dataset, source, state, reason, batch, arrived, counts, loaded, reject_reasons or {}
    )


def dataset_day(quality: dict[str, Any], *, sources: tuple[str, str], failed: bool = False) -> DatasetDay:
    """A dataset's day with three files of the batch, and one that could not be processed if wanted."""
    name, batch = quality["dataset"], quality["batch_id"]
    counts = Counts(**quality["counts"])
    third = Counts(counts.read // 3, counts.curated // 3, counts.duplicates // 3, 0)
    third = Counts(
        third.curated + third.duplicates + counts.rejected // 3,
        third.curated,
        third.duplicates,
        counts.rejected // 3,
    )
    rest = Counts(
        counts.read - 2 * third.read,
        counts.curated - 2 * third.curated,
        counts.duplicates - 2 * third.duplicates,
        counts.rejected - 2 * third.rejected,
    )
    reasons = {"malformed_record": 3, "missing:updated_at": 2}
    files = [
        day_file(
            f"{name}/{sources[number % 2]}/dt={DAY}/export-{number + 1:02d}.gz",
            name,
            sources[number % 2],
            "LOADED",
            batch=batch,
            counts=one,
            loaded=one.curated,
            reject_reasons=reasons,
        )
        for number, one in enumerate((third, third, rest))
    ]
    if failed:
        reason = (
            "not_gzip: the file ends after 4,096 bytes, in the middle of a block; it was cut off on its way"
        )
        files.append(
            day_file(f"{name}/{sources[1]}/dt={DAY}/export-04.gz", name, sources[1], "FAILED", reason, batch)
        )
    place = files[0].key
    return DatasetDay(
        name,
        tuple(files),
        gated=gated_of([quality]),
        checks=checks_of([quality]),
        rejects=(
            RejectReason(
                "malformed_record",
                12,
                (Reject(place, "17", '{"t":{"$date":"2026-01-05T08:1'), Reject(place, "93", "INC0004711;;;")),
            ),
            RejectReason(
                "missing:occurred_at", 11, (Reject(place, "204", '{"s":"I","c":"NETWORK","id":22943}'),)
            ),
        ),
    )


def trends() -> tuple[Trend, ...]:
    """Twelve batches of each dataset."""
    found = []
    for number in range(12):
        at = (datetime(2026, 1, 2, 6, 15) + timedelta(hours=7 * number)).isoformat() + "Z"
        for dataset, base in (("app_logs", 3900), ("support_tickets", 1700)):
            rejected = (number * 7 + base) % 23 + (120 if number == 7 and dataset == "app_logs" else 10)
            counts = Counts(base + 40 * (number % 5) + 60 + rejected, base + 40 * (number % 5), 60, rejected)
            found.append(
                Trend(f"{dataset}-{number}", dataset, at, counts, int(number == 7), int(number % 4 == 3))
            )
    return tuple(found)


def answers() -> Answers:
    """Two weeks of tickets and errors, with a bad day for the checkout."""
    tickets, services = [], []
    for number in range(14):
        day = (date(2025, 12, 23) + timedelta(days=number)).isoformat()
        bad = number in (9, 10)
        for priority, many in (("critical", 2), ("high", 7), ("moderate", 19), ("low", 11)):
            tickets.append(TicketsOpened(day, priority, many * (3 if bad else 1) + number % 3))
        for service, lines, errors in (
            ("checkout", 900, 180 if bad else 18),
            ("mongod", 1400, 12 + number % 4),
            ("payments", 700, 70 if bad else 9),
            ("search", 500, 6),
        ):
            services.append(ServiceErrors(day, service, lines + 10 * number, errors))
    return Answers(trends(), tuple(tickets), tuple(services))


def day_data(*, failed: bool = True) -> ReportData:
    """A day with reservations: two warnings, and a file that could not be processed."""
    logs = dataset_day(logs_quality(), sources=("mongod", "containers"), failed=failed)
    tickets = dataset_day(tickets_quality(), sources=("servicenow", "helpdesk"))
    lineage = [
        Lineage(
            file.key,
            str(file.batch_id),
            f"manifests/{file.dataset}/{file.batch_id}.json",
            tuple(f"curated/{file.dataset}/dt={DAY}/{file.batch_id}-0000{part}.parquet" for part in range(2))
            if file.state == "LOADED"
            else (),
            file.dataset,
            file.state,
            file.loaded,
        )
        for dataset in (tickets, logs)
        for file in dataset.files
    ]
    return ReportData(DAY, MADE_AT, (tickets, logs), answers(), tuple(lineage))


def hostile_data() -> ReportData:
    """A day in which every text that comes from data is an attack."""
    bad = outcome(
        "expect_column_values_to_match_regex",
        {"column": HOSTILE, "regex": HOSTILE, "row_condition": HOSTILE},
        passed=False,
        unexpected_rows=1,
        unexpected_percent=100.0,
        notes=HOSTILE,
        observed=HOSTILE,
        examples=[{HOSTILE: HOSTILE, "message": HOSTILE}],
    )
    quality = logs_quality(batch_id="app_logs-1", outcomes=[bad], passed=False)
    file = day_file(
        HOSTILE, "app_logs", HOSTILE, "FAILED", HOSTILE, HOSTILE, Counts(1, 0, 0, 1), 0, {HOSTILE: 1}
    )
    logs = DatasetDay(
        "app_logs",
        (file,),
        gated_of([quality]),
        checks_of([quality]),
        (RejectReason(HOSTILE, 1, (Reject(HOSTILE, "1", HOSTILE),)),),
    )
    days = Answers(
        (Trend(HOSTILE, HOSTILE, MADE_AT, Counts(1, 1, 0, 0)),),
        (TicketsOpened("2026-01-05", HOSTILE, 1),),
        (ServiceErrors("2026-01-05", HOSTILE, 2, 1),),
        {"trends": HOSTILE},
    )
    line = Lineage(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE, 1)
    return ReportData(DAY, MADE_AT, (logs,), days, (line,), (file,))


def whole_page(data: ReportData) -> str:
    """The page with all sections, in the order of the notebook."""
    from gluebook.report import page
    from gluebook.report.verdict import judge

    verdict = judge(data)
    sections = [
        page.verdict_section(data, verdict),
        *(page.dataset_section(dataset, data.day) for dataset in data.datasets if dataset.files),
        page.business_section(data),
        page.trends_section(data),
        page.lineage_section(data),
    ]
    return page.page(data.day, data.made_at, verdict.word.value, sections)


def write_site(folder: Path) -> dict[str, Path]:
    """The made-up days as they would be published: page, Data Docs and index; their paths."""
    from gluebook.report import page
    from gluebook.report.data_docs import data_docs
    from gluebook.report.history import Summary, summary
    from gluebook.report.verdict import judge

    data = day_data()
    verdict = judge(data)
    day = folder / DAY.isoformat()
    docs = day / data.gated[1].page
    docs.parent.mkdir(parents=True, exist_ok=True)
    docs.write_text(data_docs(logs_quality()), encoding="utf-8")
    (day / "index.html").write_text(whole_page(data), encoding="utf-8")
    before = [
        Summary("2026-01-04", "yes", "", MADE_AT, (), 14, 4211, 4150, 40, 21, 0),
        Summary(
            "2026-01-03",
            "no",
            "",
            MADE_AT,
            ("app_logs: 6 files did not pass the gate; nothing of them is in the warehouse.",),
            18,
            5731,
            1690,
            40,
            91,
            2,
        ),
        Summary("2026-01-02", "nothing arrived", "", MADE_AT, ("No file …",)),
    ]
    index = folder / "index.html"
    index.write_text(page.index([*before, summary(data, verdict)], MADE_AT), encoding="utf-8")
    return {"page": day / "index.html", "docs": docs, "index": index}
