"""The resource types that the laptop's CloudFormation creates: every one in the modules of this package."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules

from ..resource import ResourceType


@cache
def all_types() -> dict[str, ResourceType]:
    """Every resource type by its name."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    kinds = [
        kind()
        for module in modules
        for kind in vars(module).values()
        if isclass(kind) and issubclass(kind, ResourceType) and not isabstract(kind)
    ]
    return {kind.type_name: kind for kind in sorted(kinds, key=lambda kind: kind.type_name)}
