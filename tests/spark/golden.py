"""Golden files: what a source's files hold, and what must come of each record.

`golden/<dataset>/<source>/` holds any number of files as the system sends them, and `expected.json`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from gluebook.sources.model import Source
from gluebook.transforms.verbs import conform, rejects_table
from spark.conftest import frame_of
from spark.pipelines import run_notebook

GOLDEN = Path(__file__).parent / "golden"
_EXPECTED = "expected.json"
_PLACE = ("_source_file", "_source_record")
# The same in every row, or given by the file's place.
_UNTOLD = {*_PLACE, "_source_version", "_batch_id", "source", "dt"}


def folder_of(source: Source) -> Path:
    """Where a source's golden files are."""
    return GOLDEN / source.contract.name / source.name


def inputs(folder: Path) -> dict[str, bytes]:
    """The files as the system sends them, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != _EXPECTED}


def expected(folder: Path) -> dict[str, Any] | None:
    """The expected rows, rejects and counts; None before they are written."""
    path = folder / _EXPECTED
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def write(folder: Path, found: Mapping[str, Any]) -> None:
    """Keep an outcome as what is expected: a line per row and per reject."""
    parts = []
    for file, came in found.items():
        lists = (f'  "{name}": {_lines(came[name])}' for name in ("rows", "rejects"))
        parts.append(f' "{file}": {{\n  "counts": {_line(came["counts"])},\n' + ",\n".join(lists) + "\n }")
    (folder / _EXPECTED).write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _lines(values: list[Any]) -> str:
    return "[\n   " + ",\n   ".join(map(_line, values)) + "\n  ]" if values else "[]"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def outcome(spark: SparkSession, source: Source, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the notebook makes of the files as one batch: of each its counts, its rows without nulls, its rejects."""
    run = run_notebook(spark, source, frame_of(spark, source, files))
    assert run.kept is not None and run.rejects is not None
    rows = _by_file(conform(run.kept.where("_copy = 1"), source.contract).collect())
    copies = Counter(row["_source_file"] for row in run.kept.where("_copy > 1").collect())
    rejects = _by_file(rejects_table(run.rejects, source.contract.name).drop("dataset").collect())
    return {
        file: {
            "counts": {
                "read": len(rows[file]) + copies[file] + len(rejects[file]),
                "curated": len(rows[file]),
                "duplicates": copies[file],
                "rejected": len(rejects[file]),
            },
            "rows": rows[file],
            "rejects": rejects[file],
        }
        for file in files
    }


def _by_file(rows: list[Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: tuple(row[name] for name in _PLACE)):
        values = {
            name: value for name, value in row.asDict().items() if name not in _UNTOLD and value is not None
        }
        plain = json.loads(json.dumps({"record": row["_source_record"], **values}, default=str))
        found[row["_source_file"]].append(plain)
    return found
