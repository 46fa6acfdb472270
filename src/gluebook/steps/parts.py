"""Parts of a piece of work, each of which is done whatever becomes of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.errors import GluebookError, WarehouseBusy

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Parts:
    """What failed is logged at once and raised in the end: the function's alarm tells of it."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._failed: list[Exception] = []

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
            self._failed.append(error)
            return otherwise

    def note(self, errors: Iterable[Exception]) -> None:
        """Take in what a part has failed at and gone on."""
        self._failed += errors

    def raise_what_failed(self) -> None:
        """Raise ExceptionGroup if something has failed."""
        if self._failed:
            raise ExceptionGroup(f"{len(self._failed)} parts of the {self._of} failed", self._failed)
