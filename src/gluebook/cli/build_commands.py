"""Commands that make what is deployed: export, build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gluebook.build import build, project_root
from gluebook.cli import options, screens


def export(
    notebooks: Annotated[list[Path], typer.Argument(help="Job notebooks; all of them if not given.")] = [],  # noqa: B006
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a script differs.")] = False,
) -> None:
    """Write the Glue job scripts from the job notebooks."""
    from gluebook.notebook.export import drift
    from gluebook.notebook.export import export as export_notebook

    root = project_root()
    drifted = False
    for notebook in notebooks or sorted((root / "notebooks" / "jobs").glob("*.ipynb")):
        shown_as = f"notebooks/jobs/{notebook.name}"
        script = root / "glue" / f"{notebook.stem}.py"
        difference = drift(notebook, script, shown_as)
        if check:
            drifted |= bool(difference)
            sys.stdout.write(difference)
        elif difference:
            script.write_text(export_notebook(notebook, shown_as), encoding="utf-8")
            screens.out.print(f"wrote {script.relative_to(root)}")
    if drifted:
        screens.err.print("The scripts are not what the notebooks say; run `gluebook export`.")
        raise typer.Exit(1)


def build_artefacts(as_json: options.JSON = False) -> None:
    """Build the wheel that jobs run and the layer that functions run."""
    made = build(project_root())
    if as_json:
        options.print_json({"wheel": str(made.wheel), "wheel_key": made.wheel_key, "layer": str(made.layer)})
    else:
        screens.out.print(f"{made.wheel}\n{made.layer}", soft_wrap=True)
