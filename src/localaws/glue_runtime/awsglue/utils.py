"""Arguments of a Glue script. AWS docs: "Accessing parameters using getResolvedOptions"."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What Glue itself hands to a script and puts into the result unasked; asking for it is an error.
_GIVEN = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION")
_BOOKMARK = "job-bookmark-option"
_RESERVED = (*_GIVEN, _BOOKMARK, "job_bookmark_option", "job-bookmark-from", "job-bookmark-to")


class GlueArgumentError(Exception):
    """The script's arguments are not what it asks for."""


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802 - AWS's name
    """The values of the named arguments out of `args`, which is sys.argv (its first entry is the script).

    `--name value` and `--name=value` are the same; a value given twice counts the last time; arguments
    that weren't asked for are skipped. Every name in `options` is required, with or without leading dashes.
    Besides them the result has JOB_ID, JOB_RUN_ID, SECURITY_CONFIGURATION and job_bookmark_option when given.

    Raises RuntimeError for a name that Glue reserves, GlueArgumentError for a name that is missing or has no
    value. A value that looks like an option ("-x", "--x") can only be given as `--name=-x`.
    """
    wanted = [name.lstrip("-") for name in options]
    if reserved := [name for name in wanted if name in _RESERVED]:
        raise RuntimeError(f"Using reserved arguments {', '.join(reserved)}")
    given = _given(list(args)[1:], {*wanted, *_GIVEN, _BOOKMARK})
    if missing := [name for name in wanted if name not in given]:
        required = ", ".join(f"--{name}" for name in missing)
        raise GlueArgumentError(f"the following arguments are required: {required}")
    return {"job_bookmark_option": given.pop(_BOOKMARK, "job-bookmark-disable"), **given}


def _given(arguments: list[str], names: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(arguments):
        match = re.fullmatch(r"--([^=]+)(?:=(.*))?", arguments[place], re.DOTALL)
        place += 1
        if match is None or match[1] not in names:
            continue
        if match[2] is not None:
            found[match[1]] = match[2]
        elif place < len(arguments) and not _looks_like_an_option(arguments[place]):
            found[match[1]] = arguments[place]
            place += 1
        else:
            raise GlueArgumentError(f"argument --{match[1]}: expected one argument")
    return found


def _looks_like_an_option(text: str) -> bool:
    """As argparse sees it, on which Glue's own parser is built: not "-", a negative number, or with a space."""
    return len(text) > 1 and text[0] == "-" and " " not in text and not re.fullmatch(r"-\d+|-\d*\.\d+", text)
