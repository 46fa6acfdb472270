"""JupyterLab in a process of its own, and a laptop AWS where notebooks run instead of the jobs."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from gluebook.aws.sessions import new_session
from gluebook.cli.deployment import Deployment
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import TerminalError
from gluebook.notebook.kernelspec import NAME

_START_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 120.0, 20.0, 0.1
# Enabled, they call home for news and updates.
_DISABLED = ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def address(self) -> str:
        """The URL for a browser; anybody who has it can run code as the caller."""
        return f"{self.url}/lab?token={self.token}"


@contextmanager
def jupyterlab(notebooks: Path, *, port: int = 0, browser: bool = True) -> Iterator[Lab]:
    """JupyterLab, reachable from this machine only; it ends with its kernels. `port`: 0 picks a free one.

    Raises TerminalError if it does not start.
    """
    port, token = port or _free_port(), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="gluebook-lab-") as folder:
        command = [sys.executable, "-m", "jupyterlab", *_options(notebooks, port, browser)]
        environment = _environment(Path(folder), token)
        # A session of its own: Ctrl-C in the terminal reaches this process, which stops JupyterLab in order.
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
        lab = Lab(f"http://127.0.0.1:{port}", token, process)
        try:
            _wait_until_ready(lab)
            yield lab
        finally:
            _stop(process)


def hold_jobs(deployment: Deployment) -> None:
    """Let no job run start: files stay PENDING until a notebook claims them."""
    glue = new_session().client("glue")
    members = glue.meta.service_model.shape_for("JobUpdate").members
    for name in (deployment.output(output) for output in JOB_OUTPUTS.values()):
        job: Mapping[str, Any] = glue.get_job(JobName=name)["Job"]
        update = {member: value for member, value in job.items() if member in members}
        glue.update_job(JobName=name, JobUpdate={**update, "ExecutionProperty": {"MaxConcurrentRuns": 0}})


def _options(notebooks: Path, port: int, browser: bool) -> list[str]:
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={notebooks.absolute()}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        f"--MultiKernelManager.default_kernel_name={NAME}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]
    # In a container the user is root, which Jupyter refuses by default.
    return [*options, "--allow-root"] if os.geteuid() == 0 else options


def _environment(folder: Path, token: str) -> dict[str, str]:
    """The caller's environment with our settings, and the token, which on a command line everybody could read.

    Temporary files of kernels that are killed are removed with `folder`.
    """
    (folder / "tmp").mkdir()
    (folder / "labconfig").mkdir()
    disabled = {"disabledExtensions": dict.fromkeys(_DISABLED, True)}
    (folder / "labconfig" / "page_config.json").write_text(json.dumps(disabled), encoding="utf-8")
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    path = os.pathsep.join([str(folder), *([others] if others else [])])
    ours = {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": path, "TMPDIR": str(folder / "tmp")}
    return {**os.environ, **ours}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(lab: Lab) -> None:
    request = urllib.request.Request(f"{lab.url}/api/status", headers={"Authorization": f"token {lab.token}"})
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if lab.process.poll() is not None:
            raise TerminalError(f"JupyterLab exited with {lab.process.returncode}; its output above says why")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(_POLL_SECONDS)
    raise TerminalError(f"JupyterLab does not answer at {lab.url} after {_START_SECONDS:.0f} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop JupyterLab and its kernels; kill what has not ended in time."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=_STOP_SECONDS / 4)
    for one in alive:
        one.kill()
