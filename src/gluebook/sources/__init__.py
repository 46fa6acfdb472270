"""The sources, discovered: `SOURCE` in `<dataset>/<name>.py` is the source `name` of `dataset`. No list names it.

Listing needs no import, so the functions, which only ask which sources there are, never import one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from gluebook.contracts import CONTRACTS
from gluebook.errors import ConfigurationError

if TYPE_CHECKING:
    from gluebook.sources.model import Source


@cache
def source_names(dataset: str) -> tuple[str, ...]:
    """The names of the sources that feed `dataset`, in alphabetical order; none for a dataset without a folder."""
    folder = files(__name__) / dataset
    modules = folder.iterdir() if folder.is_dir() else ()
    return tuple(
        sorted(path.name[:-3] for path in modules if path.name.endswith(".py") and path.name != "__init__.py")
    )


def all_sources() -> tuple[Source, ...]:
    """Every source of every dataset."""
    return tuple(each for dataset in CONTRACTS for each in sources_of(dataset))


def sources_of(dataset: str) -> tuple[Source, ...]:
    """The sources that feed `dataset`, in alphabetical order."""
    return tuple(source(dataset, name) for name in source_names(dataset))


def source(dataset: str, name: str) -> Source:
    """The source `name` of `dataset`. Raises ConfigurationError naming the known ones."""
    if name not in source_names(dataset):
        known = ", ".join(f"{one}/{each}" for one in CONTRACTS for each in source_names(one))
        raise ConfigurationError(f"no source {dataset}/{name}; there are {known}")
    found: Source = import_module(f"{__name__}.{dataset}.{name}").SOURCE
    return found
