"""The project's kernel, as Jupyter starts it, for tests: one cell at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from gluebook.notebook.kernelspec import NAME, install

PATIENCE_SECONDS = 120


@dataclass
class Answer:
    """What came of a cell: `status` is that of the kernel's reply."""

    status: str = ""
    printed: str = ""
    error: str = ""
    shown: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Kernel:
    """A running kernel."""

    manager: KernelManager
    client: BlockingKernelClient

    def run(self, source: str) -> Answer:
        """Run a cell to its end."""
        answer = Answer()

        def hear(message: dict[str, Any]) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                answer.printed += content["text"]
            elif kind == "error":
                answer.error += f"{content['ename']}: {content['evalue']}"
            elif kind in ("display_data", "execute_result"):
                answer.shown.append(content["data"])

        reply = self.client.execute_interactive(source, output_hook=hear, timeout=PATIENCE_SECONDS)
        answer.status = reply["content"]["status"]
        return answer

    def printed(self, source: str) -> str:
        """What a cell prints that must go well."""
        answer = self.run(source)
        assert answer.status == "ok", answer
        return answer.printed


def own_kernelspec(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have Jupyter find the kernel of this checkout first, by a kernelspec in `folder`, in child processes too."""
    install(prefix=folder)
    patch.setenv("JUPYTER_PATH", str(folder / "share" / "jupyter"))
    found = KernelSpecManager().find_kernel_specs()[NAME]
    assert Path(found).is_relative_to(folder), "another kernelspec is in the way"


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel from a kernelspec made for this, which knows of no AWS but by the laptop's note in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        own_kernelspec(folder, patch)
        patch.setenv("XDG_STATE_HOME", str(folder))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # Somebody's own profile, which must not be taken for the laptop.
        patch.setenv("AWS_CONFIG_FILE", str(folder / "no-config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no-credentials"))
        manager = KernelManager(kernel_name=NAME)
        manager.start_kernel(cwd=str(folder))
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE_SECONDS)
            yield Kernel(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
