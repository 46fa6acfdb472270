"""The zip of wheels that AWS Glue installs before a run: all that a job imports besides PySpark, as locked.

The format is AWS's ("Using Python libraries with AWS Glue", "Zip of Wheels" and Appendix A): the name ends in
.gluewheels.zip, and a folder wheels/ holds requirements.txt and a wheel of each requirement and its
dependencies. Glue installs it with --no-index, so no later release changes what a run imports.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from gluebook.deployment.zips import write_addressed, zipped
from gluebook.errors import ConfigurationError

# In the environment, like the locked packages.
STORE = Path(sys.prefix) / "glue-wheels"

# Appendix B of that page: Glue 5.1 has Python 3.11 on Amazon Linux 2023 (glibc 2.34) on x86_64, which takes every
# wheel for that glibc or an older one.
_PYTHON = "3.11"
_PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)), "manylinux2014_x86_64")
_MARKERS = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_version": _PYTHON,
    "sys_platform": "linux",
}


def bundle(root: Path, folder: Path) -> Path:
    """Write the zip of wheels for the checkout at `root` to <folder>/<hash>/gluebook.gluewheels.zip.

    Wheels that the environment's store lacks are downloaded from the package index, as `make setup` does.
    Raises ConfigurationError if the download fails, or if the lock lacks a requirement.
    """
    pins = requirements(root)
    wheels = _stored(pins, STORE)
    listed = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    members = {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    members["wheels/requirements.txt"] = listed.encode()
    return write_addressed(folder, "gluebook.gluewheels.zip", zipped(members))


def requirements(root: Path) -> dict[str, str]:
    """The version of each package in the zip, by name: those of the extra `glue` and their dependencies.

    Includes packages that Glue ships: AWS requires every transitive dependency, and a run then imports the tested
    versions. Raises ConfigurationError if one is not locked.
    """
    lock = _lock(root / "requirements.lock")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    wanted = [Requirement(text) for text in project["project"]["optional-dependencies"]["glue"]]
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate(_MARKERS)):
            continue
        if name not in lock or lock[name] not in requirement.specifier:
            raise ConfigurationError(
                f"requirements.lock lacks {requirement}, which jobs need; run `make lock`"
            )
        found[name] = lock[name]
        wanted += [Requirement(text) for text in importlib.metadata.requires(name) or ()]
    return found


def _lock(file: Path) -> dict[str, str]:
    lines = (re.match(r"([\w.-]+)==(\S+)", line) for line in file.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(line[1]): line[2] for line in lines if line}


def _stored(pins: Mapping[str, str], store: Path) -> list[Path]:
    """A wheel for each of `pins`, downloaded to `store` if missing. Raises ConfigurationError."""
    store.mkdir(exist_ok=True)
    found = _find(pins, store)
    if missing := pins.keys() - found.keys():
        with tempfile.TemporaryDirectory(dir=store, prefix=".download-") as scratch:
            _download([f"{name}=={pins[name]}" for name in sorted(missing)], Path(scratch))
            for wheel in Path(scratch).glob("*.whl"):
                wheel.replace(store / wheel.name)
        found = _find(pins, store)
    if missing := pins.keys() - found.keys():
        raise ConfigurationError(f"pip downloaded no wheel of {', '.join(sorted(missing))} to {store}")
    return list(found.values())


def _find(pins: Mapping[str, str], store: Path) -> dict[str, Path]:
    found = {}
    for wheel in sorted(store.glob("*.whl")):
        name, version, *_ = parse_wheel_filename(wheel.name)
        if name in pins and Version(pins[name]) == version:
            found[str(name)] = wheel
    return found


def _download(exact: list[str], folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", _PYTHON]
    command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
    done = subprocess.run(
        [*command, "--dest", str(folder), *exact], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigurationError(
            f"cannot download the wheels that AWS Glue installs: {done.stderr.strip()[-2000:]}"
        )
