"""`python jupyter.py NOTEBOOK NAME=VALUE ...`: run all cells as JupyterLab does, on the project's kernel.

The values are put into the parameters cell, as somebody would who works in JupyterLab.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(path: Path, values: dict[str, str]) -> None:
    """Raises CellExecutionError if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in values.items():
        cell.source, count = re.subn(rf"(?m)^({name}: str = ).*$", rf"\g<1>{json.dumps(value)}", cell.source)
        assert count == 1, name
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()


if __name__ == "__main__":
    main(Path(sys.argv[1]), dict(word.split("=", 1) for word in sys.argv[2:]))
