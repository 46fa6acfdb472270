"""Additional Python modules of a job: what pip installs on AWS, here compared with what is installed.

Source: AWS documentation, "Using Python libraries with AWS Glue", with its appendices A and B.
"""

from __future__ import annotations

import importlib.metadata
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from ..errors import NotSupported

FLAG = "--additional-python-modules"
OPTION = "--python-modules-installer-option"
BUNDLE = ".gluewheels.zip"

_REQUIREMENTS = "wheels/requirements.txt"
_NO_INDEX = "--no-index"
# Appendix B, Glue 5.0 and 5.1: Amazon Linux 2023 with glibc 2.34; pip takes wheels for that or an older one.
_PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)), "manylinux2014_x86_64")


def check_modules(modules: Sequence[str], option: str) -> None:
    """Compare the requested modules with what is installed, and with the installer's option.

    Raises NotSupported unless this Python has a module in exactly that version, or if pip would look for one at the
    package index though the option forbids it, or the other way round.
    """
    if option not in ("", _NO_INDEX):
        raise NotSupported(f"{OPTION} {option}: only {_NO_INDEX}")
    for module in modules:
        if module.endswith(BUNDLE) and option != _NO_INDEX:
            raise NotSupported(f"{FLAG} {module}: a zip of wheels needs {OPTION} {_NO_INDEX}")
        if module.startswith("s3://"):
            if not re.fullmatch(r"s3://[^/]+/.+\.(whl|gluewheels\.zip)", module):
                raise NotSupported(f"{FLAG} {module}: an s3:// URI of a .whl or {BUNDLE}")
        elif option == _NO_INDEX:
            raise NotSupported(f"{FLAG} {module}: with {OPTION} {_NO_INDEX} pip finds only what is in S3")
        else:
            _check_listed(module)


def check_bundle(uri: str, s3: Any) -> None:
    """Compare a zip of wheels with what is installed; only its table of contents and its requirements are read.

    Raises NotSupported if pip on Glue couldn't install it, or if another version is installed here; ClientError.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        with zipfile.ZipFile(io.BufferedReader(_Ranges(s3, bucket, key), 1 << 18)) as archive:
            names = archive.namelist()
            if _REQUIREMENTS not in names:
                raise NotSupported(f"{FLAG} {uri}: there is no {_REQUIREMENTS} in it")
            listed = archive.read(_REQUIREMENTS).decode().splitlines()
    except zipfile.BadZipFile:
        raise NotSupported(f"{FLAG} {uri}: no zip file") from None
    wheels = dict(_wheel(name, uri) for name in names if name.endswith(".whl"))
    for requirement in map(Requirement, filter(None, listed)):
        version = wheels.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            raise NotSupported(f"{FLAG} {uri}: there is no wheel of {requirement} in it")
    for name, version in wheels.items():
        _check_installed(name, str(version), f"{FLAG} {uri}")


def _wheel(member: str, uri: str) -> tuple[str, Version]:
    """Name and version."""
    try:
        name, version, _, tags = parse_wheel_filename(PurePosixPath(member).name)
    except InvalidWheelFilename as error:
        raise NotSupported(f"{FLAG} {uri}: {error}") from None
    if not tags & _glue_tags():
        raise NotSupported(f"{FLAG} {uri}: {member} is no wheel for Python 3.11 on Linux, x86_64, glibc 2.34")
    return name, version


def _glue_tags() -> set[Tag]:
    own = cpython_tags((3, 11), abis=["cp311"], platforms=_PLATFORMS)
    return {*own, *compatible_tags((3, 11), "cp311", _PLATFORMS)}


def _check_listed(requirement: str) -> None:
    """On AWS pip installs it; here it must be there."""
    found = re.fullmatch(r"([\w.-]+)(?:\[[\w,.-]+\])?(?:==([\w.+-]+))?", requirement)
    if found is None:
        raise NotSupported(f"{FLAG} {requirement!r}: only name or name==version")
    _check_installed(found[1], found[2], f"{FLAG} {requirement}")


def _check_installed(name: str, version: str | None, where: str) -> None:
    try:
        installed = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise NotSupported(f"{where}: {name} is not installed here") from None
    if version and Version(version) != Version(installed):
        raise NotSupported(f"{where}: {name} {version} is requested, version {installed} is installed here")


class _Ranges(io.RawIOBase):
    """An object in S3 as a file, of which only the ranges that are read are transferred."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3, self._object, self._at = s3, {"Bucket": bucket, "Key": key}, 0
        self._size = int(s3.head_object(**self._object)["ContentLength"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if self._at >= end:
            return 0
        body = self._s3.get_object(**self._object, Range=f"bytes={self._at}-{end - 1}")["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
