"""`gluebook lint`: check notebooks without running them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import screens
from gluebook.deployment.build import project_root


def lint(
    notebooks: Annotated[
        list[Path], typer.Argument(help="Check these notebooks; the default is all of the project.")
    ] = [],  # noqa: B006
    fix: Annotated[
        bool, typer.Option("--fix", help="Remove the outputs and metadata that a run has left in them.")
    ] = False,
) -> None:
    """Check notebooks without running them: roles, parameters, names, outputs, session against template.

    Example: gluebook lint notebooks/jobs/app_logs.ipynb --fix
    """
    from gluebook.notebook.lint import lint as problems_in
    from gluebook.notebook.lint import strip

    root = project_root()
    problems = 0
    for path in notebooks or sorted((root / "notebooks").rglob("*.ipynb")):
        if fix and strip(path):
            screens.show(f"removed from {path.name} what a run had left in it")
        for problem in problems_in(path, root / "infra" / "pipeline.yaml"):
            problems += 1
            screens.show(str(problem), lines=True)
    if problems:
        screens.err.print(f"{problems} problem{'s' if problems > 1 else ''}")
        raise typer.Exit(1)
