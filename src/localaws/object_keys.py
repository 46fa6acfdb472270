"""S3's keys may hold any Unicode, also what no XML and no route of a web framework can: moto's listings end there.

AWS docs: "Naming Amazon S3 objects" (UTF-8 of up to 1,024 bytes); ListObjectVersions and ListObjectsV2, EncodingType:
with `url`, which SDKs ask for by themselves, keys come percent-encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult
from moto.moto_server.utilities import RegexConverter
from moto.s3.responses import S3Response

# What S3 encodes of an answer besides the keys in its lists.
_ENCODED = ("Prefix", "Delimiter", "KeyMarker", "NextKeyMarker", "StartAfter")
_LISTS = {"Versions": "Key", "DeleteMarkers": "Key", "CommonPrefixes": "Prefix"}


@cache
def install() -> None:
    """Mend moto's S3, in this process, for good; before its server is made. Calling it again changes nothing."""
    RegexConverter.__init__ = _any_character(RegexConverter.__init__)
    S3Response.list_object_versions = _encoding(S3Response.list_object_versions, _versions)
    S3Response.list_objects_v2 = _encoding(S3Response.list_objects_v2, _objects)


def _any_character(make: Callable[..., None]) -> Callable[..., None]:
    """A route's `.` matches a line break as well."""

    def made(converter: Any, url_map: Any, *items: Any) -> None:
        make(converter, url_map, *items)
        converter.regex = f"(?s:{converter.regex})"

    return made


def _encoding(
    respond: Callable[[Any], Any], encoded: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[Any], Any]:
    """`respond` with an answer that is `encoded` if the request asks for it."""

    def respond_encoded(response: Any) -> Any:
        if response.querystring.get("encoding-type", [None])[0] != "url":
            return respond(response)
        serialized = response.serialized
        # On the one response that this request has.
        response.serialized = lambda answer: serialized(ActionResult(encoded(answer.result)))
        try:
            return respond(response)
        finally:
            del response.serialized

    return respond_encoded


def _versions(answer: dict[str, Any]) -> dict[str, Any]:
    texts = {name: quote(answer[name], safe="/") for name in _ENCODED if answer.get(name)}
    lists = {
        name: [{**one, key: quote(one[key], safe="/")} for one in answer[name]]
        for name, key in _LISTS.items()
        if name in answer
    }
    return {**answer, **texts, **lists, "EncodingType": "url"}


def _objects(answer: dict[str, Any]) -> dict[str, Any]:
    """moto encodes keys and prefixes here, and nothing else."""
    names = ("Delimiter", "StartAfter")
    return {**answer, **{name: quote(answer[name], safe="/") for name in names if answer.get(name)}}
