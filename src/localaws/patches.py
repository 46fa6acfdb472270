"""Changes to moto's classes and modules: in force from `apply` until `undo`.

    PATCHES = Patches(around(S3Backend, "copy_object", copy_object), add(GlueResponse, "update_job", update_job))

moto's state is one per process, and so are these changes. Several owners may change the same attribute and end in
any order: an attribute keeps what lies over it as layers, and `undo` takes out only its own. When the last one is
out, the attribute is what moto made it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import moto

from localaws.errors import NotSupported

MOTO = "5.2.5"  # the release whose internals the patches are written for

_MISSING: Any = object()
_lock = threading.RLock()


@dataclass(frozen=True, eq=False)
class Change:
    """One attribute of `owner`, a class or a module of moto; `over` makes the new value from the one below it."""

    owner: Any
    name: str
    over: Callable[[Any], Any]
    is_new: bool = False  # moto has no such attribute


@dataclass
class _Attribute:
    """An attribute of moto: its own value, and the changes that lie over it."""

    own: Any  # as it stands in the owner itself; _MISSING if it is inherited or absent
    below: Any  # what the lowest change is laid over
    layers: list[Change] = field(default_factory=list)


_attributes: dict[tuple[int, str], _Attribute] = {}


class Patches:
    """Changes that are applied and undone together, in this order and in the reverse. Thread-safe."""

    def __init__(self, *changes: Change) -> None:
        self.changes = changes
        self._applied = 0

    def apply(self) -> None:
        """Put the changes in force; a second `apply` only takes a second `undo`.

        Raises NotSupported, with nothing changed, if moto is not what the changes are written for.
        """
        with _lock:
            if not self._applied:
                _check_version()
                for change in self.changes:
                    _check(change)
                for change in self.changes:
                    _add(change)
            self._applied += 1

    def undo(self) -> None:
        """Take the changes out, if this is the `undo` of the first `apply`; without an `apply` nothing happens."""
        with _lock:
            if self._applied == 1:
                for change in reversed(self.changes):
                    _remove(change)
            self._applied = max(0, self._applied - 1)

    def __enter__(self) -> Patches:
        self.apply()
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def around(owner: Any, name: str, function: Callable[..., Any]) -> Change:
    """`function` in the place of a function, method or property; its first argument is the original one."""

    def over(original: Any) -> Any:
        if isinstance(original, property):
            return property(lambda it: function(original.fget, it))

        @wraps(original)
        def patched(*arguments: Any, **named: Any) -> Any:
            return function(original, *arguments, **named)

        return patched

    return Change(owner, name, over)


def replace(owner: Any, name: str, value: Any) -> Change:
    """Another value, whatever moto's own is."""
    return Change(owner, name, lambda _: value)


def add(owner: Any, name: str, value: Any) -> Change:
    """Something that moto does not have."""
    return Change(owner, name, lambda _: value, is_new=True)


def _check_version() -> None:
    if moto.__version__ != MOTO:
        raise NotSupported(
            f"localaws changes moto's internals and knows those of {MOTO}, but moto {moto.__version__} is installed; "
            f"install moto=={MOTO}"
        )


def _check(change: Change) -> None:
    if (id(change.owner), change.name) not in _attributes and hasattr(
        change.owner, change.name
    ) is change.is_new:
        has = "has" if change.is_new else "has no"
        raise NotSupported(f"moto's {change.owner.__name__} {has} {change.name}: its internals have changed")


def _add(change: Change) -> None:
    key = id(change.owner), change.name
    if key not in _attributes:
        own = vars(change.owner).get(change.name, _MISSING)
        below = getattr(change.owner, change.name, _MISSING) if own is _MISSING else own
        _attributes[key] = _Attribute(own, below)
    _attributes[key].layers.append(change)
    _set(change)


def _remove(change: Change) -> None:
    _attributes[id(change.owner), change.name].layers.remove(change)
    _set(change)


def _set(changed: Change) -> None:
    """Give the attribute the value that its layers make."""
    attribute = _attributes[id(changed.owner), changed.name]
    if attribute.layers:
        value = attribute.below
        for change in attribute.layers:
            value = change.over(value)
        setattr(changed.owner, changed.name, value)
        return
    del _attributes[id(changed.owner), changed.name]
    if attribute.own is _MISSING:
        delattr(changed.owner, changed.name)
    else:
        setattr(changed.owner, changed.name, attribute.own)
