"""A real moto server in this process, patched; and a place for a template with what it packages."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from localaws.endpoint import Endpoint
from localaws.server import Server, moto

EVERYTHING = Path(__file__).parent / "everything.yaml"


@contextlib.contextmanager
def serving() -> Iterator[Endpoint]:
    """moto with localaws's patches on a free port, until the end of the block."""
    server = Server(moto())
    try:
        yield server.endpoint
    finally:
        server.stop()


@lru_cache(maxsize=64)
def client(endpoint: Endpoint, service: str) -> Any:
    """A boto3 client; making one takes longer than most tests."""
    return endpoint.client(service)


def project(folder: Path) -> Path:
    """`folder` with the template of everything and the files it packages; the template's path."""
    for name, content in {
        "function/handler.py": "def handler(event, context):\n    return 1\n",
        "layer/python/wheel.py": "ANSWER = 42\n",
        "job.py": "print('clean')\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Path(shutil.copy(EVERYTHING, folder / "everything.yaml"))


def undeploy(endpoint: Endpoint, stack_name: str) -> None:
    """Delete the stack and all its resources, data included; nothing happens if there is none."""
    cloudformation = client(endpoint, "cloudformation")
    found = [one for one in cloudformation.describe_stacks()["Stacks"] if one["StackName"] == stack_name]
    for stack in found:
        cloudformation.delete_stack(StackName=stack["StackId"])
        [left] = cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"]
        assert left["StackStatus"] == "DELETE_COMPLETE", left.get("StackStatusReason")
