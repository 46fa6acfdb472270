"""The check of claimed files in the test's own process, which alone knows the objects that are in memory."""

from __future__ import annotations

from collections.abc import Sequence

from gluebook.core.model import FileVersion
from gluebook.job.check import check_task, plan_tasks
from gluebook.job.counting import Checked


def check_here(files: Sequence[FileVersion], lake_bucket: str, inbox: str) -> dict[int, Checked]:
    """As `check_files`, one task after the other."""
    tasks = plan_tasks(files, inbox)
    return {found.index: found for task in tasks for found in check_task(task, lake_bucket)}
