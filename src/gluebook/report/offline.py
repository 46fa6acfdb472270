"""Self-contained pages: whatever makes a browser load or run something is removed."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

# Elements that are removed with their content.
_WHOLE = frozenset({"script", "iframe", "object", "embed", "audio", "video", "noscript", "template", "form"})
_EMPTY = frozenset({"link", "base", "source", "track", "embed", "frame"})
# Attributes that make a browser load something.
_LOADING = frozenset(
    {"src", "srcset", "poster", "data", "background", "action", "formaction", "ping", "manifest"}
)
_REFERENCES = ("href", "xlink:href")
_IMPORT = re.compile(r"@import[^;]*;?", re.I)
_URL = re.compile(r"url\(\s*(?!['\"]?(?:#|data:))[^)]*\)", re.I)
_VOID = frozenset(
    {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "base", "embed"}
)


def only_own(html: str) -> str:
    """The page without scripts, and without links out of its folder.

    Left are its own styles, pictures as data: URIs, and links within the page and to neighbours.
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.kept)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        # Text is copied as it is written: an escaped < stays escaped.
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._within: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._within or tag in _WHOLE:
            if tag in _WHOLE and tag not in _VOID:
                self._within.append(tag)
            return
        if self._drops(tag, dict(attrs)):
            return
        self._style = tag == "style"
        self.kept.append(f"<{tag}{''.join(_attribute(*pair) for pair in attrs if _harmless(tag, *pair))}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._within and tag not in _WHOLE and not self._drops(tag, dict(attrs)):
            kept = "".join(_attribute(*pair) for pair in attrs if _harmless(tag, *pair))
            self.kept.append(f"<{tag}{kept}/>")

    def handle_endtag(self, tag: str) -> None:
        if self._within:
            if tag == self._within[-1]:
                self._within.pop()
        elif tag not in _WHOLE:
            self._style = False
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.kept.append(_styles(data) if self._style else data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.kept.append(f"<!{decl}>")

    @staticmethod
    def _drops(tag: str, attributes: dict[str, str | None]) -> bool:
        if tag == "link":
            return not (attributes.get("href") or "").startswith("data:")
        picture = attributes.get("src") or ""
        refreshes = tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh"
        return refreshes or tag in _EMPTY or (tag == "img" and not picture.startswith("data:"))


def _harmless(tag: str, name: str, value: str | None) -> bool:
    value = (value or "").strip()
    if name.startswith("on"):
        return False
    if name in _LOADING:
        return tag == "img" and value.startswith("data:image/")
    if name in _REFERENCES:
        if tag == "link":
            return value.startswith("data:")
        return not re.match(r"[a-z][a-z0-9+.-]*:|//|\\", value, re.I)
    return name != "style" or _styles(value) == value


def _attribute(name: str, value: str | None) -> str:
    return f" {name}" if value is None else f' {name}="{escape(value, quote=True)}"'


def _styles(text: str) -> str:
    return _URL.sub("none", _IMPORT.sub("", text))
