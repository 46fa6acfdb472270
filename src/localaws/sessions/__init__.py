"""Glue's interactive sessions: statements are really executed."""

from .service import Sessions

__all__ = ["Sessions"]
