"""`gluebook export`: write what notebooks and contracts are the source of."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import screens
from gluebook.contracts import CONTRACTS, contract
from gluebook.deployment.build import project_root
from gluebook.deployment.dataset_blocks import with_datasets


def export(
    notebooks: Annotated[
        list[Path], typer.Argument(help="Export these job and suite notebooks; the default is all.")
    ] = [],  # noqa: B006
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing, and exit with 1 if a file differs.")
    ] = False,
) -> None:
    """Write the Glue scripts, the gate's suites, and the template's blocks for each dataset.

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
        screens.err.print("The files differ from what notebooks and contracts say; run `gluebook export`.")
        raise typer.Exit(1)


def _exported(root: Path, notebooks: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file that a notebook or the contracts are the source of, and the text that belongs into it.

    Raises NotebookError naming the notebook that a contract lacks.
    """
    from gluebook.notebook.cells import read_notebook
    from gluebook.notebook.export import export as export_job
    from gluebook.notebook.suites import export_suites

    folders = (root / "notebooks" / "jobs", root / "notebooks" / "suites")
    every = [folder / f"{dataset}.ipynb" for folder in folders for dataset in CONTRACTS]
    for notebook in notebooks or every:
        if read_notebook(notebook).of_role("suite"):
            for name, text in export_suites(notebook, contract(notebook.stem)).items():
                yield root / "expectations" / name, text
        else:
            header_name = f"notebooks/jobs/{notebook.name}"
            yield root / "glue" / f"{notebook.stem}.py", export_job(notebook, header_name)
    if not notebooks:
        yield from _of_contracts(root)


def _of_contracts(root: Path) -> Iterator[tuple[Path, str]]:
    """What follows from the contracts alone: the template's blocks, and the packages that hold the sources."""
    template = root / "infra" / "pipeline.yaml"
    yield template, with_datasets(template, CONTRACTS.values())
    for dataset, each in CONTRACTS.items():
        folder = root / "src" / "gluebook" / "sources" / dataset
        if folder.is_dir():
            # Without it a source could not be imported from the zip that jobs run: a zip has no namespace packages.
            yield folder / "__init__.py", f'"""Sources of {each.title.lower()}."""\n'
