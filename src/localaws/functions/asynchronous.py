"""Asynchronous invocations: queued, and retried after a delay until the retries are exhausted."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import FunctionError
from .failures import Failures

log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class _Waiting:
    due: float
    number: int
    name: str = field(compare=False)
    event: dict[str, Any] = field(compare=False)
    attempts: int = field(compare=False, default=0)


class AsyncInvocations:
    """Lambda's internal queue for asynchronous invocation. AWS docs: "How Lambda handles errors and retries".

    `invoke(name, event)` raises FunctionError for a failed attempt. `delays_seconds` has one entry for each
    retry; `failures` knows how many of them a function is allowed, and takes the events whose retries are exhausted.
    """

    def __init__(
        self,
        invoke: Callable[[str, dict[str, Any]], Any],
        failures: Failures,
        delays_seconds: tuple[float, ...],
        threads: int = 6,
    ) -> None:
        self._invoke = invoke
        self._failures = failures
        self._delays = delays_seconds
        self._state = threading.Condition()
        self._heap: list[_Waiting] = []
        self._numbers = itertools.count()
        self._unfinished = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"localaws-async-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, name: str, event: dict[str, Any]) -> None:
        """Queue one event for the function `name`."""
        with self._state:
            self._unfinished += 1
            heapq.heappush(self._heap, _Waiting(time.monotonic(), next(self._numbers), name, event))
            self._state.notify()

    def idle(self) -> bool:
        """Whether nothing is queued, running, or waiting for its retry."""
        with self._state:
            return self._unfinished == 0

    def stop(self) -> None:
        """Take no more events from the queue; returns at once."""
        with self._state:
            self._closed = True
            self._state.notify_all()

    def join(self) -> None:
        """Wait for the threads to end, after `stop`."""
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (waiting := self._next()) is not None:
            try:
                again = self._attempt(waiting)
            except Exception:
                log.exception("function %s: the event of an asynchronous invocation is lost", waiting.name)
                again = None
            with self._state:
                if again is None:
                    self._unfinished -= 1
                else:
                    heapq.heappush(self._heap, again)
                self._state.notify()

    def _next(self) -> _Waiting | None:
        with self._state:
            while not self._closed:
                if not self._heap:
                    self._state.wait()
                elif (seconds := self._heap[0].due - time.monotonic()) > 0:
                    self._state.wait(seconds)
                else:
                    return heapq.heappop(self._heap)
            return None

    def _attempt(self, waiting: _Waiting) -> _Waiting | None:
        """Invoke once; returns the retry that is to follow, if any."""
        try:
            self._invoke(waiting.name, waiting.event)
            return None
        except FunctionError as error:
            attempts = waiting.attempts + 1
            if self._closed:
                return None
            if attempts > min(len(self._delays), self._failures.allowed_retries(waiting.name)):
                self._failures.add(waiting.name, waiting.event, error, attempts)
                return None
            delay = self._delays[attempts - 1]
            log.warning("function %s, attempt %d: %s; again in %gs", waiting.name, attempts, error, delay)
            due = time.monotonic() + delay
            return _Waiting(due, next(self._numbers), waiting.name, waiting.event, attempts)
