"""The HTTP server that moto answers on, in this process, at a free port."""

from __future__ import annotations

import logging
import socket
import threading
from wsgiref.types import WSGIApplication

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 5.0


class _Handler(WSGIRequestHandler):
    """Keeps connections: SDKs make thousands of small requests."""

    protocol_version = "HTTP/1.1"
    # An answer is written in several pieces; waiting for the acknowledgement of each costs 40 ms.
    disable_nagle_algorithm = True


class Server:
    """Serves `application` on 127.0.0.1 until stopped."""

    def __init__(self, application: WSGIApplication, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server: BaseWSGIServer = make_server(
            _HOST, port, application, threaded=True, request_handler=_Handler
        )
        vars(self._server)["daemon_threads"] = True  # of socketserver's mixin; stop() waits for nobody
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._server.serve_forever, name="localaws-http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{_HOST}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening; requests under way are cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE_SECONDS)
