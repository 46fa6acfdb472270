"""Work in the background: a thread for each run, crawl or session, and the folder of their logs."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


def made_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """`items`, each made in a thread while the caller works on the one before; raises what making one raises."""
    with ThreadPoolExecutor(1, thread_name_prefix="localaws-ahead") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


class Threads:
    """Threads that are started until `close`, which waits for them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self.closed = False

    def start(self, name: str, work: Callable[[], None]) -> bool:
        """Do `work` in a thread; False, and nothing is done, once these were closed."""
        thread = threading.Thread(
            target=self._run, args=(name, work), name=f"localaws-{self._name}-{name}", daemon=True
        )
        with self._lock:
            if not self.closed:
                self._running.add(thread)
                thread.start()
            return not self.closed

    def idle(self) -> bool:
        """Whether no thread is running."""
        with self._lock:
            return not self._running

    def close(self) -> None:
        """Start no more threads. Work that checks `closed` ends early; see `join`."""
        with self._lock:
            self.closed = True

    def join(self) -> None:
        """Wait for all of them, after `close`."""
        with self._lock:
            running = tuple(self._running)
        for thread in running:
            thread.join()

    def _run(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("%s %s", self._name, name)
        finally:
            with self._lock:
                self._running.discard(threading.current_thread())


class Logs:
    """What processes print, a file NAME.log each: in `folder`, or in a temporary one that goes with `close`."""

    def __init__(self, folder: Path | None) -> None:
        self._temporary = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="localaws-logs-"))
        self._folder.mkdir(parents=True, exist_ok=True)

    def file(self, name: str) -> Path:
        """Where the output of `name` is kept."""
        return self._folder / f"{name}.log"

    def read(self, name: str) -> str:
        """What was printed so far; "" for an unknown name."""
        file = self.file(name)
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def close(self) -> None:
        """Remove a temporary folder."""
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)
