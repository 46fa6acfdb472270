"""Outputs of the report notebook's cells, and what the page takes from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.errors import NotebookError
from gluebook.notebook.cells import INJECTED, load
from gluebook.report.history import Summary
from gluebook.report.offline import only_own
from gluebook.report.page import style

# A section without the stylesheet, which the page has once; and the summary of the day.
_SECTION = "application/vnd.gluebook.section+html"
_SUMMARY = "application/vnd.gluebook.summary+json"


@dataclass(frozen=True)
class SectionOutput:
    """A section, shown in the notebook as on the page."""

    html: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        framed = f'<style>{style()}</style><div class="gb">{self.html}</div>'
        return {"text/html": framed, _SECTION: self.html, "text/plain": "a section of the report"}


@dataclass(frozen=True)
class SummaryOutput:
    """The summary of the day, shown in one line."""

    summary: Summary

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        one = self.summary
        text = f"{one.day}: {one.verdict}; {one.files:,} files, {one.read:,} records read, {one.rejected:,} rejected"
        return {_SUMMARY: json.dumps(one.to_json()), "text/plain": text}


@dataclass(frozen=True)
class Executed:
    """The outputs of an executed notebook for the page: HTML in order, and the summary of the day."""

    parts: tuple[str, ...]
    summary: Summary


def executed(notebook: Path) -> Executed:
    """Collect the outputs of the `report` cells of an executed notebook: sections, tables, pictures.

    Raises NotebookError if there is no summary of the day.
    """
    bundles = list(_bundles(load(notebook)))
    summaries = [Summary.from_json(json.loads(_text(b[_SUMMARY]))) for b in bundles if _SUMMARY in b]
    found = [one for one in summaries if one is not None]
    if not found:
        raise NotebookError(
            f"{notebook.name} shows no summary of the day: end it with SummaryOutput(summary(data, verdict))"
        )
    return Executed(tuple(part for bundle in bundles if (part := _part(bundle))), found[-1])


def _bundles(notebook: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for cell in notebook["cells"]:
        tags = set(cell.get("metadata", {}).get("tags", []))
        if cell["cell_type"] == "code" and "report" in tags and INJECTED not in tags:
            for output in cell.get("outputs", []):
                yield output.get("data", {})


def _part(bundle: Mapping[str, Any]) -> str:
    if _SECTION in bundle:
        return _text(bundle[_SECTION])
    if "image/png" in bundle:
        source = _text(bundle["image/png"]).replace("\n", "")
        return (
            f'<figure><img alt="A picture from the notebook" src="data:image/png;base64,{source}"></figure>'
        )
    if "text/html" in bundle:
        # Not ours, such as a pandas table: it may hold anything.
        return f'<div class="scroll">{only_own(_text(bundle["text/html"]))}</div>'
    return ""


def _text(value: Any) -> str:
    """A text, which a notebook may store as a list of lines, or as JSON."""
    if isinstance(value, dict):
        return json.dumps(value)
    return value if isinstance(value, str) else "".join(value)
