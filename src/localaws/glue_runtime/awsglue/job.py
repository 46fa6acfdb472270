"""Job, for scripts that mark their beginning and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Job:
    """AWS docs: "Job class" of the Glue Python library. Nothing is kept: there are no job bookmarks."""

    def __init__(self, glue_context: Any) -> None:
        self.glue_context = glue_context
        self.name = ""

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:
        """Remember the name; refuses job bookmarks, which would silently do nothing."""
        option = (args or {}).get("job_bookmark_option", "job-bookmark-disable")
        if option != "job-bookmark-disable":
            raise NotImplementedError(f"{option}: the laptop's Glue has no job bookmarks")
        self.name = job_name

    def commit(self) -> None:
        """Without bookmarks there is nothing to commit."""
