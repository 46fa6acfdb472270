"""What replay, backfill and reconcile tell, to people and to machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from gluebook.cli.screens import plain
from gluebook.core.differences import EXPLANATIONS, Difference, grouped
from gluebook.core.model import Batch, FileVersion
from gluebook.core.replaying import Replay
from gluebook.operations.backfill import Backfilled
from gluebook.operations.jobs import JobStart
from gluebook.operations.reconcile import Findings
from gluebook.operations.repair import Repaired
from gluebook.operations.replay import Replayed

# More lines than these of one sort nobody reads; --json has all of them.
_MOST_LINES = 20


def replay_told(plan: Replay, done: Replayed | None) -> str:
    """What was done, or without `done` what would be."""
    lines = []
    if plan.reopen:
        verb = "Processed" if done else "To be processed"
        lines.append(
            f"{verb} again: {_count(plan.repeat, 'file version')}, with {_count(plan.reopen, 'batch')}:"
        )
        lines += _limited(f"  {batch.batch_id}: {_generations(batch)}" for batch in plan.reopen)
    if plan.included:
        lines.append(f"Riding along, as they share these batches: {_count(plan.included, 'file version')}")
    if plan.readmit:
        lines.append(
            f"Refused before for their key, with a source now: {_count(plan.readmit, 'file version')}:"
        )
        lines += _limited(map(_named, plan.readmit))
    if plan.under_way:
        lines.append(f"Left alone, as they are under way already: {_count(plan.under_way, 'file version')}")
    if plan.superseded:
        lines.append(f"Staying out, as a newer version is loaded: {_count(plan.superseded, 'file version')}")
    if plan.refused:
        lines.append(f"Can't be processed again: {_count(plan.refused, 'file version')}:")
        lines += _limited(f"{_named(refusal.file)}: {refusal.reason}" for refusal in plan.refused)
    if done and done.already_reopened:
        lines.append(f"Opened by somebody else in the meantime: {_count(done.already_reopened, 'batch')}")
    return _on_lines([*lines, *_starts(done.started if done else {})])


def replay_json(plan: Replay, done: Replayed | None) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "dry_run": done is None,
        "chosen": plan.chosen,
        "batches": [
            {"batch_id": b.batch_id, "state": b.state, "generation": b.generation} for b in plan.reopen
        ],
        **{
            name: [_file_json(file) for file in files]
            for name, files in (
                ("repeat", plan.repeat),
                ("riding", plan.included),
                ("readmit", plan.readmit),
                ("under_way", plan.under_way),
                ("superseded", plan.superseded),
            )
        },
        "refused": [{**_file_json(refusal.file), "reason": refusal.reason} for refusal in plan.refused],
        "started": _starts_json(done.started if done else {}),
    }


def backfill_told(where: str, done: Backfilled) -> str:
    """What came of it."""
    lines = [f"Went on after {done.resumed_after}; --restart starts over"] if done.resumed_after else []
    a = done.registrations
    lines.append(
        f"{where}: {a.registered:,} file versions registered, {a.known:,} known already, {a.refused:,} refused"
    )
    if a.refused:
        lines.append("Refused are those whose key no dataset takes; `gluebook status --failed` says why")
    if a.failed:
        lines.append(f"Could not be registered: {_count(a.failed, 'object')}; the same command tries again:")
        lines += _limited(f"  {failure}" for failure in a.failed)
    return _on_lines([*lines, *_starts(done.started)])


def backfill_json(where: str, done: Backfilled) -> dict[str, Any]:
    """The same as JSON values."""
    counts = {name: getattr(done.registrations, name) for name in ("registered", "known", "refused")}
    return {
        "prefix": where,
        **counts,
        "failed": [
            {"key": failure.key, "error": str(failure.error)} for failure in done.registrations.failed
        ],
        "resumed_after": done.resumed_after or None,
        "started": _starts_json(done.started),
    }


def reconcile_told(findings: Findings, done: Repaired | None) -> str:
    """The differences by kind, with their meaning and how to resolve them; what was repaired, and what remains."""
    lines = []
    for kind, differences in grouped(findings.differences).items():
        explained = EXPLANATIONS[kind]
        lines.append(f"[bold]{len(differences):,} {plain(explained.title)}[/]")
        lines.append(plain(f"  {explained.meaning}"))
        lines.append(plain(f"  ▸ {explained.way_out}"))
        lines += map(plain, _limited(_line(difference) for difference in differences))
        lines.append("")
    if not findings.differences:
        return "Bucket, ledger, lake and warehouse tell the same story."
    if done is None:
        return "\n".join([*lines, f"{_count(findings.differences, 'difference')}."])
    lines += [f"[green]{plain(what)}[/]" for what in done.done]
    lines += [f"[red]{plain(what)}[/]" for what in done.failed]
    left = len(done.remaining)
    lines.append(f"{left} of {len(findings.differences)} differences remain." if left else "All was seen to.")
    return "\n".join(lines)


def reconcile_json(findings: Findings, done: Repaired | None) -> dict[str, Any]:
    """The same as JSON values, every difference of them."""
    remaining = findings.differences if done is None else done.remaining
    return {
        "differences": [_difference_json(difference) for difference in findings.differences],
        "repaired": list(done.done) if done else [],
        "failed_repairs": list(done.failed) if done else [],
        "remaining": len(remaining),
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    explained = EXPLANATIONS[difference.kind]
    return {**asdict(difference), "meaning": explained.meaning, "way_out": explained.way_out}


def _line(difference: Difference) -> str:
    return f"    {difference.what}" + (f": {difference.detail}" if difference.detail else "")


def _generations(batch: Batch) -> str:
    return f"{batch.state} in generation {batch.generation}, next is {batch.generation + 1}"


def _named(file: FileVersion) -> str:
    return f"  {file.key} ({file.version_id})"


def _file_json(file: FileVersion) -> dict[str, Any]:
    return {"key": file.key, "version_id": file.version_id, "batch_id": file.batch_id}


def _starts(started: dict[str, JobStart]) -> list[str]:
    return [f"{dataset}: {start}" for dataset, start in started.items()]


def _starts_json(started: dict[str, JobStart]) -> dict[str, Any]:
    return {dataset: asdict(start) for dataset, start in started.items()}


def _on_lines(lines: Iterable[str]) -> str:
    return "\n".join(map(plain, lines))


def _limited(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    more = [f"    ... and {len(found) - _MOST_LINES:,} more"] if len(found) > _MOST_LINES else []
    return found[:_MOST_LINES] + more


def _count(things: Sequence[object], name: str) -> str:
    plural = f"{name}es" if name.endswith("ch") else f"{name}s"
    return f"{len(things):,} {name if len(things) == 1 else plural}"
