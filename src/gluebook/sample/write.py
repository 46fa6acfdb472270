"""Write a sample to disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from gluebook.sample.truth import LOGS, TICKETS, Sample, SampleFile, Truth

TRUTH_FILE = "truth.json"


def write(sample: Sample, folder: Path) -> None:
    """Write `folder/<key>` for each file, and `folder/truth.json`. See `write_files`."""
    write_files(sample.files, folder)


def write_files(files: Iterable[SampleFile], folder: Path) -> Truth:
    """Write files one at a time, then `folder/truth.json`; return the truth.

    Files of the same key are replaced. Raises FileExistsError if the folder holds data files of another
    sample, which the truth does not cover. `truth.json` is written last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH_FILE).unlink(missing_ok=True)
    truth = Truth.of(_written(files, folder))
    _refuse_others(folder, set(truth.files))
    (folder / TRUTH_FILE).write_text(json.dumps(truth.as_json(), indent=2) + "\n", encoding="utf-8")
    return truth


def _written(files: Iterable[SampleFile], folder: Path) -> Iterator[SampleFile]:
    for file in files:
        path = folder / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)
        yield file


def _refuse_others(folder: Path, keys: set[str]) -> None:
    for dataset in (TICKETS, LOGS):
        for path in sorted((folder / dataset).rglob("*")):
            key = path.relative_to(folder).as_posix()
            if path.is_file() and key not in keys:
                raise FileExistsError(f"{path} is not of this sample: use an empty folder, or delete it")
