"""Glue: what jobs and crawlers share."""
