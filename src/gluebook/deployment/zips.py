"""Reproducible zip files: the same members give the same bytes on every machine."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

_HASH_DIGITS = 16
# The earliest time that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
# Readable for everyone: AWS Lambda unpacks them as one user and runs them as another.
_MODE = stat.S_IFREG | 0o644


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of `members` by name. Not compressed, because zlib's output depends on its version."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = 3  # Unix, so that the mode counts
            info.external_attr = _MODE << 16
            archive.writestr(info, members[name])
    return made.getvalue()


def write_addressed(folder: Path, name: str, body: bytes) -> Path:
    """Write `body` to <folder>/<hash of body>/<name> unless it exists; returns the path."""
    target = folder / hashlib.sha256(body).hexdigest()[:_HASH_DIGITS] / name
    if not target.is_file():
        write_whole(target, body)
    return target


def write_whole(target: Path, body: bytes) -> Path:
    """Write `body` atomically: concurrent readers see the old or the new file. Returns `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as aside:
        try:
            aside.write(body)
            aside.close()
            os.replace(aside.name, target)  # noqa: PTH105 - a NamedTemporaryFile has a name, no path
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise
    return target
