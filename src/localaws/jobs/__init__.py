"""Glue jobs: what StartJobRun starts is really run."""

from .java import WarmStart
from .service import Jobs

__all__ = ["Jobs", "WarmStart"]
