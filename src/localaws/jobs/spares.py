"""The Java of each job: kept from run to run, and made ready before the first one."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import LocalAwsError
from ..processes import Process
from ..threads import Threads
from .java import Java, WarmStart

log = logging.getLogger(__name__)

_PREPARING_SECONDS = 180.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Kind:
    """What runs have in common that use the same Java, one after the other. `conf`: the job's --conf."""

    job: str
    role: str
    conf: str | None


class _Spare:
    """A Java that no run uses. `ready` gives it, or None if it is of no use; `wanted` ends its preparation early."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.wanted = threading.Event()
        self.ready: Future[Java | None] = Future()
        self.starting: Java | None = None

    def take(self) -> Java | None:
        """It, without waiting longer than necessary."""
        self.wanted.set()
        return self.ready.result()

    def discard(self) -> None:
        """End it, ready or not."""
        self.wanted.set()
        if self.starting:
            self.starting.close()
        if java := self.ready.result():
            java.close()


class Spares:
    """At most one idle Java for each job, until `close`."""

    def __init__(self, start: WarmStart) -> None:
        self._start = start
        self._spares: dict[str, _Spare] = {}
        self._lock = threading.Lock()
        self._threads = Threads("spare")

    @contextmanager
    def lend(self, kind: Kind, arguments: Sequence[str]) -> Iterator[Java]:
        """The job's idle Java if it is of that kind, else a new one, which may not answer yet.

        It is kept for the job's next run if it is idle in the end. If not it is closed, and another one is prepared;
        `arguments`: those of the job's script. Raises OSError.
        """
        java = self._take(kind)
        try:
            yield java
        finally:
            if java.reusable():
                spare = _Spare(kind)
                spare.ready.set_result(java)
                self._put(spare)
            else:
                java.close()
                self.prepare(kind, arguments)

    def prepare(self, kind: Kind, arguments: Sequence[str]) -> None:
        """Have a Java ready for the job's next run, in the background; `arguments`: those of its script.

        Nothing is done without a program that prepares it, or if one of that kind is there.
        """
        with self._lock:
            there = self._spares.get(kind.job)
        if not self._start.prepare or (there and there.kind == kind):
            return
        spare = _Spare(kind)
        if self._threads.start(kind.job, partial(self._prepare, spare, arguments)):
            self._put(spare)

    def wait_ready(self) -> None:
        """Wait until those that are being prepared are ready."""
        with self._lock:
            spares = tuple(self._spares.values())
        wait([spare.ready for spare in spares])

    def close(self) -> None:
        """End all that no run uses, now and later."""
        self._threads.close()
        with self._lock:
            spares = tuple(self._spares.values())
            self._spares.clear()
        for spare in spares:
            spare.discard()
        self._threads.join()

    def _take(self, kind: Kind) -> Java:
        with self._lock:
            spare = self._spares.pop(kind.job, None)
        java = spare.take() if spare else None
        if java is not None:
            if spare and spare.kind == kind and java.alive():
                return java
            java.close()
        return Java(self._start, kind.conf)

    def _put(self, spare: _Spare) -> None:
        """Keep it in the place of the one before; after `close` nothing is kept."""
        with self._lock:
            if self._threads.closed:
                before: _Spare | None = spare
            else:
                before = self._spares.get(spare.kind.job)
                self._spares[spare.kind.job] = spare
        if before:
            before.discard()

    def _prepare(self, spare: _Spare, arguments: Sequence[str]) -> None:
        java = None
        try:
            java = self._prepared(spare, arguments)
        except (LocalAwsError, OSError) as error:
            if not self._threads.closed:
                log.warning("no Java is ready for job %s: %s", spare.kind.job, error)
        finally:
            spare.ready.set_result(java)

    def _prepared(self, spare: _Spare, arguments: Sequence[str]) -> Java:
        """Raises LocalAwsError, OSError."""
        java = spare.starting = Java(self._start, spare.kind.conf)
        try:
            java.connect()
            self._run_program(java, spare, arguments)
            java.leave()
        except BaseException:
            java.close()
            raise
        return java

    def _run_program(self, java: Java, spare: _Spare, arguments: Sequence[str]) -> None:
        """To its end, or until the Java is wanted."""
        with tempfile.TemporaryDirectory(prefix="localaws-spare-") as name:
            folder = Path(name)
            environment = {
                **java.enter(folder, folder, (), _log),
                **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
                **{"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"},
            }
            with closing(Process([*self._start.prepare, *arguments], environment, folder, _log)) as program:
                deadline = time.monotonic() + _PREPARING_SECONDS
                while program.alive() and time.monotonic() < deadline:
                    if spare.wanted.wait(_LOOK_SECONDS):
                        return
                if program.exit_code() != 0:
                    log.warning("job %s: %s failed", spare.kind.job, " ".join(self._start.prepare))


def _log(line: bytes) -> None:
    log.info("%s", line.decode(errors="replace").rstrip())
