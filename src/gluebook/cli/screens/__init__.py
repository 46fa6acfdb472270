"""What commands print: tables on stdout, everything else on stderr; and the same as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from gluebook.contracts.reasons import reason_of
from gluebook.core.model import Batch
from gluebook.core.statements import Rows
from gluebook.core.states import NEEDS_ATTENTION, SETTLED, FileState
from gluebook.core.text import printable, without_markdown
from gluebook.operations.status import FileStatus, Overview


class _Terminal(Console):
    """A console whose terminal only the console itself controls, whatever text it prints."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            part if part.control else part._replace(text=printable(part.text, keep="\n\t")) for part in buffer
        )


out = _Terminal()
err = _Terminal(stderr=True)

# Of settled states: the others are green, and red if they need attention.
_STYLES = {FileState.EMPTY.value: "yellow", FileState.SUPERSEDED.value: "dim"}
STAGES = {
    "build": "Building the package and the layer",
    "start": "Starting AWS on this machine",
    "deploy": "Deploying infra/pipeline.yaml",
    "generate": "Generating tickets and logs",
    "upload": "Uploading",
    "admit": "S3 ▸ EventBridge ▸ SQS ▸ Lambda: registering arrivals",
    "curate": "Glue: cleaning, checking, publishing",
    "load": "Redshift: copying and merging",
    "catalog": "Crawler: updating the Data Catalog",
    "query": "Querying the warehouse",
    "report": "Writing the quality report",
    "stop": "Stopping",
}


def plain(text: str, *, lines: bool = False) -> str:
    """Text from elsewhere, for the screen: it is no markup, and on one line unless `lines` are kept."""
    return escape(printable(text, keep="\n\t" if lines else "\t"))


def show(text: str, *, style: str = "", lines: bool = False) -> None:
    """Print text from elsewhere on stdout, unwrapped."""
    out.print(plain(text, lines=lines), style=style, soft_wrap=True, highlight=False)


def show_error(text: str) -> None:
    """Print text from elsewhere on stderr, in red."""
    err.print(f"[red]{plain(text, lines=True)}[/]", soft_wrap=True)


def files_table(files: tuple[FileStatus, ...], title: str) -> Table:
    """One row per file version, with totals below."""
    table = Table(title=title, title_justify="left", show_footer=len(files) > 1)
    table.add_column("file", "all", overflow="fold")
    table.add_column("state")
    for name in ("read", "curated", "duplicates", "rejected"):
        table.add_column(name, f"{sum(getattr(f.counts, name) for f in files):,}", justify="right")
    table.add_column("loaded", f"{sum(f.loaded for f in files):,}", justify="right")
    table.add_column("why", overflow="fold")
    for file in files:
        c = file.counts
        style = _style(file.state)
        numbers = [f"{count:,}" for count in (c.read, c.curated, c.duplicates, c.rejected, file.loaded)]
        table.add_row(plain(file.key), f"[{style}]{file.state}[/]", *numbers, plain(_why(file)))
    return table


def meaning(reason: str) -> str:
    """What a stored reason means; "" for one that is not in the table."""
    known = reason_of(reason)
    return without_markdown(known.row.meaning) if known else ""


def advice(files: Iterable[FileStatus]) -> list[str]:
    """What to do about each reason of files that need attention: the reason's code, then the action."""
    reasons = (reason_of(file.reason) for file in files if file.needs_attention and file.reason)
    return [f"{code}: {without_markdown(code.row.action)}" for code in dict.fromkeys(reasons) if code]


def _style(state: str) -> str:
    if state not in SETTLED:
        return "cyan"
    return "red" if state in NEEDS_ATTENTION else _STYLES.get(state, "green")


def _why(file: FileStatus) -> str:
    rejects = ", ".join(f"{count} x {reason}" for reason, count in file.reject_reasons.items())
    return "; ".join(part for part in (file.reason, rejects) if part)


def rows_table(title: str, rows: Rows) -> Table:
    """The result of a query."""
    table = Table(title=plain(title, lines=True), title_justify="left")
    for name in rows.columns:
        table.add_column(plain(name))
    for row in rows.rows:
        table.add_row(
            *(
                ""
                if value is None
                else f"{value:,}"
                if isinstance(value, int) and not isinstance(value, bool)
                else plain(str(value))
                for value in row
            )
        )
    return table


def stages_table(stages: dict[str, float]) -> Table:
    """The time that each stage took."""
    table = Table(title="time", title_justify="left")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for stage, seconds in stages.items():
        table.add_row(STAGES.get(stage, stage), f"{seconds:.1f}")
    return table


def needs_a_look(file: FileStatus) -> bool:
    """Whether a file needs attention or has rejects."""
    return bool(file.needs_attention or file.counts.rejected)


def overview_json(seen: Overview) -> dict[str, Any]:
    """Files, totals and loads as JSON values; counts in rows."""
    return {
        "files": [_file_json(file) for file in seen.files],
        "totals": {**asdict(seen.totals), "loaded": seen.loaded},
        "loads": [_load_json(batch) for batch in seen.batches if batch.load_attempts],
    }


def _file_json(file: FileStatus) -> dict[str, Any]:
    return {
        "key": file.key,
        "version_id": file.version_id,
        "state": file.state,
        "reason": file.reason,
        **asdict(file.counts),
        "loaded": file.loaded,
        "reject_reasons": file.reject_reasons,
        "failed_loads": file.failed_loads,
        "next_load": file.next_load,
        "given_up": file.given_up,
    }


def _load_json(batch: Batch) -> dict[str, Any]:
    counts = {"curated": batch.counts.curated, "merged": batch.merged, "superseded": batch.superseded}
    return {"batch_id": batch.batch_id, "state": batch.state.value, **counts}


_MOST_LINES = 20


def limited(lines: Iterable[str]) -> list[str]:
    """The first lines of many, and how many more there are; --json has all of them."""
    every = list(lines)
    more = [f"    ... and {len(every) - _MOST_LINES:,} more"] if len(every) > _MOST_LINES else []
    return every[:_MOST_LINES] + more


def counted(things: Sequence[object], name: str) -> str:
    """Such as "1 batch" or "2 batches"."""
    plural = f"{name}es" if name.endswith("ch") else f"{name}s"
    return f"{len(things):,} {name if len(things) == 1 else plural}"
