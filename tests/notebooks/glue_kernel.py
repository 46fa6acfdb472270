"""Run a notebook in the kernel of AWS Glue's own notebooks, as it is published, against an endpoint of ours."""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from gluebook.notebook.cells import Cell, read_cells

_VENV = Path(__file__).parents[2] / ".venv-glue"
_PATIENCE_SECONDS = 240.0
# What it writes when something went wrong, though it replies that all is well.
_SIGNS = (
    "Exception encountered",
    "Session failed to reach",
    "unhealthy terminal state",
    "Following exception",
    "Unknown exception",
    "Error while",
    "UsageError",
    "ERROR: ",
)


class GlueKernelFailed(Exception):
    """A cell failed, wasn't run, or the session was not made; the text says which and how."""


def run_in_glue_session(
    notebook: Path, parameters: Mapping[str, str], environment: Mapping[str, str], *magics: str
) -> str:
    """Run the cells of `notebook`, in order, in a session of their own; what they put out.

    `parameters` are assigned below the parameters cell, as somebody in Glue Studio would change it; `magics` are
    put to the session before its own. Raises GlueKernelFailed. Skips the test where `make test` hasn't set up the
    kernel.
    """
    token = uuid.uuid4().hex
    said = []
    with _kernel(environment) as client:
        for cell in [Cell(0, "code", "glue-session", "\n".join(magics)), *read_cells(notebook)]:
            if cell.kind != "code" or not cell.source.strip():
                continue
            source = cell.source
            if cell.role == "parameters":
                source = "\n".join([source, *(f"{name} = {value!r}" for name, value in parameters.items())])
            said.append(_execute(client, source, f"{notebook.name}, cell {cell.number}"))
            if cell.role == "parameters":
                _execute(client, f"_token = {token!r}", "the token")
        # Its own session has run everything if it still knows the token; a kernel without one replies ok as well.
        if token not in _execute(client, "print(_token)", "the token"):
            raise GlueKernelFailed(f"{notebook.name} was not run by one session: {''.join(said)[-2000:]}")
    return "".join(said)


@contextmanager
def _kernel(environment: Mapping[str, str]) -> Iterator[BlockingKernelClient]:
    python = _VENV / "bin" / "python"
    specs = list(_VENV.glob("lib/python*/site-packages/aws_glue_interactive_sessions_kernel/glue_pyspark"))
    if not python.exists() or not specs:
        pytest.skip("the kernel of AWS Glue is set up by `make test` only (.venv-glue)")
    with tempfile.TemporaryDirectory(prefix="glue-kernel-") as folder:
        spec = json.loads((specs[0] / "kernel.json").read_text(encoding="utf-8"))
        spec["argv"][0] = str(python)
        home = Path(folder) / "kernels" / "glue_pyspark"
        home.mkdir(parents=True)
        (home / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        # Only with a profile does it ask the endpoint that the environment names.
        config = Path(folder) / "config"
        # A profile that is named is all it looks at for credentials.
        profile = {
            "region": environment["AWS_DEFAULT_REGION"],
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        }
        lines = [f"{name} = {value}" for name, value in profile.items()]
        config.write_text("\n".join(["[profile laptop]", *lines, ""]), encoding="utf-8")
        names = ("PATH", "HOME", "LANG")
        ours = {
            name: value for name, value in environment.items() if name in names or name.startswith("AWS_")
        }
        # As in Glue Studio, it doesn't look for newer versions of itself.
        ours |= {
            "AWS_CONFIG_FILE": str(config),
            "glue_profile": "laptop",
            "request_origin": "GlueStudioNotebook",
        }
        manager = KernelManager(
            kernel_name="glue_pyspark", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(home.parent)])
        )
        manager.start_kernel(env=ours, cwd=folder)
        client = manager.blocking_client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=_PATIENCE_SECONDS)
            yield client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=False)


def _execute(client: BlockingKernelClient, source: str, where: str) -> str:
    """What the cell put out. Raises GlueKernelFailed."""
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            said.append(content["text"])
        elif message["msg_type"] == "error":
            said.append(f"ERROR: {content['ename']}: {content['evalue']}")

    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        reply = client.execute_interactive(
            source, timeout=deadline - time.monotonic(), output_hook=hear, allow_stdin=False
        )["content"]
    except TimeoutError:
        raise GlueKernelFailed(f"{where} doesn't end: {''.join(said)[-2000:]}") from None
    text = "".join(said)
    if reply["status"] != "ok" or any(sign in text for sign in _SIGNS):
        raise GlueKernelFailed(
            f"{where}: {reply.get('ename', '')} {reply.get('evalue', '')} {text[:1500]} ... {text[-1500:]}"
        )
    return text
