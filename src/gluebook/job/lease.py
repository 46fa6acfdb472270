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
    """Renews the lease from its own thread, three times per lease, until stopped or lost.

    A lost lease needs no action here: every later step checks the ledger's fence and stops.
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
            except Exception:  # noqa: BLE001  a failed renewal is retried; the lease outlives two of them
                _log.exception("could not renew the lease of batch %s", self._batch.batch_id)

    def stop(self) -> None:
        """Stop renewing. The lease expires, or ends with the batch."""
        self._stopped.set()
        self._thread.join()
