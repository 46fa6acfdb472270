"""The error classes, split by whether a retry helps.

GluebookError
├── TerminalError                a retry fails the same way; a person must act
│   ├── ContractError            data, suite or code disagree with a dataset's contract
│   ├── IllegalTransition        a file version or batch can't go from this state to that one
│   ├── CountMismatch            rows went missing or appeared between two steps
│   ├── NotebookError            a notebook can't become a job script
│   ├── ConfigurationError       something the caller must set up first
│   └── SelfCheckFailed          job runs cannot work in this environment, whatever the data
└── TransientError               a later retry may help
    ├── Fenced                   another run has taken this batch over
    └── WarehouseBusy            the warehouse refused or aborted for load or conflict
"""

from __future__ import annotations


class GluebookError(Exception):
    """Base of all errors that Gluebook raises; the message is for people."""


class TerminalError(GluebookError):
    """A retry fails the same way."""


class TransientError(GluebookError):
    """A later retry may help."""


class ContractError(TerminalError):
    """Data, suite or code disagree with a dataset's contract."""


class IllegalTransition(TerminalError):
    """A file version or batch can't go from one state to another."""


class CountMismatch(TerminalError):
    """Rows went missing or appeared between two steps."""


class NotebookError(TerminalError):
    """A notebook can't become a job script; names notebook, cell and line."""


class ConfigurationError(TerminalError):
    """Something the caller must set up first; the message says what."""


class SelfCheckFailed(TerminalError):
    """Job runs cannot work in this environment, whatever the data; the message says in one line what failed."""


class Fenced(TransientError):
    """Another run has taken over the batch; this one must stop without further writes."""


class WarehouseBusy(TransientError):
    """The warehouse refused or aborted a statement because of load or a conflict."""
