"""Run a notebook in the kernel of AWS Glue's own notebooks, as it is published, against an endpoint of ours."""

from __future__ import annotations

import json
import os
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

from gluebook.errors import ConfigurationError
from gluebook.notebook.cells import Cell
from gluebook.notebook.execute import declared
from gluebook.notebook.parameters import unknown
from notebook_kit import read_cells

_VENV = Path(__file__).parents[2] / ".venv-glue"
_PATIENCE_SECONDS = 240.0
_PROFILE = {
    "AWS_DEFAULT_REGION": "region",
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
}


class GlueKernelFailed(Exception):
    """A cell failed, wasn't run, or the session was not made; the text says which and how."""


def run_in_glue_session(
    notebook: Path, parameters: Mapping[str, str], environment: Mapping[str, str], *magics: str
) -> str:
    """Run the cells of `notebook`, in order, in a session of their own; what they put out.

    `parameters` are assigned below the parameters cell, as somebody in Glue Studio would change it; `magics` are
    put to the session before its own; `environment` holds endpoint, region and credentials of whoever runs it.
    Raises GlueKernelFailed naming the cell, ConfigurationError for a parameter that the notebook hasn't got. Skips
    the test where `make test` hasn't set up the kernel.
    """
    cells = [cell for cell in read_cells(notebook) if cell.kind == "code" and cell.source.strip()]
    known = [parameter.name for parameter in declared(notebook)]
    for name in parameters.keys() - set(known):
        raise ConfigurationError(unknown(name, known, notebook.name))
    token, told = uuid.uuid4().hex, False
    said = []
    with _kernel(environment) as client:
        for cell in [Cell(0, "code", "glue-session", "\n".join(magics)), *cells]:
            where = f"{notebook.name}, cell {cell.number}"
            if cell.role != "glue-session" and not told:
                # The first code makes the session. It has run everything if it knows this in the end.
                _execute(client, f"_token = {token!r}", where)
                told = True
            source = cell.source
            if cell.role == "parameters":
                source = "\n".join([source, *(f"{name} = {value!r}" for name, value in parameters.items())])
            said.append(_execute(client, source, where))
        # A kernel that has no session replies ok as well.
        if token not in _execute(client, "print(_token)", f"the end of {notebook.name}"):
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
        lines = [f"{key} = {environment[name]}" for name, key in _PROFILE.items() if environment.get(name)]
        config.write_text("\n".join(["[profile laptop]", *lines, ""]), encoding="utf-8")
        ours = {
            name: value
            for name, value in environment.items()
            if name in ("PATH", "LANG") or name.startswith("AWS_")
        }
        # As in Glue Studio, it doesn't look for newer versions of itself.
        ours |= {
            "HOME": folder,
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
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
    """What the cell put out. Raises GlueKernelFailed.

    Of a session that isn't there, a statement that was refused or a magic that failed the kernel writes to stderr,
    and replies that all is well. What statements put out, to wherever, is on stdout.
    """
    said: list[str] = []
    complained: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            said.append(content["text"])
            if content["name"] == "stderr":
                complained.append(content["text"])
        elif message["msg_type"] == "error":
            said.append(f"{content['ename']}: {content['evalue']}")
            complained.append(said[-1])

    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        reply = client.execute_interactive(
            source, timeout=deadline - time.monotonic(), output_hook=hear, allow_stdin=False
        )["content"]
    except TimeoutError:
        raise GlueKernelFailed(f"{where} doesn't end: {''.join(said)[-2000:]}") from None
    text = "".join(said)
    if reply["status"] != "ok" or complained:
        what = f"{reply.get('ename', reply['status'])}: {reply.get('evalue', '')}"
        if reply["status"] == "ok":
            what = "".join(complained).strip()
        raise GlueKernelFailed(f"{where}: {what[:3000]}\n{text[-1500:]}")
    return text
