"""What can go wrong in the Redshift of localaws.

LocalAwsError
├── NotSupported
│   └── UnsupportedSql     a statement, clause, function or type that isn't rewritten here, or that Redshift refuses
├── RedshiftError          what Redshift itself would say of a statement that failed
└── StatementCancelled     the statement was cancelled while it ran
"""

from __future__ import annotations

from localaws.errors import LocalAwsError, NotSupported


class UnsupportedSql(NotSupported):
    """SQL that Redshift refuses, or that Redshift accepts and localaws doesn't support."""


class StatementCancelled(LocalAwsError):
    """The statement was cancelled before its transaction was committed."""


class RedshiftError(LocalAwsError):
    """An error as Redshift words it; `detail` is the block below the message.

    `str()` gives the text that DescribeStatement.Error carries after "ERROR: ".
    """

    def __init__(self, message: str, detail: str | None = None) -> None:
        self.message = message
        self.detail = detail
        super().__init__(message if detail is None else f"{message}\n  Detail: {detail}")

    @classmethod
    def block(cls, error: str, code: int, context: str) -> RedshiftError:
        """An error with the framed detail that Redshift's compute layer adds (code, context)."""
        rule = "-" * 47
        lines = [rule, f"error:  {error}", f"code:      {code}", f"context:   {context}", rule]
        return cls(error, "\n  " + "\n  ".join(lines))

    @classmethod
    def scan(cls, code: int, context: str) -> RedshiftError:
        """A "Spectrum Scan Error", the form in which COPY from Parquet reports what it finds in files."""
        return cls.block("Spectrum Scan Error", code, context)
