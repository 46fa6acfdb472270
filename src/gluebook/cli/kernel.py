"""`gluebook kernel`: register the project's Jupyter kernel."""

from __future__ import annotations

from gluebook.cli import screens


def kernel() -> None:
    """Register the project's kernel with the Jupyter of this environment.

    Example: gluebook kernel
    """
    from gluebook.notebook.kernelspec import DISPLAY_NAME, install

    screens.show(f"{DISPLAY_NAME}: {install()}")
