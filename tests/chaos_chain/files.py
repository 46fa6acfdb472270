"""Files of the two sources, made up by seed: what is put into S3, and the same in the oracle's words."""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass, field

from chain.kit import log_line, ticket_file, ticket_record, truncated
from chaos.oracle import BROKEN, Put

_PREFIX = {
    "app_logs": "app_logs/mongod/dt=2026-01-0{day}/",
    "support_tickets": "support_tickets/servicenow/dt=2026-01-0{day}/",
}
_MOST_ROWS = 12
_SHARED_TEXTS = 40


@dataclass(frozen=True)
class Upload:
    """An object to be put: its bytes, and the oracle's text for them."""

    key: str
    body: bytes
    text: str


@dataclass
class Files:
    """Makes uploads. Remembers its keys, so that some are corrections, and its tickets' revisions."""

    random: random.Random
    _keys: list[str] = field(default_factory=list)
    _revisions: dict[str, int] = field(default_factory=dict)

    def uploads(self, count: int, datasets: tuple[str, ...]) -> list[Upload]:
        """Some new files, corrected files, broken and empty ones."""
        return [self._upload(self.random.choice(datasets)) for _ in range(count)]

    def _upload(self, dataset: str) -> Upload:
        known = [key for key in self._keys if key.startswith(dataset)]
        if known and self.random.random() < 0.4:
            key = self.random.choice(known)
        else:
            key = _PREFIX[dataset].format(day=self.random.randint(1, 3)) + f"file-{len(self._keys)}"
            self._keys.append(key)
        kind = self.random.random()
        if kind < 0.06:
            return Upload(key, b"", "")
        if kind < 0.12:
            return Upload(key, truncated(b"some bytes that never arrived" * 50), BROKEN)
        lines = [self._line(dataset) for _ in range(self.random.randint(1, _MOST_ROWS))]
        return Upload(key, _body(dataset, lines, self.random.random() < 0.5), "\n".join(lines))

    def _line(self, dataset: str) -> str:
        if self.random.random() < 0.08:
            return f"!{self.random.randint(0, 99)}"
        if dataset == "app_logs":
            return f"L text {self.random.randint(0, _SHARED_TEXTS)}"
        number = f"T{self.random.randint(0, 15)}"
        # Each revision once: which of two equal ones is the newer, their bytes decide.
        self._revisions[number] = revision = self._revisions.get(number, 0) + 1
        return f"T {number} {self._older(revision)} 10 symptom {number} {revision}"

    def _older(self, revision: int) -> int:
        """Odd ones count down from far, so that later files bring older revisions, too."""
        return 10_000 - revision if revision % 2 else revision


def _body(dataset: str, lines: list[str], packed: bool) -> bytes:
    body = (
        b"".join(_log(line) for line in lines)
        if dataset == "app_logs"
        else ticket_file(*(_ticket(line) for line in lines))
    )
    return gzip.compress(body, mtime=0) if packed else body


def _log(line: str) -> bytes:
    return b"{not json " + line.encode() + b"\n" if line.startswith("!") else log_line(1, line[2:])


def _ticket(line: str) -> str:
    if line.startswith("!"):
        return ticket_record(f"R{line[1:]}", 1, "New", "no date at all")
    _, number, revision, hour, symptom = line.split(" ", 4)
    return ticket_record(number, int(revision), "Active", f"5/1/2026 {hour}:00", u_symptom=symptom)


def as_put(upload: Upload, version: str) -> Put:
    """What the oracle is told of an upload."""
    return Put(upload.key, version, upload.text)
