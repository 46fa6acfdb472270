"""Peak memory of a process and of all that it has started."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType

import psutil

_EVERY_SECONDS = 0.25
# The warehouse is the same for every contender, so it is no part of any.
_WAREHOUSE = "postgres"


class PeakMemory:
    """Samples a process tree until the block ends; `peak_bytes` is the highest sum that was seen.

    Summed are proportional shares (PSS), so that pages which forked processes share count once. `without_root`
    leaves the process `pid` itself out: Gluebook's holds the laptop's AWS, which on AWS is somebody else's.
    """

    def __init__(self, pid: int, *, without_root: bool) -> None:
        self._root, self._without_root = psutil.Process(pid), without_root
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self.peak_bytes = 0

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_SECONDS):
            with contextlib.suppress(psutil.Error):
                own = [] if self._without_root else [self._root]
                tree = [*own, *self._root.children(recursive=True)]
                self.peak_bytes = max(self.peak_bytes, sum(map(_bytes, tree)))


def _bytes(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return 0 if process.name() == _WAREHOUSE else int(process.memory_full_info().pss)
    return 0
