"""What can go wrong, split by what to do about it.

GluebookError
├── TerminalError                trying again gives the same answer; a person must act
│   ├── ContractError            data, suite or code disagree with a dataset's contract
│   ├── IllegalTransition        a file version or batch can't go from this state to that one
│   ├── CountMismatch            rows went missing or appeared between two steps
│   ├── GateFailed               the batch broke a critical expectation
│   ├── NotebookError            a notebook can't become a job script
│   ├── ConfigurationError       something the caller must set up first
│   └── SelfCheckFailed          no job run can work here, whatever the data
└── TransientError               trying again later may help
    ├── Fenced                   another run has taken this batch over
    └── WarehouseBusy            the warehouse refused or aborted for load or conflict
"""

from __future__ import annotations


class GluebookError(Exception):
    """Base of everything that Gluebook raises on purpose; its text is meant for people."""


class TerminalError(GluebookError):
    """Trying again gives the same answer."""


class TransientError(GluebookError):
    """Trying again later may help."""


class ContractError(TerminalError):
    """Data, suite or code disagree with a dataset's contract."""


class IllegalTransition(TerminalError):
    """A file version or batch can't go from one state to another."""


class CountMismatch(TerminalError):
    """Rows went missing or appeared between two steps."""


class GateFailed(TerminalError):
    """The batch broke a critical expectation; nothing of it was published."""


class NotebookError(TerminalError):
    """A notebook can't become a job script; names notebook, cell and line."""


class ConfigurationError(TerminalError):
    """Something the caller must set up first; the text says what."""


class SelfCheckFailed(TerminalError):
    """No job run can work here, whatever the data; the text says in one line what failed."""


class Fenced(TransientError):
    """Another run has taken this batch over; the caller must stop and leave nothing behind."""


class WarehouseBusy(TransientError):
    """The warehouse refused or aborted a statement because of load or a conflict."""
