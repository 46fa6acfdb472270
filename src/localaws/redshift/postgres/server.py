"""The wheel's PostgreSQL as a child process: own directory, port and password; it ends when this process does."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import psutil
import psycopg

from localaws.errors import LocalAwsError
from localaws.processes import is_alive, kill
from localaws.redshift.postgres import watchdog
from localaws.redshift.postgres.binaries import ENVIRONMENT, Binaries, Identity, find_binaries, runnable

_log = logging.getLogger(__name__)

START_TIMEOUT_SECONDS = 30
_STOP_TIMEOUT_SECONDS = 40
_PORT_ATTEMPTS = 5
_LOOK_SECONDS = 0.01
_USER = "localaws"
# The data is temporary, so nothing needs to survive a crash of the machine; but what is committed
# survives the server's own, as it does on Redshift: commits reach the operating system before they are confirmed.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "wal_buffers": "16MB",
    # A new segment is written once, not first with zeros: nothing is gained by that without fsync.
    "wal_init_zero": "off",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}


class Postgres:
    """The wheel's server in a temporary directory, under the watchdog. `start` it, and `stop` it when done.

    A context manager, too. It listens on 127.0.0.1 only, with a password (SCRAM).
    """

    def __init__(self, directory: Path, binaries: Binaries, identity: Identity) -> None:
        self._directory = directory
        self._binaries = binaries
        self._identity = identity
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._crashing = threading.Lock()

    @classmethod
    def start(cls) -> Self:
        """A server that answers. Raises LocalAwsError, saying what to do."""
        identity = Identity.for_server()
        directory = Path(tempfile.mkdtemp(prefix="localaws-postgres-", dir=identity.reachable_folder()))
        try:
            if identity.uid is not None and identity.gid is not None:
                os.chown(directory, identity.uid, identity.gid)
            server = cls(directory, runnable(find_binaries(), identity, directory), identity)
            server._initialise()
            for _ in range(_PORT_ATTEMPTS):
                if server._run(_free_port()):
                    return server
            raise LocalAwsError(f"PostgreSQL didn't start. Its log ends with: {server._log_end()}")
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    @property
    def uri(self) -> str:
        """A libpq connection string with the password in it."""
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _initialise(self) -> None:
        password_file = self._directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if self._identity.uid is not None and self._identity.gid is not None:
            os.chown(password_file, self._identity.uid, self._identity.gid)
        command = [self._binaries.program("initdb"), f"--pgdata={self._data}", f"--username={_USER}"]
        # Sorted by bytes as Redshift sorts, letters known beyond ASCII.
        command += ["--locale=C", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            cwd=self._directory,
            check=False,
            **self._identity.arguments,
        )
        password_file.unlink()
        if done.returncode:
            raise LocalAwsError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")

    def crash(self) -> None:
        """Kill -9 the server with all its processes, mid-statement, and start it again: same port, same data.

        What was committed is there afterwards, what wasn't is not. Data API statements that were running FAIL with
        a lost connection; those that are submitted meanwhile wait. Raises LocalAwsError if it does not run.
        """
        with self._crashing:
            process = self._process
            if process is None or process.poll() is not None:
                raise LocalAwsError("PostgreSQL isn't running, so it can't be killed")
            self._kill()
            process.wait(_STOP_TIMEOUT_SECONDS)  # the watchdog ends with its server
            if process.stdin:
                process.stdin.close()
            if not self._run(self._port):
                raise LocalAwsError(f"PostgreSQL didn't start again. Its log ends with: {self._log_end()}")

    def _kill(self) -> None:
        """The postmaster is stopped first: it would start new processes for those that are killed."""
        postmaster = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGSTOP)
        processes = [
            postmaster,
            *(child.pid for child in psutil.Process(postmaster).children(recursive=True)),
        ]
        kill(processes)
        deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
        while any(is_alive(pid) for pid in processes):
            if time.monotonic() > deadline:
                raise LocalAwsError(f"PostgreSQL's processes {processes} can't be killed")
            time.sleep(_LOOK_SECONDS)

    def _run(self, port: int) -> bool:
        """Starts on this port; False if the server ended, as when another program has taken the port."""
        self._port = port
        settings = [f"--{name}={value}" for name, value in (_SETTINGS | {"port": str(self._port)}).items()]
        identity = [
            str(-1 if number is None else number) for number in (self._identity.uid, self._identity.gid)
        ]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", watchdog.__file__, str(self._directory), *identity),
                *(self._binaries.program("postgres"), "-D", str(self._data), *settings),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            # In a session of its own, so that Ctrl-C at the terminal leaves the order of the shutdown to us.
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.uri, connect_timeout=2).close()
            except psycopg.OperationalError:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=0.05)
                    return False
            else:
                return True
        self.stop()
        raise LocalAwsError(f"PostgreSQL didn't answer within {START_TIMEOUT_SECONDS} s")

    def _log_end(self) -> str:
        with contextlib.suppress(OSError):
            return (self._directory / watchdog.LOG_NAME).read_text(errors="replace")[-2000:].strip()
        return "(no log)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server. Repeatable."""
        process = self._process
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning(
                "PostgreSQL's watchdog %s didn't end within %s s", process.pid, _STOP_TIMEOUT_SECONDS
            )
            process.kill()
            process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
