"""The condition operators of IAM policies (AWS docs: "IAM JSON policy elements: Condition operators")."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

from localaws.iam.globs import Context, expand, matches

# (the policy's value, the request's value, the values of variables or None) -> whether they agree
Test = Callable[[str, str, Context | None], bool]


def test_of(operator: str) -> tuple[Test, bool]:
    """The operator's test and whether it is negated (`...Not...`). KeyError if there is no such operator."""
    return _OPERATORS[operator]


def known() -> list[str]:
    return sorted([*_OPERATORS, "Null"])


def check_value(operator: str, value: str) -> None:
    """ValueError if the operator can't read this value of a policy."""
    for kind, read in _READERS.items():
        if kind in operator:
            read(value)


def _string(value: str, have: str, variables: Context | None) -> bool:
    return _filled(value, variables) == have


def _string_ignoring_case(value: str, have: str, variables: Context | None) -> bool:
    filled = _filled(value, variables)
    return filled is not None and filled.lower() == have.lower()


def _filled(value: str, variables: Context | None) -> str | None:
    return value if variables is None else expand(value, variables)


def _arn(value: str, have: str, variables: Context | None) -> bool:
    """ArnEquals and ArnLike are the same; each of the six parts is compared by itself (AWS docs)."""
    if have.count(":") < 5:
        return False
    if "${" in value:  # the variable's value may contain colons
        return matches(value, have, variables)
    parts = zip(_arn_parts(value), _arn_parts(have), strict=True)
    return all(matches(want, part) for want, part in parts)


def _arn_parts(text: str) -> list[str]:
    parts = text.split(":", 5)
    if len(parts) != 6:
        raise ValueError("an ARN has six parts: arn:partition:service:region:account:resource")
    return parts


def _bool(value: str, have: str, _variables: Context | None) -> bool:
    return value.lower() == have.lower()


def _address(value: str, have: str, _variables: Context | None) -> bool:
    try:
        return ip_address(have) in ip_network(value, strict=False)
    except ValueError:
        return False


def _seconds(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 date or of a number of seconds; no time zone means UTC."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _compared(read: Callable[[str], float], agree: Callable[[float, float], bool]) -> Test:
    def test(value: str, have: str, _variables: Context | None) -> bool:
        try:
            return agree(read(have), read(value))
        except ValueError:  # a request's value that is no number or date agrees with none
            return False

    return test


def _ordered(kind: str, read: Callable[[str], float]) -> dict[str, tuple[Test, bool]]:
    equal = _compared(read, lambda have, want: have == want)
    return {
        f"{kind}Equals": (equal, False),
        f"{kind}NotEquals": (equal, True),
        f"{kind}LessThan": (_compared(read, lambda have, want: have < want), False),
        f"{kind}LessThanEquals": (_compared(read, lambda have, want: have <= want), False),
        f"{kind}GreaterThan": (_compared(read, lambda have, want: have > want), False),
        f"{kind}GreaterThanEquals": (_compared(read, lambda have, want: have >= want), False),
    }


_READERS: dict[str, Callable[[str], object]] = {
    "Numeric": float,
    "Date": _seconds,
    "IpAddress": lambda text: ip_network(text, strict=False),
    "Arn": lambda text: None if "${" in text else _arn_parts(text),
}

_OPERATORS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (_string, False),
    "StringNotEquals": (_string, True),
    "StringEqualsIgnoreCase": (_string_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_string_ignoring_case, True),
    "StringLike": (matches, False),
    "StringNotLike": (matches, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "Bool": (_bool, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    **_ordered("Numeric", float),
    **_ordered("Date", _seconds),
}
