"""Invoke Lambda functions directly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from boto3.session import Session
from botocore.config import Config

from gluebook.aws.sessions import new_session
from gluebook.errors import TerminalError

# Lambda's own limit: after a shorter time-out the invocation would continue.
_LONGEST_SECONDS = 900


class Functions:
    """Invokes functions and waits for them."""

    def __init__(self, session: Session | None = None) -> None:
        # No retries by the SDK: each retry would be another invocation.
        waiting = Config(read_timeout=_LONGEST_SECONDS, retries={"total_max_attempts": 1})
        self._lambda = (session or new_session()).client("lambda", config=waiting)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its result. Raises TerminalError if it fails, ClientError."""
        answer = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            said = payload.get("errorMessage", payload) if isinstance(payload, dict) else payload
            raise TerminalError(f"function {name} failed: {said}; see /aws/lambda/{name}")
        return payload
