"""Make the artefacts that run on AWS, and on the laptop: one wheel for the jobs, one layer for the functions.

The wheel lies in a folder named by its content, so that a job's argument changes exactly when its code does.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from gluebook.errors import ConfigurationError

_HASH_DIGITS = 16


@dataclass(frozen=True)
class Artefacts:
    """What was built: `wheel` at build/wheel/<hash>/<name>.whl, `layer` the folder the functions' layer is of."""

    wheel: Path
    layer: Path

    @property
    def wheel_key(self) -> str:
        """The key under which the wheel is uploaded beside the packaged artefacts."""
        return f"wheels/{self.wheel.parent.name}/{self.wheel.name}"


def project_root() -> Path:
    """The checkout that this command works on. Raises ConfigurationError outside of one."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "infra" / "pipeline.yaml").is_file() and (folder / "pyproject.toml").is_file():
            return folder
    raise ConfigurationError("this needs the gluebook checkout: no infra/pipeline.yaml here or above")


def build(root: Path) -> Artefacts:
    """Build wheel and layer from the checkout at `root`; the same sources give the same bytes.

    Raises ConfigurationError with the build tool's words if it fails.
    """
    target = root / "build"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=target) as scratch:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigurationError(f"the wheel can't be built: {done.stderr.strip()[-2000:]}")
        built = next(Path(scratch).glob("*.whl"))
        digest = _digest(built)
        wheel = target / "wheel" / digest / built.name
        wheel.parent.mkdir(parents=True, exist_ok=True)
        built.replace(wheel)
    return Artefacts(wheel, _layer(wheel, target / "layer"))


def _digest(wheel: Path) -> str:
    """A hash of the package in the wheel; what is only told about it (the README) doesn't count."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(name for name in archive.namelist() if name.startswith("gluebook/")):
            digest.update(f"{name}\0".encode() + hashlib.sha256(archive.read(name)).digest())
    return digest.hexdigest()[:_HASH_DIGITS]


def _layer(wheel: Path, layer: Path) -> Path:
    """Unpack the wheel where a Lambda layer has its Python packages."""
    shutil.rmtree(layer, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith("gluebook/")]
        archive.extractall(layer / "python", members)
    return layer
