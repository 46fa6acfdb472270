"""Ending processes of ours together with whatever they have started."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterable

import psutil

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.01


def kill_session(leader: int) -> None:
    """Kill (SIGKILL) every process of the session that `leader` began, alive or not; returns when they are dead.

    A process group is less: what makes a group of its own, as PySpark's daemon does, is still in the session.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    # Again and again: what is about to die may just have started another one.
    while living := [pid for pid in psutil.pids() if _session(pid) == leader and is_alive(pid)]:
        kill(living)
        if time.monotonic() > deadline:
            log.error("processes %s, started by %d, can't be killed", living, leader)
            return
        time.sleep(_LOOK_SECONDS)


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each of them that is there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether there is such a process and it isn't a zombie that only waits for its parent."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
