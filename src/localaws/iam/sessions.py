"""Callers and their temporary credentials."""

from __future__ import annotations

import re
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from localaws.endpoint import ACCOUNT, DEPLOYER, Credentials
from localaws.errors import ApiError
from localaws.iam.principals import Principal

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_KEY_CHARACTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    `role`: the role's name, None for the deployer (the account's administrator, who may do everything).
    `session`: the role session's name, "" for the deployer. `user_id`: aws:userid, "AROAXXXX:session" for a
    role, "deployer" for the deployer. `work`: what runs as the role, as reports name it; `by_aws`: whether that is
    a part of AWS itself.
    """

    role: str | None
    session: str
    user_id: str
    work: str = ""
    by_aws: bool = False

    @property
    def arn(self) -> str:
        """arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, or the account's root for the deployer."""
        if self.role is None:
            return f"arn:aws:iam::{ACCOUNT}:root"
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.session}"

    def principal(self, role_arn: str) -> Principal:
        """As policies see this caller, a role with this ARN (the caller's own has no path)."""
        return Principal(ACCOUNT, role_arn, self.arn)


DEPLOYING = Caller(None, "", "deployer")


@dataclass(frozen=True)
class Session:
    """Temporary credentials and their caller. `expires_at`: seconds since 1970, None for never."""

    credentials: Credentials
    caller: Caller
    started_at: float
    expires_at: float | None


class Sessions:
    """The keys that are in use. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: dict[str, Session] = {}

    def start(self, caller: Caller, seconds: int | None) -> Session:
        """New credentials for `caller`, valid for this many seconds (None: as long as the laptop's AWS runs).

        Raises ApiError ValidationError for a session name that AWS refuses.
        """
        if not _SESSION_NAME.fullmatch(caller.session):
            raise ApiError(
                "ValidationError", f"role session name {caller.session!r} must fit [\\w+=,.@-]{{2,64}}"
            )
        now = self._clock()
        credentials = Credentials(
            "ASIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16)),
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(48),
        )
        session = Session(credentials, caller, now, None if seconds is None else now + seconds)
        with self._lock:
            # A key is forgotten a day after it expires; until then its use is answered with "expired".
            for key, old in list(self._by_key.items()):
                if old.expires_at is not None and old.expires_at + 86400 < now:
                    del self._by_key[key]
            self._by_key[credentials.access_key] = session
        return session

    def find(self, access_key: str, token: str | None) -> Session:
        """The session of a key. Raises ApiError InvalidClientTokenId or ExpiredToken, status 403."""
        if access_key == DEPLOYER.access_key:
            return Session(DEPLOYER, DEPLOYING, 0.0, None)
        session = self._by_key.get(access_key)
        if session is None or token != session.credentials.token:
            what = "security token" if session else f"access key {access_key!r}"
            raise ApiError("InvalidClientTokenId", f"The {what} included in the request is invalid.", 403)
        if session.expires_at is not None and session.expires_at <= self._clock():
            raise ApiError("ExpiredToken", "The security token included in the request is expired", 403)
        return session
