"""Where Glue's scripts and sessions run: processes without access to the checkout or to this environment."""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NotSupported
from ..processes import Process, python_command
from .arguments import check_arguments
from .java import Java
from .modules import check_bundle

_RUNTIME = Path(__file__).parent.parent / "glue_runtime"


@dataclass(frozen=True)
class Imports:
    """What is importable in the driver: `first` before the standard library, `last` after it.

    `sent`: the files of --extra-py-files. They "behave like the Python dependency management you would use with
    Spark" (AWS, "Using Python libraries with AWS Glue"): spark-submit puts all --py-files on the driver's path
    (org.apache.spark.deploy.PythonRunner), and Spark itself decides which of them its workers get. These have `last`
    as well, since Glue installs additional modules on every node.
    """

    first: list[str]
    last: list[str]
    sent: list[str]


class Sandbox:
    """A folder of its own, with what a process in it needs; `close` removes it.

    `s3`: a client with the role's credentials, by which files are fetched; `python`: the interpreter.
    """

    def __init__(self, name: str, s3: Any, python: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"localaws-{name}-"))
        self._s3 = s3
        self._python = python
        self.work = self.folder / "work"
        self.work.mkdir()
        (self.folder / "tmp").mkdir()

    def close(self) -> None:
        """Remove the folder. Repeatable."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def imports(self, arguments: Mapping[str, str]) -> Imports:
        """Fetch what the arguments add to Python's path. Raises NotSupported, ClientError."""
        asked = check_arguments(arguments)
        for uri in asked.bundles:
            check_bundle(uri, self._s3)
        sent = [self.fetch(uri, f"extra-{place}") for place, uri in enumerate(asked.extra)]
        # A module file is imported from its folder, an archive is put on the path itself.
        extras = [str(one.parent if one.suffix == ".py" else one) for one in sent]
        installed = [self._install(uri, place) for place, uri in enumerate(asked.wheels)]
        site = list(dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib")))
        return Imports([*extras, str(_RUNTIME)], [*installed, *site], [str(one) for one in sent])

    def _install(self, uri: str, place: int) -> str:
        """Unpack a wheel, as pip does; the folder. Raises ClientError, NotSupported."""
        wheel = self.fetch(uri, f"wheel-{place}")
        folder = self.folder / f"installed-{place}"
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile:
            raise NotSupported(f"--additional-python-modules {uri}: no wheel") from None
        return str(folder)

    def fetch(self, uri: str, folder: str) -> Path:
        """Copy an object into a subfolder; its path. Raises ClientError."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        file = self.folder / folder / key.rsplit("/", 1)[-1]
        file.parent.mkdir()
        file.write_bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return file

    def start(
        self,
        program: Path,
        arguments: Mapping[str, str],
        environment: Mapping[str, str],
        on_line: Callable[[bytes], object],
        *,
        settings: Mapping[str, Any] | None = None,
        words: Sequence[str] = (),
        answers: bool = False,
        java: Java | None = None,
    ) -> Process:
        """Start one of our programs with what the job arguments ask for; see Process for `on_line` and `answers`.

        `environment`: AWS endpoint, region and the role's credentials; `settings` and `words`: what the program gets
        besides its paths. `java`: the one that Spark uses; None: Spark starts its own. Raises NotSupported, JavaDied,
        ClientError, OSError.
        """
        imports = self.imports(arguments)
        paths = {"first": imports.first, "last": imports.last}
        made = self._environment(imports, environment)
        if java is None:
            made |= _own_java(imports.sent, arguments.get("--conf"))
        else:
            java.connect()
            made |= java.enter(self.work, self.folder / "tmp", imports.sent, on_line)
        return Process(
            [*python_command(self._python, program, {**paths, **(settings or {})}), *words],
            made,
            self.work,
            on_line,
            answers=answers,
        )

    def _environment(self, imports: Imports, aws: Mapping[str, str]) -> dict[str, str]:
        """The process's environment: `aws` (endpoint, region, the role's credentials), nothing of ours."""
        temporary = str(self.folder / "tmp")
        made = {
            **aws,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.work),
            "TMPDIR": temporary,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        # Nothing that --extra-py-files names: what Spark doesn't send to executors on other machines (a wheel:
        # pyspark.SparkContext.PACKAGE_EXTENSIONS) mustn't be found by its workers here either.
        installed = os.pathsep.join(imports.last)
        return {
            **made,
            "PYTHONPATH": installed,
            "PYSPARK_PYTHON": str(self._worker_python(made, installed)),
            # A killed JVM leaves its scratch files; here they go with the run.
            "SPARK_LOCAL_DIRS": temporary,
        }

    def _worker_python(self, environment: Mapping[str, str], installed: str) -> Path:
        """The interpreter of Spark's workers, in the run's environment, which a Java of earlier runs doesn't have.

        It starts without its site module: no .pth file can bring the checkout in. As it holds the role's credentials,
        others can't read it.
        """
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        path = f'export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}"{shlex.quote(installed)}'
        start = f'exec {shlex.quote(self._python)} -S -B "$@"'
        script = self.folder / "python"
        script.touch(mode=0o700)
        script.write_bytes(os.fsencode("\n".join(["#!/bin/sh", *lines, path, start, ""])))
        return script


def _own_java(py_files: list[str], conf: str | None) -> dict[str, str]:
    """What Spark starts Java with. `conf` as Glue takes it: NAME=VALUE, further ones after another --conf."""
    home = {"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}
    sent = ["--py-files", shlex.quote(",".join(py_files))] if py_files else []
    options = [*sent, *(["--conf", conf] if conf else [])]
    return home | ({"PYSPARK_SUBMIT_ARGS": " ".join([*options, "pyspark-shell"])} if options else {})
