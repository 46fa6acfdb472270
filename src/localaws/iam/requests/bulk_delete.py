"""S3's DeleteObjects: each object is authorised on its own.

AWS docs, DeleteObjects: the answer is 200 whatever happens; an object the caller may not delete is listed in
it as an Error, the others are deleted.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from localaws.errors import ApiError

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_END = b"</DeleteResult>"


@dataclass(frozen=True)
class Deletion:
    """One object of the request."""

    key: str
    version: str | None


def read(body: bytes) -> list[Deletion]:
    """The objects a request names. Raises ApiError MalformedXML."""
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise ApiError("MalformedXML", f"DeleteObjects: {error}") from error
    found = []
    for one in root.iterfind("{*}Object"):
        key = one.findtext("{*}Key")
        if key is None:
            raise ApiError("MalformedXML", "DeleteObjects: an Object without Key")
        found.append(Deletion(key, one.findtext("{*}VersionId")))
    if not found:
        raise ApiError("MalformedXML", "DeleteObjects names no object")
    return found


def without(body: bytes, refused: Iterable[Deletion]) -> bytes:
    """The request's body with the refused objects taken out."""
    gone = set(refused)
    root = ET.fromstring(body)
    for one in list(root.iterfind("{*}Object")):
        if Deletion(one.findtext("{*}Key") or "", one.findtext("{*}VersionId")) in gone:
            root.remove(one)
    ET.register_namespace("", _NAMESPACE)
    return bytes(ET.tostring(root, encoding="utf-8"))


def with_errors(answer: bytes, refused: Iterable[tuple[Deletion, str]]) -> bytes:
    """The answer's body with an Error for each refused object; `refused`: (object, message)."""
    errors = "".join(_error(deletion, message) for deletion, message in refused).encode()
    head, end, tail = answer.rpartition(_END)
    if not end:
        raise ApiError("InternalError", "DeleteObjects was answered without a DeleteResult", 500)
    return head + errors + end + tail


def nothing_deleted() -> bytes:
    """An answer to add errors to."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="{_NAMESPACE}">'.encode() + _END


def _error(deletion: Deletion, message: str) -> str:
    version = f"<VersionId>{escape(deletion.version)}</VersionId>" if deletion.version else ""
    return (
        f"<Error><Key>{escape(deletion.key)}</Key>{version}"
        f"<Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    )
