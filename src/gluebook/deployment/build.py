"""Build the artefacts that run on AWS and on the laptop; the same sources give the same bytes.

Artefacts that a job's arguments name are in a folder named by their hash, so the arguments change exactly when they
do. `aws cloudformation package` uploads the others under their hash.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from gluebook.deployment.wheels import bundle
from gluebook.deployment.zips import write_addressed, write_whole, zipped
from gluebook.errors import ConfigurationError


@dataclass(frozen=True)
class Artefacts:
    """The built artefacts.

    `package`: build/package/<hash>/gluebook.zip, for --extra-py-files; a zip, because executors ignore wheels.
    `modules`: build/modules/<hash>/gluebook.gluewheels.zip, for --additional-python-modules.
    `layer` and `functions`: build/layer.zip and build/functions/<name>.zip, which the template names.
    """

    package: Path
    modules: Path
    layer: Path
    functions: tuple[Path, ...]

    @property
    def package_key(self) -> str:
        """The key under which the package is uploaded beside the packaged artefacts."""
        return _key(self.package)

    @property
    def modules_key(self) -> str:
        """The key under which the modules are uploaded beside the packaged artefacts."""
        return _key(self.modules)


def project_root() -> Path:
    """The root of the checkout. Raises ConfigurationError outside of one."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "infra" / "pipeline.yaml").is_file() and (folder / "pyproject.toml").is_file():
            return folder
    raise ConfigurationError(
        "this needs the gluebook checkout: no infra/pipeline.yaml in this or a parent folder"
    )


def build(root: Path) -> Artefacts:
    """Build all artefacts from the checkout at `root`; safe to run concurrently.

    Raises ConfigurationError with the build tool's error if it fails.
    """
    target = root / "build"
    target.mkdir(exist_ok=True)
    package = _package(root, target)
    layer = {f"python/{name}": body for name, body in package.items()}
    return Artefacts(
        write_addressed(target / "package", "gluebook.zip", zipped(package)),
        bundle(root, target / "modules"),
        write_whole(target / "layer.zip", zipped(layer)),
        tuple(
            write_whole(target / "functions" / f"{handler.parent.name}.zip", zipped(_sources(handler.parent)))
            for handler in sorted((root / "lambda").glob("*/handler.py"))
        ),
    )


def _key(artefact: Path) -> str:
    return "/".join(artefact.parts[-3:])


def _package(root: Path, target: Path) -> dict[str, bytes]:
    """The contents of the package's wheel by file name."""
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=target) as scratch:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigurationError(f"cannot build the package: {done.stderr.strip()[-2000:]}")
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            names = [name for name in wheel.namelist() if name.startswith("gluebook/")]
            return {name: wheel.read(name) for name in names}


def _sources(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}
