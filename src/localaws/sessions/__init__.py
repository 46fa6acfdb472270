"""Glue's interactive sessions: what RunStatement hands over is really run."""

from .service import Sessions

__all__ = ["Sessions"]
