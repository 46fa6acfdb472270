"""Notebooks as the source of job scripts."""
