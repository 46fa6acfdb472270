"""Glue crawlers: a crawl really creates tables and partitions."""

from .service import Crawlers

__all__ = ["Crawlers"]
