"""Spark's Java, which outlives the runs that use it: what it has loaded and compiled, no run has to load again.

A run finds it as scripts on AWS find Glue's: by PYSPARK_GATEWAY_PORT and PYSPARK_GATEWAY_SECRET. Whatever else a run
leaves in it ends with the run.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
from py4j.clientserver import ClientServer, JavaParameters, PythonParameters
from py4j.protocol import Py4JError

from ..errors import LocalAwsError
from ..processes import Process

# Both take a second or two on a machine with nothing else to do.
_START_SECONDS = 120.0
_ANSWER_SECONDS = 60.0
_LOOK_SECONDS = 0.02
# After so many runs, or when it holds so much, Java is begun anew.
_MOST_RUNS = 50
_MOST_BYTES = 1_500 << 20
_FLUSH_SECONDS = 10.0


@dataclass(frozen=True)
class WarmStart:
    """How Java is started, for runs to come.

    java_home   where Java is
    conf        Spark's settings; those of a job's own --conf win
    prepare     a command that lets a job's Java load and compile what its runs will need. It gets the arguments of
                the job's script, finds Java as that does, and has no credentials. Empty: there is none
    """

    java_home: Path
    conf: Mapping[str, str]
    prepare: Sequence[str] = ()


class JavaDied(LocalAwsError):
    """Java did not start, or does not answer; the message ends with its last line."""


class Java:
    """One Java process, from its construction until `close`. Runs use it one at a time: `connect`, `enter`, `leave`.

    `conf`: the job's --conf, as Glue takes it. Java itself never gets credentials of AWS. It ends with this process,
    even if that is killed: it reads its standard input until the end. `idle`: no run is in it; `runs`: how many were.
    """

    def __init__(self, start: WarmStart, conf: str | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="localaws-java-"))
        self._address = self._folder / "address"
        self._on_line: Callable[[bytes], object] | None = None
        self._last_line = ""
        self._port, self._secret = 0, ""
        self._mark, self._marked = b"", threading.Event()
        self.idle, self.runs = True, 0
        temporary = self._temporary()
        try:
            self._process = Process(
                _command(start.conf, conf),
                {
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(self._folder),
                    "LANG": "C.UTF-8",
                    "TZ": "UTC",
                    "JAVA_HOME": str(start.java_home),
                    # Otherwise Spark warns about the host name on many machines.
                    "SPARK_LOCAL_IP": "127.0.0.1",
                    # Java ignores TMPDIR.
                    "SPARK_SUBMIT_OPTS": f'-Djava.io.tmpdir="{temporary}"',
                    "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._address),
                },
                self._folder,
                self._line,
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.pid = self._process.pid

    def connect(self) -> None:
        """Wait until it answers. Repeatable. Raises JavaDied."""
        if self._port:
            return
        deadline = time.monotonic() + _START_SECONDS
        while not self._address.exists():
            if not self._process.alive() or time.monotonic() > deadline:
                raise JavaDied(f"Spark's Java did not start: {self._last_line}")
            time.sleep(_LOOK_SECONDS)
        # As PythonGatewayServer writes it: the port, the secret's length, the secret; renamed when it is whole.
        told = self._address.read_bytes()
        self._port, self._secret = int.from_bytes(told[:4], "big"), told[8:].decode()
        with self._gateway() as (jvm, bindings):
            self._properties = dict(jvm.java.lang.System.getProperties())
            self._locale = jvm.java.util.Locale.getDefault().toLanguageTag()
            self._bindings = [name for name in bindings.keySet() if not name.startswith("o")]

    def alive(self) -> bool:
        """Whether it is still running."""
        return self._process.alive()

    def reusable(self) -> bool:
        """Whether another run may use it: the last one has left it, and what runs leave hasn't added up yet."""
        with suppress(psutil.Error):
            small = psutil.Process(self.pid).memory_info().rss < _MOST_BYTES
            return self.idle and self.alive() and self.runs < _MOST_RUNS and small
        return False

    def enter(
        self, work: Path, temporary: Path, py_files: Sequence[str], on_line: Callable[[bytes], object]
    ) -> dict[str, str]:
        """Begin a run: the variables by which its script finds this Java.

        `work`: where relative paths begin; `temporary`: for Spark's scratch files; `py_files`: what Spark sends to
        its workers. `on_line` gets what Java and Spark's workers print. Raises JavaDied.
        """
        given = {
            "user.dir": str(work),
            "spark.sql.warehouse.dir": str(work / "spark-warehouse"),
            "spark.local.dir": str(temporary),
        }
        if py_files:
            given["spark.submit.pyFiles"] = ",".join(py_files)
            given["spark.files"] = ",".join(Path(file).as_uri() for file in py_files)
        with self._gateway() as (jvm, _):
            for name, value in given.items():
                jvm.java.lang.System.setProperty(name, value)
        self._on_line = on_line
        self.idle, self.runs = False, self.runs + 1
        return {"PYSPARK_GATEWAY_PORT": str(self._port), "PYSPARK_GATEWAY_SECRET": self._secret}

    def leave(self) -> None:
        """End a run whose process has ended. Of it stay loaded classes and compiled code. Raises JavaDied."""
        with self._gateway() as (jvm, bindings):
            active = _object(jvm.org.apache.spark, "SparkContext").getActive()
            if active.isDefined():
                active.get().stop()
            sessions = jvm.org.apache.spark.sql.SparkSession
            sessions.clearActiveSession()
            sessions.clearDefaultSession()
            self._process.kill_others()
            self._flush(jvm)
            self._restore(jvm)
            bindings.keySet().retainAll(self._bindings)
            jvm.java.lang.System.gc()
        self._on_line, self.idle = None, True
        for left in self._folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        self._temporary()

    def _restore(self, jvm: Any) -> None:
        """What Java, Hadoop and Spark keep for the whole process."""
        properties = jvm.java.util.Properties()
        properties.putAll(self._properties)
        jvm.java.lang.System.setProperties(properties)
        jvm.java.util.TimeZone.setDefault(None)
        jvm.java.util.Locale.setDefault(jvm.java.util.Locale.forLanguageTag(self._locale))
        # They remember where relative paths begin, and what is to be deleted at the end.
        jvm.org.apache.hadoop.fs.FileSystem.closeAll()
        _object(jvm.org.apache.spark.util, "Utils").clearLocalRootDirs()
        # The level that a run has set for Spark's log.
        _object(jvm.org.apache.spark.internal, "Logging").uninitialize()

    def close(self) -> None:
        """Kill it with all that it started, and remove its files. Repeatable."""
        self._process.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _temporary(self) -> Path:
        folder = self._folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def _flush(self, jvm: Any) -> None:
        """Wait for what was printed so far."""
        self._mark = secrets.token_hex().encode()
        self._marked.clear()
        jvm.java.lang.System.err.println(self._mark.decode())
        self._marked.wait(_FLUSH_SECONDS)

    def _line(self, line: bytes) -> None:
        if self._mark and line.rstrip() == self._mark:
            self._marked.set()
            return
        self._last_line = line.decode(errors="replace").rstrip()
        if self._on_line is not None:
            self._on_line(line)

    @contextmanager
    def _gateway(self) -> Iterator[tuple[Any, Any]]:
        """Java's classes, and all objects that Python processes have held. Raises JavaDied."""
        where = JavaParameters(
            port=self._port, auth_token=self._secret, auto_convert=True, read_timeout=_ANSWER_SECONDS
        )
        gateway = ClientServer(where, PythonParameters(port=0, eager_load=False))
        try:
            yield gateway.jvm, gateway.java_gateway_server.getGateway().getBindings()
        except (Py4JError, OSError) as error:
            raise JavaDied(f"Spark's Java does not answer: {error}. {self._last_line}") from error
        finally:
            gateway.close()


def _command(settings: Mapping[str, str], conf: str | None) -> list[str]:
    found = find_spec("pyspark")
    assert found is not None and found.submodule_search_locations is not None
    (pyspark,) = found.submodule_search_locations
    ours = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    theirs = ["--conf", *shlex.split(conf)] if conf else []
    return [str(Path(pyspark) / "bin" / "spark-submit"), *ours, *theirs, "pyspark-shell"]


def _object(package: Any, name: str) -> Any:
    """A Scala object."""
    return getattr(getattr(package, f"{name}$"), "MODULE$")
