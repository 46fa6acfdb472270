"""Limits of the history that the ledger keeps: a DynamoDB item holds 400 KB, and retries have no limit.

The first and the last changes of an item stay, with the number left out between them; error texts are clipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# A history of this length is shortened before the next change is added. A transaction has up to 91 such items (a
# reopened batch and its superseded files), which stay below DynamoDB's 4 MB even if all of them are full.
MOST_CHANGES = 60
_FIRST = 10
_LAST = 30
_MOST_CAUSE_BYTES = 256
# The whole text of an error is in the log.
MOST_REASON_BYTES = 4_000
# The most dates in a batch's item; its manifest has all of them.
MOST_PARTITIONS = 1_000

Change = Mapping[str, Any]


def change_entry(at: str, state: str, cause: str, actor: str) -> dict[str, Any]:
    """A history entry: when the item changed, to which state, why, and who changed it."""
    limited = {"cause": clipped(cause, _MOST_CAUSE_BYTES), "actor": clipped(actor, _MOST_CAUSE_BYTES)}
    return {"at": at, "state": str(state), **limited}


def shortened(history: Sequence[Change]) -> list[dict[str, Any]]:
    """The first and last changes of a history; between them `{"left_out": n}` says how many are missing.

    `history` may be shortened already, and may hold longer texts than today's limit.
    """
    kept = [_limited(change) for change in history]
    if len(kept) <= _FIRST + 1 + _LAST:
        return kept
    left_out = sum(int(change.get("left_out", 1)) for change in kept[_FIRST:-_LAST])
    return [*kept[:_FIRST], {"left_out": left_out}, *kept[-_LAST:]]


def _limited(change: Change) -> dict[str, Any]:
    return {
        name: clipped(value, _MOST_CAUSE_BYTES) if isinstance(value, str) else value
        for name, value in change.items()
    }


def clipped(text: str, most_bytes: int) -> str:
    """`text`, clipped with an ellipsis if it is longer than `most_bytes` in UTF-8."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= most_bytes:
        return encoded.decode()
    return encoded[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"


def clipped_reason(reason: str | None) -> str | None:
    """A reason, clipped to the ledger's limit."""
    return None if reason is None else clipped(reason, MOST_REASON_BYTES)
