"""Keep a batch's lease alive while a run works on it."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from gluebook.aws.ports import LedgerPort
from gluebook.clock import Clock
from gluebook.core.model import Batch
from gluebook.errors import Fenced

_log = logging.getLogger(__name__)


class Lease:
    """Renews the lease from a thread of its own, three times per lease, until stopped or lost.

    Losing it isn't acted upon here: every later step asks the ledger's fence and stops by itself.
    """

    def __init__(self, ledger: LedgerPort, batch: Batch, seconds: int, clock: Clock) -> None:
        self._ledger = ledger
        self._batch = batch
        self._seconds = seconds
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def _renew(self) -> None:
        while not self._stopped.wait(self._seconds / 3):
            until = int((self._clock() + timedelta(seconds=self._seconds)).timestamp())
            try:
                self._ledger.lease(self._batch, until)
            except Fenced as lost:
                _log.error("%s", lost)
                return
            except Exception:  # noqa: BLE001  a failed renewal is tried again; the lease outlives two of them
                _log.exception("lease of batch %s could not be renewed", self._batch.batch_id)

    def stop(self) -> None:
        """Stop renewing. The lease runs out by itself, or with the batch."""
        self._stopped.set()
        self._thread.join()
