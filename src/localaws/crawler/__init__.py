"""Glue crawlers: what StartCrawler starts really makes tables and partitions."""

from .player import Crawlers

__all__ = ["Crawlers"]
