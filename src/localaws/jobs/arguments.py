"""A job's arguments: Glue's own ones honoured or refused, all of them handed to the script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import NotSupported
from .modules import BUNDLE, FLAG, OPTION, check_modules

# AWS docs: "Using job parameters in AWS Glue jobs". These would change what the script sees, and aren't supported.
_REFUSED = (
    "--extra-jars",
    "--extra-files",
    "--user-jars-first",
    "--datalake-formats",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--use-postgres-driver",
)


@dataclass(frozen=True)
class PythonFiles:
    """S3 URIs, in their order: `extra` of --extra-py-files; of --additional-python-modules `wheels` and, zips of
    wheels, `bundles`.
    """

    extra: list[str]
    wheels: list[str]
    bundles: list[str]


def check_arguments(arguments: Mapping[str, str]) -> PythonFiles:
    """The files that the arguments name.

    Raises NotSupported for an argument of Glue that isn't supported, for another language than Python, and
    for an additional module that isn't installed here in exactly that version.
    """
    if refused := [name for name in _REFUSED if arguments.get(name)]:
        raise NotSupported(f"job argument {', '.join(refused)}")
    if arguments.get("--job-language", "python").lower() != "python":
        raise NotSupported(f"--job-language {arguments['--job-language']}: only python")
    if arguments.get("--job-bookmark-option", "job-bookmark-disable") != "job-bookmark-disable":
        raise NotSupported(
            f"--job-bookmark-option {arguments['--job-bookmark-option']}: only job-bookmark-disable"
        )
    modules = _split(arguments.get(FLAG))
    check_modules(modules, arguments.get(OPTION, ""))
    extra = _split(arguments.get("--extra-py-files"))
    for uri in extra:
        if not re.fullmatch(r"s3://[^/]+/.+\.(whl|zip|egg|py)", uri):
            raise NotSupported(f"extra Python file {uri!r}: an s3:// URI of a .whl, .zip, .egg or .py")
    return PythonFiles(
        extra,
        [module for module in modules if module.endswith(".whl")],
        [module for module in modules if module.endswith(BUNDLE)],
    )


def script_arguments(job: str, run_id: str, arguments: Mapping[str, str]) -> list[str]:
    """What the script finds in sys.argv[1:]: all arguments, and what Glue adds."""
    given = {name: value for name, value in arguments.items() if name not in ("--JOB_NAME", "--JOB_RUN_ID")}
    given |= {"--JOB_NAME": job, "--JOB_RUN_ID": run_id}
    return [text for name, value in given.items() for text in (name, str(value))]


def _split(names: str | None) -> list[str]:
    return [one.strip() for one in (names or "").split(",") if one.strip()]
