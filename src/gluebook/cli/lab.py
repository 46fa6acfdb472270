"""JupyterLab as a process of its own, and a laptop AWS in which notebooks take the place of the jobs."""

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

import boto3
import psutil

from gluebook.cli.deployment import Deployment
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import TerminalError
from gluebook.notebook.kernelspec import NAME

_START_SECONDS, _STOP_SECONDS, _LOOK_SECONDS = 120.0, 20.0, 0.1
# Without them JupyterLab asks its makers for news and for newer versions of itself.
_DISABLED = ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def address(self) -> str:
        """What to open in a browser; anyone who knows it can run code as the caller."""
        return f"{self.url}/lab?token={self.token}"


@contextmanager
def jupyterlab(notebooks: Path, *, port: int = 0, browser: bool = True) -> Iterator[Lab]:
    """JupyterLab on this machine alone; it and its kernels are gone afterwards. `port`: a free one if 0.

    Raises TerminalError if it doesn't start.
    """
    port, token = port or _free_port(), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="gluebook-lab-") as folder:
        command = [sys.executable, "-m", "jupyterlab", *_options(notebooks, port, browser)]
        environment = _environment(Path(folder), token)
        # A session of its own: the terminal's Ctrl-C is for us, who stop it in order.
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
        lab = Lab(f"http://127.0.0.1:{port}", token, process)
        try:
            _wait_until_it_answers(lab)
            yield lab
        finally:
            _stop(process)


def hold_jobs(deployment: Deployment) -> None:
    """Let no job run start, as if one were going on: what arrives stays pending until a notebook claims it."""
    glue = boto3.session.Session().client("glue")
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
    # In a container one is root, which Jupyter accepts only with this option.
    return [*options, "--allow-root"] if os.geteuid() == 0 else options


def _environment(folder: Path, token: str) -> dict[str, str]:
    """The caller's, with the token, which on a command line everybody could read, and with settings of ours.

    What kernels leave behind when they are ended goes with the folder.
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


def _wait_until_it_answers(lab: Lab) -> None:
    request = urllib.request.Request(f"{lab.url}/api/status", headers={"Authorization": f"token {lab.token}"})
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if lab.process.poll() is not None:
            raise TerminalError(f"JupyterLab ended at once with {lab.process.returncode}; it says why above")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(_LOOK_SECONDS)
    raise TerminalError(f"JupyterLab doesn't answer at {lab.url} after {_START_SECONDS:.0f} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it in order, kernels first; then by force whatever is left of it."""
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
