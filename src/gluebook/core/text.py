"""Make external text safe to display: keys, reasons and records may contain any character."""

from __future__ import annotations

import json
import re


def printable(text: str, keep: str = "") -> str:
    """`text` with unprintable characters escaped as in JSON: a line break as `\\n`.

    These are control characters, bidirectional marks, and all spaces except U+0020. `keep`: exceptions.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else json.dumps(one)[1:-1] for one in text)


def without_markdown(text: str) -> str:
    """A line of Markdown as plain text: links without their targets, code without its quotes."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text).replace("`", "")
