"""Look at an application's answer before it is passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


@dataclass(frozen=True)
class Captured:
    """An answer that was not sent yet; a large body is still unread."""

    status_line: str
    headers: Headers
    chunks: Iterable[bytes]

    @property
    def status(self) -> int:
        return int(self.status_line.split()[0])

    def body(self) -> bytes:
        """All of the body; then it is gone from `chunks`."""
        try:
            return b"".join(self.chunks)
        finally:
            close = getattr(self.chunks, "close", None)
            if close is not None:
                close()

    def with_body(self, body: bytes) -> Captured:
        headers = [(name, value) for name, value in self.headers if name.lower() != "content-length"]
        return replace(self, headers=[*headers, ("Content-Length", str(len(body)))], chunks=[body])

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status_line, self.headers)
        return self.chunks


def capture(app: WSGIApplication, environ: dict[str, Any]) -> Captured:
    """Raises RuntimeError if the application returns without having called start_response, as moto's never do."""
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, _: ExcInfo = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return _no_write

    chunks = app(environ, start_response)
    if not started:
        raise RuntimeError("the application has not called start_response")
    return Captured(*started[-1], chunks)


def _no_write(_: bytes) -> object:
    raise RuntimeError("the write callable of WSGI is not supported")
