"""Taking over from moto, for as long as a player lives, what moto only pretends to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Takeover:
    """Attributes of moto's classes and modules, replaced; `undo` puts the originals back.

    moto's state is one per process, so one player of a kind is alive at a time; players that are
    closed in the reverse order of their making leave moto as they found it.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, new: Any) -> Any:
        """Set `owner.name` to `new`; returns what was there (None if there was nothing)."""
        missing = object()
        old = vars(owner).get(name, missing)
        setattr(owner, name, new)
        if old is missing:
            self._undo.append(lambda: delattr(owner, name))
            return None
        self._undo.append(lambda: setattr(owner, name, old))
        return old

    def undo(self) -> None:
        """Put everything back, the last replaced first; a second call does nothing."""
        while self._undo:
            self._undo.pop()()
