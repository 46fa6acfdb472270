"""The kernelspec, by which Jupyter finds the project's kernel."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

NAME, DISPLAY_NAME = "gluebook", "Gluebook (local Spark)"


def spec() -> dict[str, object]:
    """The kernelspec: this interpreter's ipykernel, with the project's extension."""
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {
        # Only errors: otherwise every start warns of sockets that only this machine can reach.
        "argv": [
            *command,
            "--IPKernelApp.log_level=CRITICAL",
            "--IPKernelApp.extra_extensions=gluebook.notebook.kernel",
        ],
        "display_name": DISPLAY_NAME,
        "language": "python",
        "metadata": {"debugger": True},
    }


def install(prefix: Path | None = None) -> Path:
    """Write the kernelspec for the Jupyter of this environment (or of `prefix`); return its folder."""
    from jupyter_client.kernelspec import KernelSpecManager

    with tempfile.TemporaryDirectory(prefix="gluebook-kernel-") as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(spec(), indent=1) + "\n", encoding="utf-8")
        manager = KernelSpecManager()
        return Path(manager.install_kernel_spec(folder, NAME, prefix=str(prefix or sys.prefix)))


def installed() -> bool:
    """Whether the Jupyter of this environment has the kernel."""
    from jupyter_client.kernelspec import KernelSpecManager

    return NAME in KernelSpecManager().find_kernel_specs()
