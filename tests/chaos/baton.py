"""Run one actor at a time: every actor has its own thread, and only the holder of the baton runs.

An actor stops before each external call (a door). The schedule says how many calls it may make and what happens to
the next one, so a schedule runs the same way every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from botocore.exceptions import ClientError, ReadTimeoutError

CRASH_BEFORE, CRASH_AFTER = "crash_before_write", "crash_after_write"
THROTTLED, LOST_ANSWER = "throttled", "lost_answer"
FAULTS = (CRASH_BEFORE, CRASH_AFTER, THROTTLED, LOST_ANSWER)
TO_THE_END = 1_000_000

Answer = TypeVar("Answer")

_current = threading.local()


class Crash(BaseException):
    """The process is dead; no error handler catches this."""


class Actor:
    """One invocation, run or command. `fault` affects the first matching call after `calls` calls."""

    def __init__(self, kind: str, name: str, work: Callable[[], Any]) -> None:
        self.kind = kind
        self.name = name
        self.made = 0
        self.befell: list[str] = []
        self.done = False
        self.outcome = ""
        self.answer: Any = None
        self.error: BaseException | None = None
        self.last = ""
        self._work = work
        self._calls = 0
        self._fault: str | None = None
        self._until: str | None = None
        self._dead = False
        self._turn, self._back = threading.Lock(), threading.Lock()
        self._turn.acquire()
        self._back.acquire()
        self._thread: threading.Thread | None = None

    def go(self, calls: int, fault: str | None = None, until: str | None = None) -> None:
        """Let it make `calls` calls and then inject the fault; returns when it stops or ends.

        It stops before the first call whose name begins with `until`, at the latest.
        """
        if self.done:
            return
        self._calls, self._fault, self._until = calls, fault, until
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
        else:
            self._turn.release()
        self._back.acquire()

    def kill(self) -> None:
        """Kill it where it stopped."""
        self._dead = True
        self.go(TO_THE_END)

    def door(self, what: str, writes: bool, call: Callable[[], Answer]) -> Answer:
        """Make a call when the schedule allows it."""
        while self._must_stop(what):
            self.last = what
            self._back.release()
            self._turn.acquire()
        if self._dead:
            raise Crash("dead already")
        fault = self._take_fault(writes)
        self.made += 1
        if fault is None:
            return call()
        self.befell.append(fault)
        if fault == THROTTLED:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, what)
        if fault == CRASH_BEFORE:
            self._die(what)
        call()
        if fault == CRASH_AFTER:
            self._die(what)
        raise ReadTimeoutError(endpoint_url=what)

    def _must_stop(self, what: str) -> bool:
        used_up = self._calls == 0 and self._fault is None
        return not self._dead and (used_up or (self._until is not None and what.startswith(self._until)))

    def _take_fault(self, writes: bool) -> str | None:
        if self._calls:
            self._calls -= 1
            return None
        if self._fault != THROTTLED and not writes:
            return None
        fault, self._fault = self._fault, None
        return fault

    def _die(self, what: str) -> NoReturn:
        self._dead = True
        raise Crash(what)

    def _run(self) -> None:
        _current.actor = self
        try:
            self.answer = self._work()
            self.outcome = "done"
        except Crash as crash:
            self.outcome, self.error = "crashed", crash
        except Exception as error:  # noqa: BLE001  whatever it died of is looked at by the world
            self.outcome, self.error = "failed", error
        self.done = True
        self._back.release()


def door(what: str, writes: bool, call: Callable[[], Answer]) -> Answer:
    """Make a call as the actor of this thread; at once if the thread belongs to no actor."""
    actor: Actor | None = getattr(_current, "actor", None)
    return actor.door(what, writes, call) if actor else call()


class InLine:
    """A thread pool without threads: runs tasks in order in the calling thread."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __enter__(self) -> InLine:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, work: Callable[[Any], Any], *items: Any) -> list[Any]:
        return [work(*values) for values in zip(*items, strict=True)]
