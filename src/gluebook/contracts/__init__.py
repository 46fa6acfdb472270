"""The contracts: what a dataset's rows are. One module per dataset, named like it; imports `errors` only.

`model` says what a contract is made of, `reasons` why a record, file or batch is not loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from gluebook.contracts.model import PROVENANCE, QUARANTINE, TYPES, Column, Contract
from gluebook.errors import ConfigurationError

__all__ = ["CONTRACTS", "PROVENANCE", "QUARANTINE", "TYPES", "Column", "Contract", "contract"]


_SHARED = ("model", "reasons")


def _found() -> dict[str, Contract]:
    names = sorted(module.name for module in iter_modules(__path__) if module.name not in _SHARED)
    return {name: getattr(import_module(f"{__name__}.{name}"), name.upper()) for name in names}


CONTRACTS: Mapping[str, Contract] = MappingProxyType(_found())


def contract(dataset: str) -> Contract:
    """The contract of `dataset`. Raises ConfigurationError naming the known ones."""
    try:
        return CONTRACTS[dataset]
    except KeyError:
        raise ConfigurationError(f"no dataset {dataset!r}; there are {', '.join(CONTRACTS)}") from None
