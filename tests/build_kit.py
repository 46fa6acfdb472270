"""A checkout to build from, which a test may change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gluebook.deployment.build import project_root

_PARTS = (
    "pyproject.toml",
    "README.md",
    "requirements.lock",
    "src/gluebook",
    "lambda",
    "expectations",
    "glue",
    "infra",
)


def checkout(folder: Path) -> Path:
    """A copy of this checkout's sources in `folder`."""
    for part in _PARTS:
        source, target = project_root() / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def check_out_again(folder: Path, seconds: int) -> None:
    """Give every file another time and another mode, as another clone has."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        os.utime(path, (seconds, seconds))
        path.chmod(0o600)
