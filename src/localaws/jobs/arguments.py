"""A job's arguments: Glue's own ones honoured or refused, all of them handed to the script."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import NotSupported

# AWS docs: "Using job parameters in AWS Glue jobs". What would change what the script sees, and isn't played.
_REFUSED = (
    "--extra-jars",
    "--extra-files",
    "--user-jars-first",
    "--datalake-formats",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--python-modules-installer-option",
    "--use-postgres-driver",
)


@dataclass(frozen=True)
class PythonFiles:
    """S3 URIs: `extra` of --extra-py-files, `wheels` among --additional-python-modules; in their order."""

    extra: list[str]
    wheels: list[str]


def check_arguments(arguments: Mapping[str, str]) -> PythonFiles:
    """The files that the arguments name.

    Raises NotSupported for an argument of Glue's that isn't played, for something else than Python, and for
    an additional module that this Python hasn't got in that very version.
    """
    if refused := [name for name in _REFUSED if arguments.get(name)]:
        raise NotSupported(f"job argument {', '.join(refused)}")
    if arguments.get("--job-language", "python").lower() != "python":
        raise NotSupported(f"--job-language {arguments['--job-language']}: only python")
    if arguments.get("--job-bookmark-option", "job-bookmark-disable") != "job-bookmark-disable":
        raise NotSupported(
            f"--job-bookmark-option {arguments['--job-bookmark-option']}: only job-bookmark-disable"
        )
    modules = _split(arguments.get("--additional-python-modules"))
    for module in modules:
        if not module.startswith("s3://"):
            _check_installed(module)
    wheels = [module for module in modules if module.startswith("s3://")]
    for uri in wheels:
        if not re.fullmatch(r"s3://[^/]+/.+\.whl", uri):
            raise NotSupported(f"--additional-python-modules {uri}: an s3:// URI of a .whl")
    extra = _split(arguments.get("--extra-py-files"))
    for uri in extra:
        if not re.fullmatch(r"s3://[^/]+/.+\.(whl|zip|egg|py)", uri):
            raise NotSupported(f"extra Python file {uri!r}: an s3:// URI of a .whl, .zip, .egg or .py")
    return PythonFiles(extra, wheels)


def script_arguments(job: str, run_id: str, arguments: Mapping[str, str]) -> list[str]:
    """What the script finds in sys.argv[1:]: all arguments, and what Glue adds."""
    given = {name: value for name, value in arguments.items() if name not in ("--JOB_NAME", "--JOB_RUN_ID")}
    given |= {"--JOB_NAME": job, "--JOB_RUN_ID": run_id}
    return [text for name, value in given.items() for text in (name, str(value))]


def _split(names: str | None) -> list[str]:
    return [one.strip() for one in (names or "").split(",") if one.strip()]


def _check_installed(requirement: str) -> None:
    """On AWS pip installs it; here it must be there."""
    found = re.fullmatch(r"([\w.-]+)(?:\[[\w,.-]+\])?(?:==([\w.+-]+))?", requirement)
    if found is None:
        raise NotSupported(f"--additional-python-modules {requirement!r}: only name or name==version")
    name, version = found[1], found[2]
    try:
        installed = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise NotSupported(
            f"--additional-python-modules {requirement}: {name} is not installed here"
        ) from None
    if version and version != installed:
        raise NotSupported(
            f"--additional-python-modules {requirement}: version {installed} is installed here"
        )
