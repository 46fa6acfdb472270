"""A caller that dies before its n-th call of the ledger or the objects."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Died(BaseException):
    """The process is dead; no error handler catches this."""


class Calls:
    """Counts calls; dies at number `dies_at` and at every later one; never if it is None."""

    def __init__(self, dies_at: int | None = None) -> None:
        self._lock = threading.Lock()
        self._dies_at = dies_at
        self.count = 0

    def next(self) -> int:
        """The number of this call, from 1."""
        with self._lock:
            self.count += 1
            if self._dies_at is not None and self.count >= self._dies_at:
                raise Died
            return self.count


class Dying:
    """A proxy for a ledger or objects; several may share their `calls`."""

    def __init__(self, inner: Any, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls.next()
            return method(*args, **kwargs)

        return call


def calls_of(work: Callable[[Calls], Any]) -> int:
    """Number of calls that `work` makes without dying."""
    calls = Calls()
    work(calls)
    return calls.count
