"""`gluebook export`: write the job scripts and suites that notebooks are the source of."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import screens
from gluebook.contracts import contract
from gluebook.deployment.build import project_root


def export(
    notebooks: Annotated[
        list[Path], typer.Argument(help="Export these job and suite notebooks; the default is all.")
    ] = [],  # noqa: B006
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing, and exit with 1 if a file differs.")
    ] = False,
) -> None:
    """Write the Glue scripts of the job notebooks and the gate's suites of the suite notebooks.

    Example: gluebook export --check
    """
    root = project_root()
    drifted = False
    for file, text in _exported(root, notebooks):
        name = str(file.relative_to(root))
        committed = file.read_text(encoding="utf-8") if file.exists() else ""
        if text == committed:
            continue
        drifted = True
        if check:
            lines = (committed.splitlines(keepends=True), text.splitlines(keepends=True))
            sys.stdout.writelines(difflib.unified_diff(*lines, name, f"export of {name}"))
        else:
            file.write_text(text, encoding="utf-8")
            screens.show(f"wrote {name}")
    if check and drifted:
        screens.err.print("The files differ from what the notebooks say; run `gluebook export`.")
        raise typer.Exit(1)


def _exported(root: Path, notebooks: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file that one of the notebooks is the source of, and the text that belongs into it."""
    from gluebook.notebook.cells import read_notebook
    from gluebook.notebook.export import export as export_job
    from gluebook.notebook.suites import export_suites

    places = (root / "notebooks" / "jobs", root / "notebooks" / "suites")
    for notebook in notebooks or [path for place in places for path in sorted(place.glob("*.ipynb"))]:
        if read_notebook(notebook).of_role("suite"):
            for name, text in export_suites(notebook, contract(notebook.stem)).items():
                yield root / "expectations" / name, text
        else:
            header_name = f"notebooks/jobs/{notebook.name}"
            yield root / "glue" / f"{notebook.stem}.py", export_job(notebook, header_name)
