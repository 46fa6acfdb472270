"""A real moto server in this process, taught; and a place for a template with what it packages."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from localaws.cloudformation import teach
from localaws.endpoint import Endpoint

EVERYTHING = Path(__file__).parent / "everything.yaml"


@contextlib.contextmanager
def serving() -> Iterator[Endpoint]:
    """A taught moto on a free port, until the end of the block."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = Endpoint(f"http://127.0.0.1:{server.port}")
    teach(endpoint)
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


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
