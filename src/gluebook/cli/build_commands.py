"""Commands that make what is deployed: export, build."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import options, screens
from gluebook.contracts import contract
from gluebook.deployment.build import build, project_root


def export(
    notebooks: Annotated[
        list[Path], typer.Argument(help="Job and suite notebooks; all of them if not given.")
    ] = [],  # noqa: B006
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file differs.")] = False,
) -> None:
    """Write what is made from notebooks: the Glue job scripts, and the suites of the gate."""
    root = project_root()
    drifted = False
    for file, text in _exported(root, notebooks):
        shown = str(file.relative_to(root))
        committed = file.read_text(encoding="utf-8") if file.exists() else ""
        if text == committed:
            continue
        drifted = True
        if check:
            lines = (committed.splitlines(keepends=True), text.splitlines(keepends=True))
            sys.stdout.writelines(difflib.unified_diff(*lines, shown, f"export of {shown}"))
        else:
            file.write_text(text, encoding="utf-8")
            screens.out.print(f"wrote {shown}")
    if check and drifted:
        screens.err.print("The files are not what the notebooks say; run `gluebook export`.")
        raise typer.Exit(1)


def _exported(root: Path, notebooks: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file that is made from one of the notebooks, and what shall stand in it."""
    from gluebook.notebook.cells import read_notebook
    from gluebook.notebook.export import export as export_job
    from gluebook.notebook.suites import export_suites

    places = (root / "notebooks" / "jobs", root / "notebooks" / "suites")
    for notebook in notebooks or [path for place in places for path in sorted(place.glob("*.ipynb"))]:
        if read_notebook(notebook).of_role("suite"):
            for name, text in export_suites(notebook, contract(notebook.stem)).items():
                yield root / "expectations" / name, text
        else:
            shown_as = f"notebooks/jobs/{notebook.name}"
            yield root / "glue" / f"{notebook.stem}.py", export_job(notebook, shown_as)


def build_artefacts(as_json: options.JSON = False) -> None:
    """Build what jobs and functions run: the package, the modules that it imports, the layer and the handlers."""
    made = build(project_root())
    if as_json:
        keys = {"package_key": made.package_key, "modules_key": made.modules_key}
        files = {"package": str(made.package), "modules": str(made.modules), "layer": str(made.layer)}
        options.print_json({**files, **keys, "functions": [str(file) for file in made.functions]})
    else:
        for file in (made.package, made.modules, made.layer, *made.functions):
            screens.out.print(str(file), soft_wrap=True)
