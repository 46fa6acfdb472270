"""The results of a batch's files, from the check and from the rows that were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.core.model import Counts, FileResult, FileVersion
from gluebook.core.states import FileState

FileKey = tuple[str, str]


@dataclass(frozen=True)
class Checked:
    """The result of checking one file. `bad`: the reason why it is unreadable, if it is.

    `later`: of a file that was checked in parts, those after the first: the number of each in the inbox, and how many
    records of the file are before it.
    """

    index: int
    records: int
    header: str | None = None
    bad: ReasonText | None = None
    later: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Written:
    """Rows by file: curated and rejected as written to the lake, and duplicates that were left out.

    `row_references`: number of row references.
    """

    curated: Mapping[FileKey, int]
    duplicates: Mapping[FileKey, int]
    rejects: Mapping[FileKey, Mapping[str, int]]
    row_references: int = 0


def file_results(
    files: list[FileVersion], checked: Mapping[int, Checked], written: Written
) -> tuple[FileResult, ...]:
    """The result of each file. Unreadable and empty files have no rows."""
    return tuple(_file_result(file, checked[index], written) for index, file in enumerate(files))


def _file_result(file: FileVersion, checked: Checked, written: Written) -> FileResult:
    settled = settlement(file, checked)
    if settled is not None:
        state, reason = settled
        return FileResult(file.file_id, file.key, file.version_id, Counts(), {}, reason, state)
    key = (file.key, file.version_id)
    reasons = dict(sorted(written.rejects.get(key, {}).items()))
    counts = Counts(
        read=checked.records,
        curated=written.curated.get(key, 0),
        duplicates=written.duplicates.get(key, 0),
        rejected=sum(reasons.values()),
    )
    return FileResult(file.file_id, file.key, file.version_id, counts, reasons)


def settlement(file: FileVersion, checked: Checked) -> tuple[FileState, ReasonText] | None:
    """The state and reason of a file without usable records; None for other files."""
    if checked.bad is not None:
        return FileState.FAILED, checked.bad
    if checked.records:
        return None
    if file.size == 0:
        return FileState.EMPTY, Reason.EMPTY_FILE.because("0 bytes")
    what = "a header and nothing else" if checked.header is not None else "nothing but blank lines"
    return FileState.EMPTY, Reason.NO_RECORDS.because(f"the file holds {what}")
