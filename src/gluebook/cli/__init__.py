"""The command line."""

from gluebook.cli.app import main

__all__ = ["main"]
