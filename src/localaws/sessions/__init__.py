"""Glue's interactive sessions: what RunStatement hands over is really run."""

from .player import Sessions

__all__ = ["Sessions"]
