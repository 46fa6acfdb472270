"""Glue jobs: what StartJobRun starts is really run."""

from .service import Jobs

__all__ = ["Jobs"]
