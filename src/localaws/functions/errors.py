"""A failed invocation, as Lambda reports it."""

from __future__ import annotations

from typing import Any

from ..errors import LocalAwsError

TIMED_OUT, EXITED = "Sandbox.Timedout", "Runtime.ExitError"


class FunctionError(LocalAwsError):
    """An invocation failed: `error_type`, `message` and `stack` as Lambda reports them."""

    def __init__(self, error_type: str, message: str, stack: tuple[str, ...] = ()) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack = stack

    def payload(self) -> dict[str, Any]:
        """The answer Lambda gives for it."""
        return {"errorMessage": self.message, "errorType": self.error_type, "stackTrace": list(self.stack)}

    def logged(self) -> str:
        """How Lambda logs it (AWS docs: "Log and monitor Python Lambda functions", "Troubleshoot execution")."""
        if self.error_type in (TIMED_OUT, EXITED):
            return f"{self.message}\n{self.error_type}"
        trace = ["Traceback (most recent call last):\n", *self.stack] if self.stack else []
        return "".join([f"[ERROR] {self.error_type}: {self.message}\n", *trace]).rstrip()
