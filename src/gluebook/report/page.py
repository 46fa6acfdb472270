"""The report as HTML. All data is escaped.

There are no scripts, and nothing is loaded from the network. Each function renders one `<section>`; `page` combines
them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gluebook.contracts.reasons import in_words
from gluebook.core.states import NEEDS_ATTENTION, SETTLED
from gluebook.operations.status import FileStatus
from gluebook.report import plots
from gluebook.report.history import Summary
from gluebook.report.model import DatasetDay, ReportData, ServiceErrors, TicketsOpened, title_of
from gluebook.report.verdict import Verdict, days_old

# What fits on a readable page; the rest is counted.
MOST_FILES, MOST_LINEAGE, MOST_ELSEWHERE, MOST_DAYS = 25, 25, 10, 10
MOST_DOCS, MOST_REASONS = 40, 15
_MARKS = {"yes": "✓", "with reservations": "!", "no": "✕", "nothing arrived": "\u2013"}
_CLASSES = {"yes": "yes", "with reservations": "reserved", "no": "no", "nothing arrived": "nothing"}
# A number and its sign stay together.
_SPACE = "\N{NO-BREAK SPACE}"


def verdict_section(data: ReportData, verdict: Verdict) -> str:
    """The verdict, its reasons, and the day in five numbers."""
    return _rendered(
        "verdict.html",
        data=data,
        verdict=verdict,
        loaded=sum(dataset.loaded for dataset in data.datasets),
        elsewhere=data.elsewhere[:MOST_ELSEWHERE],
    )


def dataset_section(dataset: DatasetDay, day: date) -> str:
    """A dataset on the day: rows, freshness, completeness, files, expectations and rejects."""
    files = sorted(dataset.files, key=_worst_first)
    return _rendered(
        "dataset.html",
        dataset=dataset,
        day=day,
        age=days_old(dataset.newest_at, day),
        files=files[:MOST_FILES],
        more_files=len(files) - MOST_FILES,
        rejects=dataset.rejects[:MOST_REASONS],
        more_rejects=dataset.rejects[MOST_REASONS:],
        needs_attention=NEEDS_ATTENTION,
        settled=SETTLED,
    )


def trends_section(data: ReportData) -> str:
    """The batches of all days compared."""
    trends = data.answers.trends
    names = sorted({trend.dataset for trend in trends})
    drawn = [plots.rows_per_batch(trends, name) for name in names]
    if trends:
        drawn += [plots.reject_share(trends), plots.failed_checks(trends)]
    return _rendered("trends.html", plots=drawn, problem=data.answers.problems.get("trends", ""))


def business_section(data: ReportData) -> str:
    """Tickets opened beside the error rates of services."""
    answers = data.answers
    problems = [answers.problems[name] for name in ("tickets", "services") if name in answers.problems]
    there = bool(answers.tickets or answers.services)
    plot = plots.tickets_and_errors(answers.tickets, answers.services) if there else ""
    return _rendered(
        "business.html",
        plot=plot,
        days=days_table(answers.tickets, answers.services),
        problems=list(dict.fromkeys(problems)),
    )


def lineage_section(data: ReportData) -> str:
    """The batch, Parquet files and table of each file."""
    return _rendered(
        "lineage.html",
        lines=data.lineage[:MOST_LINEAGE],
        more=len(data.lineage) - MOST_LINEAGE,
        gated=data.gated[-MOST_DOCS:],
        more_gated=len(data.gated) - MOST_DOCS,
        needs_attention=NEEDS_ATTENTION,
    )


def page(day: date, made_at: str, verdict: str, parts: Sequence[str]) -> str:
    """The page of a day, one folder below the index. `parts` are HTML."""
    return _rendered(
        "page.html", day=day, made_at=made_at, word=verdict, parts=[Markup(part) for part in parts]
    )


def index(summaries: Sequence[Summary], made_at: str) -> str:
    """The page of all days, newest first."""
    newest_first = sorted(summaries, key=lambda summary: summary.day, reverse=True)
    return _rendered("index.html", summaries=newest_first, made_at=made_at)


def style() -> str:
    """The page's stylesheet; all of it applies below `.gb` only."""
    return (resources.files("gluebook.report") / "templates" / "style.css").read_text(encoding="utf-8")


def days_table(tickets: Sequence[TicketsOpened], services: Sequence[ServiceErrors]) -> list[dict[str, Any]]:
    """The latest days, newest first: tickets, urgent ones, lines, errors, and the service with most errors."""
    found = []
    for day in reversed(
        plots.last_days([*(t.day for t in tickets), *(s.day for s in services)])[-MOST_DAYS:]
    ):
        opened = [t for t in tickets if t.day == day]
        logged = [s for s in services if s.day == day]
        lines, errors = sum(s.lines for s in logged), sum(s.errors for s in logged)
        worst = max(logged, key=lambda s: (s.errors, s.service), default=None)
        found.append(
            {
                "day": day,
                "tickets": sum(t.tickets for t in opened),
                "urgent": sum(t.tickets for t in opened if t.priority in ("critical", "high")),
                "lines": lines,
                "errors": errors,
                "rate": errors / lines if lines else None,
                "worst": worst.service if worst and worst.errors else "",
                "worst_rate": worst.errors / worst.lines if worst and worst.errors else None,
            }
        )
    return found


def moment(text: str) -> str:
    """An ISO 8601 time as 5 Jan 2026, 09:59 UTC; any other text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def age_in_words(days: int | None) -> str:
    """The age of a row, in days before the day of the report."""
    if days is None:
        return "not known"
    if days == 0:
        return "from the day itself"
    if days == 1:
        return "from the day before"
    return (
        f"{days:,} days before the day"
        if days > 0
        else f"{-days:,} day{'' if days == -1 else 's'} after the day"
    )


def _worst_first(file: FileStatus) -> tuple[bool, bool, str]:
    return file.state not in NEEDS_ATTENTION, file.state in SETTLED, file.key


def _percent(share: float | None, digits: int = 1) -> str:
    """0..1 as a percentage that is only 0 or 100 if the share is."""
    if share is None:
        return "\u2013"
    text = f"{share * 100:.{digits}f}"
    edge = 10**-digits
    if share > 0 and float(text) == 0:
        return f"< {edge}{_SPACE}%"
    if share < 1 and float(text) == 100:
        return f"> {100 - edge}{_SPACE}%"
    return f"{text.removesuffix('.' + '0' * digits)}{_SPACE}%"


def _columns(rows: Sequence[Mapping[str, str | None]]) -> list[str]:
    """The distinct columns of examples, in order."""
    return list(dict.fromkeys(name for row in rows for name in row))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gluebook.report", "templates"),
        # Everything is escaped but what the templates mark as HTML.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda value: f"{value:,}",
        "percent": _percent,
        "moment": moment,
        "age": age_in_words,
        "reason": in_words,
        "columns_of": _columns,
        "title_of": title_of,
        "long_day": lambda day: f"{day:%A}, {day.day} {day:%B %Y}",
        "short": lambda text, most=160: text if len(text) <= most else f"{text[: most - 1]}…",
        "break_at_slashes": _breakable,
    }
    environment.globals |= {"mark": _MARKS, "class_of": _CLASSES}
    environment.globals["style"] = lambda: Markup(style())
    return environment


def _breakable(text: str) -> Markup:
    """A key with possible line breaks after slashes."""
    return Markup("/<wbr>").join(re.split("/", text))


def _rendered(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
