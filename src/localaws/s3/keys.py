"""Object keys of any Unicode. moto's listings and routes fail on characters that XML or a URL pattern cannot hold.

AWS docs: "Naming Amazon S3 objects" (UTF-8 of up to 1,024 bytes); ListObjectVersions and ListObjectsV2, EncodingType:
with `url`, which SDKs ask for by themselves, keys are percent-encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult

# The fields that S3 encodes besides the keys in its lists.
_ENCODED = ("Prefix", "Delimiter", "KeyMarker", "NextKeyMarker", "StartAfter")
_LISTS = {"Versions": "Key", "DeleteMarkers": "Key", "CommonPrefixes": "Prefix"}


def match_any_character(make: Callable[..., None], converter: Any, url_map: Any, *items: Any) -> None:
    """RegexConverter.__init__: a route's `.` matches a line break as well."""
    make(converter, url_map, *items)
    converter.regex = f"(?s:{converter.regex})"


def encode_versions(respond: Callable[[Any], Any], response: Any) -> Any:
    """ListObjectVersions with EncodingType."""
    return _encoded(respond, response, _versions)


def encode_objects(respond: Callable[[Any], Any], response: Any) -> Any:
    """ListObjectsV2 with EncodingType."""
    return _encoded(respond, response, _objects)


def _encoded(
    respond: Callable[[Any], Any], response: Any, encode: Callable[[dict[str, Any]], dict[str, Any]]
) -> Any:
    if response.querystring.get("encoding-type", [None])[0] != "url":
        return respond(response)
    serialized = response.serialized
    # On the one response that this request has.
    response.serialized = lambda answer: serialized(ActionResult(encode(answer.result)))
    try:
        return respond(response)
    finally:
        del response.serialized


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
