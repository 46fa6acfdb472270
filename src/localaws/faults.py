"""Failures that happen on AWS now and then, made to happen here by a test.

Every fault is off until it is switched on, and costs nothing while it is off. For processes that a test can kill, see
`LocalAws.jobs.running`, `LocalAws.functions.running`, `LocalAws.postgres.crash`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from localaws.errors import ApiError, LocalAwsError, NotSupported
from localaws.events import Deliveries, EventBus
from localaws.iam import Authorizer, Decide, RoleCall, When
from localaws.mappings import Mappings

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Faults", "RoleCall", "When", "internal_error", "throttled"]

# SQS: "VisibilityTimeout ... Values: 0 to 43200" (AWS docs: ReceiveMessage).
_MOST_HIDDEN_SECONDS = 43_200

# service ▸ (code, HTTP status) of throttling and of an internal error (AWS docs: each service's API reference,
# "Errors" of an operation and "Common errors").
_THROTTLED = {
    "s3": ("SlowDown", 503),
    "lambda": ("TooManyRequestsException", 429),
    "sqs": ("RequestThrottled", 400),
    "monitoring": ("Throttling", 400),
    "sns": ("Throttling", 400),
    "sts": ("Throttling", 400),
    **dict.fromkeys(
        ("dynamodb", "glue", "redshift-data", "redshift-serverless"), ("ThrottlingException", 400)
    ),
    **dict.fromkeys(("logs", "events", "secretsmanager", "kms"), ("ThrottlingException", 400)),
}
_BROKEN = {
    "s3": ("InternalError", 500),
    "dynamodb": ("InternalServerError", 500),
    "glue": ("InternalServiceException", 500),
    "redshift-data": ("InternalServerException", 500),
    "redshift-serverless": ("InternalServerException", 500),
    "lambda": ("ServiceException", 500),
    "monitoring": ("InternalServiceError", 500),
    "secretsmanager": ("InternalServiceError", 500),
    "events": ("InternalException", 500),
    "kms": ("KMSInternalException", 500),
    "logs": ("ServiceUnavailableException", 500),
    **dict.fromkeys(("sqs", "sns", "sts"), ("InternalFailure", 500)),
}


def throttled(call: RoleCall) -> ApiError:
    """The called service's "slow down", with its own code and HTTP status. NotSupported for an unknown service."""
    return _error(_THROTTLED, call, "Rate exceeded")


def internal_error(call: RoleCall) -> ApiError:
    """The called service's own failure (500): whether the request was executed is unknown."""
    return _error(_BROKEN, call, "We encountered an internal error. Please try again.")


def _error(known: dict[str, tuple[str, int]], call: RoleCall, message: str) -> ApiError:
    if call.service not in known:
        raise NotSupported(f"a fault of {call.service}: the errors of this service are not known here")
    code, status = known[call.service]
    return ApiError(code, message, status)


class Faults:
    """Switches for faults. Thread-safe; a switch takes effect with the next event, request or message.

    A `decide` function that raises has no effect on the delivery or request; the error is raised by the next call
    here, at the latest by `clear`.
    """

    def __init__(self, bus: EventBus, authorizer: Authorizer, mappings: Mappings) -> None:
        self._bus = bus
        self._authorizer = authorizer
        self._mappings = mappings
        self._lock = threading.Lock()
        self._broken: list[Exception] = []

    def deliveries(self, decide: Deliveries | None) -> None:
        """How each event is delivered to each target of the bus; None: exactly once.

        `decide(event, target ARN)` gives the seconds until each delivery: [] loses it, [0] is normal, [0, 0.5]
        delivers it twice, [3] lets others overtake it. It is called on the bus's thread and must not change the
        event. A delivery that waits keeps the laptop's AWS from being idle.
        """
        self._raise_broken()
        self._bus.deliveries = None if decide is None else self._guarded(decide, [0.0])

    def api(self, decide: Decide | None) -> None:
        """Which requests of deployed roles fail; None: none does by this. The deployer's never do.

        `decide(call, when)` is asked twice. "before": an ApiError is answered, and nothing is executed, as when a
        service throttles. "after": the request has been executed (successfully or not), and an ApiError is
        answered all the same: the caller can't know. A request that is refused by its role's policies isn't asked
        about again. SDKs retry such failures, and `decide` is asked about each attempt. See `throttled` and
        `internal_error` for what services say. It is called on many threads.
        """
        self._raise_broken()
        self._authorizer.interfere = None if decide is None else self._guarded(decide, None)

    def visibility(self, seconds: int | None) -> None:
        """Messages that mappings receive become visible again after so many seconds; None: as their queue says.

        For tests that can't wait for the long timeouts of real queues. Shorter than a handler takes, and the
        message is handled twice at once, as on AWS. Raises ValueError for what SQS wouldn't take.
        """
        self._raise_broken()
        if seconds is not None and not 0 <= seconds <= _MOST_HIDDEN_SECONDS:
            raise ValueError(f"visibility of {seconds} seconds: SQS takes 0 to {_MOST_HIDDEN_SECONDS}")
        self._mappings.visibility_seconds = seconds

    def clear(self) -> None:
        """Switch everything off. Raises LocalAwsError if a decision has failed."""
        self._bus.deliveries = None
        self._authorizer.interfere = None
        self._mappings.visibility_seconds = None
        self._raise_broken()

    def _guarded(self, decide: Callable[P, R], otherwise: R) -> Callable[P, R]:
        """`decide`, or `otherwise` where it raises: the error is raised where the test sees it."""

        def guarded(*arguments: P.args, **named: P.kwargs) -> R:
            try:
                return decide(*arguments, **named)
            except Exception as error:  # noqa: BLE001
                with self._lock:
                    self._broken.append(error)
                return otherwise

        return guarded

    def _raise_broken(self) -> None:
        with self._lock:
            broken, self._broken = self._broken, []
        if broken:
            raise LocalAwsError(
                f"deciding about faults failed {len(broken)} times: {broken[0]!r}"
            ) from broken[0]
