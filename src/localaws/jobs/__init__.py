"""Glue jobs: what StartJobRun starts is really run."""

from .player import Jobs

__all__ = ["Jobs"]
