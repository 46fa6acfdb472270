"""What in a page would make a browser load something; found by rules of its own, not by those that clean pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_FORBIDDEN = {"script", "iframe", "object", "embed", "audio", "video", "noscript", "template", "form"}
_FORBIDDEN |= {"base", "source", "track", "frame"}
_LOADING = {"src", "srcset", "poster", "data", "background", "action", "formaction", "ping", "manifest"}
_OUTSIDE = re.compile(r"\s*(?!data:)(?:[a-z][a-z0-9+.-]*:|//|\\)", re.I)
_IN_STYLES = re.compile(r"@import|url\(\s*(?!['\"]?(?:#|data:))", re.I)


def reaches_out(html: str) -> list[str]:
    """Every tag, attribute and style of the page that loads or runs something; empty if it is self-contained."""
    finder = _Finder()
    finder.feed(html)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        if tag in _FORBIDDEN or (tag == "link" and not (dict(attrs).get("href") or "").startswith("data:")):
            self.found.append(f"<{tag}>")
        self.found += [f"<{tag} {name}={value}>" for name, value in attrs if _reaches_out(name, value or "")]

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += _IN_STYLES.findall(data)


def _reaches_out(name: str, value: str) -> bool:
    return (
        name.startswith("on")
        or (name in _LOADING and not value.startswith("data:image/"))
        or (name.endswith("href") and _OUTSIDE.match(value) is not None)
        or (name == "style" and _IN_STYLES.search(value) is not None)
    )
