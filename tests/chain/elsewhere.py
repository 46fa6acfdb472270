"""A checkout and a machine of the uncomfortable kind: what the README's commands must work with."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gluebook.deployment.wheels import STORE

ROOT = Path(__file__).parents[2]
_DEBIANS_PYTHON = Path("/usr/bin/python3.11")
_NOT_COPIED = (".git", ".venv*", "build", ".*_cache", "__pycache__", ".hypothesis")
# What the packages bring along; nobody is to need one of his own.
_NOT_ON_THE_PATH = re.compile(r"java|jdk|jre|postgres|psql|pg_|initdb|node|npm|npx|docker|podman|conda")


@dataclass(frozen=True)
class Elsewhere:
    """A checkout that is set up; `folder` may be written by the user as whom its commands run."""

    folder: Path
    checkout: Path
    environment: dict[str, str]
    as_user: dict[str, Any]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=550,
            check=False,
            umask=0o077,
            **self.as_user,
        )


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """A copy of this checkout, set up by its Makefile, in a path with a space and a letter beyond ASCII.

    Its Python is Debian's, its user isn't root, has umask 077, another time zone and no locale, and finds neither
    Java nor PostgreSQL nor Node nor Docker. What this machine can't offer is told as a warning.
    """
    with tempfile.TemporaryDirectory(prefix="gluebook-elsewhere-") as base:
        folder = Path(base)
        folder.chmod(0o755)  # as root we aren't who is to get in
        checkout = folder / "chéck out"
        shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        for name in ("home", "tmp", "bin"):
            (folder / name).mkdir()
        link_programs(folder / "bin", _NOT_ON_THE_PATH)
        environment = {
            "PATH": str(folder / "bin"),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "TZ": "America/St_Johns",
            "LC_ALL": "C",
        }
        place = Elsewhere(folder, checkout, environment, _somebody(folder))
        python = _python()
        if place.run("env", str(python), "--version").returncode:
            place = _by_root(place, python)
        packages = _make_venv(place, python)
        if place.run("test", "-r", str(packages / "pip" / "__init__.py")).returncode:
            place = _by_root(place, packages)
        done = place.run("make", "--no-print-directory", "setup")
        assert done.returncode == 0, done.stdout + done.stderr
        yield place


def link_programs(where: Path, but: re.Pattern[str]) -> None:
    """Make the folder `where` a PATH of its own: the system's programs but for those whose name has `but` in it."""
    for folder in map(Path, ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")):
        for program in folder.iterdir() if folder.is_dir() else ():
            if not but.search(program.name) and not (where / program.name).is_symlink():
                (where / program.name).symlink_to(program)


def _somebody(folder: Path) -> dict[str, Any]:
    """subprocess's arguments for a user who isn't root, to whom all in `folder` is given."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _python() -> Path:
    if _DEBIANS_PYTHON.exists():
        return _DEBIANS_PYTHON
    warnings.warn(f"there is no {_DEBIANS_PYTHON}: run with the Python of these tests", stacklevel=2)
    return Path(sys.executable).resolve()


def _by_root(place: Elsewhere, unreachable: Path) -> Elsewhere:
    warnings.warn(f"only root can get to {unreachable}: run as root", stacklevel=3)
    return replace(place, as_user={})


def _make_venv(place: Elsewhere, python: Path) -> Path:
    """An environment with the packages of this one, but for the project itself; nothing is installed anew.

    Returns the folder of its packages.
    """
    venv = place.checkout / ".venv"
    done = place.run(str(python), "-m", "venv", "--without-pip", str(venv))
    assert done.returncode == 0, done.stderr
    packages = venv / "lib" / "python3.11" / "site-packages"
    ours = Path(sys.prefix) / "lib" / "python3.11" / "site-packages"
    # Hard links have no other path to be found by; where there can't be any, symbolic ones must do.
    same_device = ours.stat().st_dev == packages.stat().st_dev
    for entry in ours.iterdir():
        if "gluebook" not in entry.name:
            how = "-al" if same_device else "-as"
            subprocess.run(["cp", how, str(entry), str(packages / entry.name)], check=True)
    if STORE.is_dir():
        subprocess.run(
            ["cp", "-al" if same_device else "-as", str(STORE), str(venv / STORE.name)], check=True
        )
    (venv / ".locked").touch()
    os.chown(venv / ".locked", packages.stat().st_uid, packages.stat().st_gid)
    return packages
