"""Parts of a piece of work, each of which is done whatever becomes of the others."""

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


class Parts:
    """What failed is logged at once and raised in the end: the function's alarm tells of it."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._failed: dict[str, Exception] = {}

    def do(self, what: str, part: Callable[[], T], otherwise: T) -> T:
        """What `part` returns; `otherwise` if AWS or we refuse it.

        Raises WarehouseBusy: the others would fare no better.
        """
        try:
            return part()
        except WarehouseBusy:
            raise
        except (ClientError, BotoCoreError, GluebookError) as error:
            _log.exception("%s failed", what)
            self._failed[what] = error
            return otherwise

    def note(self, failed: Mapping[str, Exception]) -> None:
        """Take in what a part has failed at and gone on."""
        self._failed |= failed

    def raise_what_failed(self) -> None:
        """Raise ExceptionGroup if something has failed."""
        if self._failed:
            # Of an error that ends a function only its text is seen from outside.
            named = "; ".join(f"{what}: {error}" for what, error in islice(self._failed.items(), _MOST_NAMED))
            number = f"{len(self._failed)} part{'s' if len(self._failed) > 1 else ''}"
            raise ExceptionGroup(f"{number} of the {self._of} failed: {named}", [*self._failed.values()])
