"""How much of the past the ledger keeps: a DynamoDB item holds 400 KB, and a batch may be tried without end.

The first and the last changes of an item stay, with how many lie between; texts of errors stay up to a limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# A history of this length is shortened before the next change is added. A transaction has up to 91 such items (a
# batch opened again with files of it), which stay below DynamoDB's 4 MB even if all of them are full.
MOST_CHANGES = 60
_FIRST = 10
_LAST = 30
_MOST_CAUSE_BYTES = 256
# The whole text of an error is in the log of who met it.
MOST_REASON_BYTES = 4_000
# As many dates as a batch's item names; its manifest has all of them.
MOST_PARTITIONS = 1_000

Change = Mapping[str, Any]


def a_change(at: str, state: str, cause: str, actor: str) -> dict[str, Any]:
    """One change of an item, as its history keeps it: when, to which state, why, and who did it."""
    limited = {"cause": clipped(cause, _MOST_CAUSE_BYTES), "actor": clipped(actor, _MOST_CAUSE_BYTES)}
    return {"at": at, "state": str(state), **limited}


def shortened(history: Sequence[Change]) -> list[dict[str, Any]]:
    """The first and last changes of a history; between them `{"left_out": n}` says how many are missing.

    A history that was shortened before, or that holds longer texts than are kept today, may come in.
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
    """`text`, or as much of its beginning as `most_bytes` of UTF-8 hold with an ellipsis."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= most_bytes:
        return encoded.decode()
    return encoded[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"


def clipped_reason(reason: str | None) -> str | None:
    """A reason as the ledger keeps it."""
    return None if reason is None else clipped(reason, MOST_REASON_BYTES)
