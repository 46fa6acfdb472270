"""Requests of deployed roles that the laptop AWS refused: shown as they happen, and at the end.

On AWS only CloudTrail records them; see docs/operations.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import urllib3

from gluebook.cli import screens

if TYPE_CHECKING:  # it imports moto, which no command needs before it asks
    from localaws.iam import Denied, UsageReport

_TIMEOUT_SECONDS = 10.0
_UNMAPPED = "which permissions it needs isn't known on the laptop"


def refusals(report: UsageReport) -> list[str]:
    """A line for each role and action that was refused: resource, caller, number of times, and why."""
    by_action: dict[tuple[str, str], list[Denied]] = {}
    for one in report.denied:
        by_action.setdefault((one.role, one.action), []).append(one)
    found = [_line(role, action, ones) for (role, action), ones in by_action.items()]
    found += [
        f"{one.role} was refused {one.operation} for {one.caller}, {_times(one.count)}: {_UNMAPPED}"
        for one in report.unmapped
    ]
    return [*found, *report.unjudged]


def _line(role: str, action: str, ones: list[Denied]) -> str:
    resources = list(dict.fromkeys(one.resource for one in ones))
    callers = list(dict.fromkeys(one.caller for one in ones))
    count = sum(one.count for one in ones)
    return f"{role} was refused {action} on {_first(resources)} for {_first(callers)}, {_times(count)}"


def _first(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def as_json(report: UsageReport) -> list[dict[str, Any]]:
    """The same as JSON values: role, action, resource, caller, count and reason of each."""
    denied = [asdict(one) for one in report.denied]
    return denied + [
        {
            "role": one.role,
            "action": one.operation,
            "resource": None,
            "caller": one.caller,
            "count": one.count,
            "reason": _UNMAPPED,
        }
        for one in report.unmapped
    ]


def of_running_laptop() -> UsageReport | None:
    """The report of the laptop AWS that this process calls; None if it calls AWS."""
    url = os.environ.get("AWS_ENDPOINT_URL")
    if not url:
        return None
    from localaws.iam import REPORT_PATH, UsageReport

    try:
        answer = urllib3.request("GET", url + REPORT_PATH, timeout=_TIMEOUT_SECONDS, retries=False)
        return UsageReport.from_dict(json.loads(answer.data)) if answer.status == 200 else None
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
        return None  # not an endpoint of localaws


def show(lines: Iterable[str]) -> None:
    """Print the first of many on stderr."""
    for line in screens.limited(lines):
        screens.err.print(f"[red]{screens.plain(line)}[/]", highlight=False, soft_wrap=True)


class RefusalWatch:
    """Shows each refusal once. `report` gives the usage report of the moment."""

    def __init__(self, report: Callable[[], UsageReport]) -> None:
        self._report = report
        self._seen: set[tuple[str, str]] = set()

    def check(self) -> bool:
        """Show new refusals; return whether anything was refused so far."""
        report = self._report()
        new = replace(
            report,
            unjudged=(),
            denied=tuple(one for one in report.denied if (one.role, one.action) not in self._seen),
            unmapped=tuple(one for one in report.unmapped if (one.role, one.operation) not in self._seen),
        )
        self._seen |= {(one.role, one.action) for one in new.denied}
        self._seen |= {(one.role, one.operation) for one in new.unmapped}
        show(refusals(new))
        return bool(self._seen)
