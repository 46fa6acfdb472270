"""In-memory fakes with the behaviour of the real adapters, including conditional writes."""

from fakes.dying import Calls, Died, Dying, calls_of
from fakes.ledger import FakeLedger
from fakes.objects import FakeObjects
from fakes.services import FakeCatalog, FakeJobs, FakeQueue, FakeWarehouse
from fakes.values import FakeClock, a_batch, a_file, a_report

__all__ = [
    "Calls",
    "Died",
    "Dying",
    "FakeCatalog",
    "FakeClock",
    "FakeJobs",
    "FakeLedger",
    "FakeObjects",
    "FakeQueue",
    "FakeWarehouse",
    "a_batch",
    "a_file",
    "a_report",
    "calls_of",
]
