"""Redshift: how long the first statement of a cold warehouse takes, and what is left of a statement after a day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gluebook.functions.schema import TIMEOUT_SECONDS
from verify_aws.answers import not_asked
from verify_aws.kit import answer_of
from verify_aws.redshift import Warehouse
from verify_aws.stack import Deployed

_RETENTION = timedelta(hours=24)
_EXPIRED = "has expired"


def probes(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer). To be asked before all other statements."""
    if deployed.place.laptop is None:
        yield _timed(deployed, "redshift: the first statement of a new workgroup")
    yield from _expired(deployed)


def after_a_pause(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """(probe, answer). To be asked when the warehouse has had nothing to do for some minutes."""
    if deployed.place.laptop is None:
        yield _timed(deployed, "redshift: the first statement after a pause")


def _timed(deployed: Deployed, probe: str) -> tuple[str, str]:
    """How long a statement takes, compared with how long the load function waits for the one that makes tables."""
    admin = Warehouse(deployed)
    statement = admin.submit("select 1")
    ended = admin.ended(statement)
    found = admin.client.describe_statement(Id=statement)
    seconds = (found["UpdatedAt"] - found["CreatedAt"]).total_seconds()
    deployed.place.measured[probe] = f"{seconds:.1f} s"
    waited = f"{'within' if seconds <= TIMEOUT_SECONDS else 'after more than'} {TIMEOUT_SECONDS:.0f} s"
    return probe, f"{ended} {waited}"


@dataclass(frozen=True)
class Kept:
    """A statement of an earlier run, which that run has left to this one; `submitted_at` in ISO 8601."""

    account: str
    region: str
    statement: str
    submitted_at: str

    def expires_at(self) -> datetime:
        """When the Data API forgets it."""
        return datetime.fromisoformat(self.submitted_at) + _RETENTION


def read_kept(file: Path) -> list[Kept]:
    """The statements that earlier runs have left."""
    return [Kept(**one) for one in json.loads(file.read_text(encoding="utf-8"))] if file.is_file() else []


def write_kept(file: Path, kept: list[Kept]) -> None:
    """Leave statements to later runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([asdict(one) for one in kept], indent=1) + "\n", encoding="utf-8")


def due(kept: list[Kept], account: str, region: str, now: datetime) -> list[Kept]:
    """Those of this account and region that have expired."""
    return [one for one in kept if (one.account, one.region) == (account, region) and one.expires_at() <= now]


def _expired(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """Ask for the statement of a run a day ago, and leave one to a run a day later. A laptop's day is short."""
    place, admin = deployed.place, Warehouse(deployed)
    statement = admin.submit("select 1")
    admin.ended(statement)
    mine = Kept(place.account, place.region, statement, datetime.now(UTC).isoformat())
    kept = [*read_kept(place.kept), mine]
    if place.laptop is not None:
        place.laptop.clock.let_pass(_RETENTION.total_seconds())
    old = due(kept, mine.account, mine.region, place.now())
    write_kept(place.kept, [one for one in kept if one not in old])
    describe, fetch = "redshift: describe a statement after a day", "redshift: fetch its result"
    if not old:
        later = not_asked(
            f"no statement of an earlier run has expired yet; run again after {mine.expires_at():%Y-%m-%d %H:%M} UTC"
        )
        yield describe, later
        yield fetch, later
        return
    expired = old[0].statement
    yield describe, answer_of(lambda: admin.client.describe_statement(Id=expired), _EXPIRED)
    yield fetch, answer_of(lambda: admin.client.get_statement_result(Id=expired), _EXPIRED)
