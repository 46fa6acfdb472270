"""Glue crawlers: what StartCrawler starts really makes tables and partitions."""

from .service import Crawlers

__all__ = ["Crawlers"]
