"""The HTTP server on which moto, changed where it differs from AWS, answers in this process."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cache
from typing import Any
from wsgiref.types import WSGIApplication

import botocore.session
from moto import backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from localaws import cloudformation
from localaws.dynamodb.patches import PATCHES as DYNAMODB
from localaws.endpoint import Endpoint
from localaws.events.patches import PATCHES as EVENTS
from localaws.functions.patches import PATCHES as FUNCTIONS
from localaws.glue.patches import PATCHES as GLUE
from localaws.patches import Patches, around
from localaws.s3.patches import PATCHES as S3
from localaws.sqs.patches import PATCHES as SQS

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 5.0


@cache
def _listed_once(modules: Callable[[], Iterable[str]]) -> tuple[str, ...]:
    """moto lists the folders of its own package twice per request, under a lock: a third of a small request."""
    return tuple(modules())


@cache
def _shared_loader(create: Callable[[str | None], Any], search_path: str | None = None) -> Any:
    """moto makes a session for each of its services, which each read AWS's descriptions for themselves."""
    return create(search_path)


PATCHES = (
    Patches(
        around(backends, "list_of_moto_modules", _listed_once),
        around(botocore.session, "create_loader", _shared_loader),
    ),
    *(S3, DYNAMODB, SQS, EVENTS, FUNCTIONS, GLUE),
)


class _Handler(WSGIRequestHandler):
    """Keeps connections: SDKs make thousands of small requests."""

    protocol_version = "HTTP/1.1"
    # An answer is written in several pieces; waiting for the acknowledgement of each costs 40 ms.
    disable_nagle_algorithm = True


class Server:
    """Serves `application`, moto's or one in front of it, on 127.0.0.1 until `stop`, with all patches in force.

    Raises NotSupported if moto is not the release that the patches are written for, OSError if the port is taken.
    """

    def __init__(self, application: WSGIApplication, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with ExitStack() as patched:
            for patches in PATCHES:
                patched.enter_context(patches)
            self._server: BaseWSGIServer = make_server(
                _HOST, port, application, threaded=True, request_handler=_Handler
            )
            self.endpoint = Endpoint(f"http://{_HOST}:{self._server.server_port}")
            patched.enter_context(cloudformation.patches(self.endpoint))
            self._patched = patched.pop_all()
        vars(self._server)["daemon_threads"] = True  # of socketserver's mixin; stop() waits for nobody
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._server.serve_forever, name="localaws-http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and undo the patches; requests under way are cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE_SECONDS)
        self._patched.close()


def moto() -> WSGIApplication:
    """moto's services as one WSGI application."""
    application: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return application
