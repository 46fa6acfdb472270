"""The check of claimed files in the test's own process, which alone knows the objects that are in memory."""

from __future__ import annotations

from collections.abc import Sequence

from gluebook.aws.ports import ObjectsPort
from gluebook.core.model import FileVersion
from gluebook.job.check import check_task, plan_tasks
from gluebook.job.counting import Checked
from gluebook.job.pieces import file_checks, pieces_of


def check_here(
    objects: ObjectsPort, files: Sequence[FileVersion], lake_bucket: str, inbox: str
) -> dict[int, Checked]:
    """As `check_files`, one task after the other."""
    pieces = pieces_of(objects, files)
    found = (one for task in plan_tasks(pieces, inbox) for one in check_task(task, lake_bucket))
    return file_checks(pieces, {one.index: one for one in found})
