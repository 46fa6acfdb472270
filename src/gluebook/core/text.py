"""Text that others have written, for people to look at: keys, reasons, records may hold any character."""

from __future__ import annotations

import json
import re


def shown(text: str, keep: str = "") -> str:
    """`text` with what can't be seen, or would steer a terminal, as JSON writes it: a line break as `\\n`.

    Such are control characters, marks that change the direction of writing, and all spaces but the usual one.
    `keep`: those of them that stay.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else json.dumps(one)[1:-1] for one in text)


def without_markdown(text: str) -> str:
    """A line of Markdown as plain text: links without their targets, code without its quotes."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text).replace("`", "")
