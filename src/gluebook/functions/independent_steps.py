"""Steps of a function that run independently: one that fails does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.errors import GluebookError, WarehouseBusy

_log = logging.getLogger(__name__)
T = TypeVar("T")
_MOST_NAMED = 10


class IndependentSteps:
    """Runs steps, logs each failure at once and raises all of them at the end: the function's alarm sees them."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._failed: dict[str, Exception] = {}

    def run(self, name: str, step: Callable[[], T], default: T) -> T:
        """Return what `step` returns, or `default` if AWS or Gluebook refuses it.

        Raises WarehouseBusy at once, because further steps would meet it too.
        """
        try:
            return step()
        except WarehouseBusy:
            raise
        except (ClientError, BotoCoreError, GluebookError) as error:
            _log.exception("%s failed", name)
            self._failed[name] = error
            return default

    def add_failures(self, failed: Mapping[str, Exception]) -> None:
        """Add failures that a step has met and continued after, by name."""
        self._failed |= failed

    def raise_failures(self) -> None:
        """Raise an ExceptionGroup if any step has failed."""
        if self._failed:
            # Lambda reports only the text of the error that ends a function.
            errors = "; ".join(
                f"{name}: {error}" for name, error in islice(self._failed.items(), _MOST_NAMED)
            )
            number = f"{len(self._failed)} step{'s' if len(self._failed) > 1 else ''}"
            raise ExceptionGroup(f"{number} of the {self._of} failed: {errors}", [*self._failed.values()])
