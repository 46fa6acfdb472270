"""Keeps a PostgreSQL server alive for as long as the process that needs it. Run as a script, standard library only.

    watchdog.py DIRECTORY UID GID COMMAND..

Starts COMMAND (as UID:GID unless they are -1) and waits until standard input ends: the parent closed it, or is
dead. Then it shuts the server down and removes DIRECTORY. If the server ends first, this
ends with status 1, and DIRECTORY is left for the parent to read the log in.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

LOG_NAME = "server.log"
_GRACE_SECONDS = 10


def main(arguments: list[str]) -> None:
    directory, uid, gid, *command = arguments
    log = (Path(directory) / LOG_NAME).open("ab")
    identity: dict[str, object] = {}
    if int(uid) >= 0:
        identity = {"user": int(uid), "group": int(gid), "extra_groups": []}
    server = subprocess.Popen(  # type: ignore[call-overload]  # the identity is made of its own keywords
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, **identity
    )
    stopping = threading.Event()
    threading.Thread(target=_end_with, args=(server, stopping), daemon=True).start()
    sys.stdin.buffer.read()
    stopping.set()
    _stop(server)
    shutil.rmtree(directory, ignore_errors=True)


def _end_with(server: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    server.wait()
    if not stopping.is_set():
        os._exit(1)


def _stop(server: subprocess.Popen[bytes]) -> None:
    # SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one.
    for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(signal_number)
        try:
            server.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    main(sys.argv[1:])
