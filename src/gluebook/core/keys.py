"""Names of things in S3: the date-based convention for raw keys, and the layout of the lake."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from gluebook.contracts import CONTRACTS
from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.errors import ConfigurationError
from gluebook.sources import source_names

CONVENTION = "<dataset>/<source>/dt=YYYY-MM-DD/<file>"
_RAW_KEY = re.compile(r"(?P<dataset>[^/]+)/(?P<source>[^/]+)/dt=(?P<dt>\d{4}-\d{2}-\d{2})/(?P<name>.+)", re.S)

# Dates of arrival that can be meant; others are slips, and lie where other systems can't go.
FIRST_DATE, LAST_DATE = date(2000, 1, 1), date(2099, 12, 31)
# Hadoop's markers of folders and its checksums; a file of data has no such name.
_LEFT_NAMES = ("_$folder$", ".crc")
_MARKERS = frozenset({"_SUCCESS"})
_WORK_FOLDERS = ("_temporary", ".spark-staging", ".hive-staging")


@dataclass(frozen=True)
class RawKey:
    """A raw object's key, taken apart. `dt` is the date of arrival."""

    dataset: str
    source: str
    dt: date
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}/{self.source}/dt={self.dt.isoformat()}/{self.name}"


@dataclass(frozen=True)
class OutsideConvention:
    """A key that no pipeline can take in, and why."""

    key: str
    reason: ReasonText


def parse_raw_key(key: str) -> RawKey | OutsideConvention:
    """Take a raw key apart by the convention `<dataset>/<source>/dt=YYYY-MM-DD/<file>`."""
    match = _RAW_KEY.fullmatch(key)
    if match is None or match["name"].endswith("/"):
        return OutsideConvention(key, Reason.KEY_OUTSIDE_CONVENTION.because(f"expected {CONVENTION}"))
    if "\0" in key:
        found = "it holds U+0000, which no warehouse column takes"
        return OutsideConvention(key, Reason.UNUSABLE_KEY.because(found))
    if key.endswith(" "):
        found = "it ends in a blank, which the warehouse ignores when it compares"
        return OutsideConvention(key, Reason.UNUSABLE_KEY.because(found))
    contract = CONTRACTS.get(match["dataset"])
    if contract is None:
        found = f"{match['dataset']!r}; there are {', '.join(CONTRACTS)}"
        return OutsideConvention(key, Reason.UNKNOWN_DATASET.because(found))
    sources = source_names(contract.name)
    if match["source"] not in sources:
        found = f"{match['source']!r}; {contract.name} is fed by {', '.join(sources)}"
        return OutsideConvention(key, Reason.UNKNOWN_SOURCE.because(found))
    try:
        dt = date.fromisoformat(match["dt"])
    except ValueError:
        return OutsideConvention(key, Reason.NO_SUCH_DATE.because(f"dt={match['dt']}"))
    if not FIRST_DATE <= dt <= LAST_DATE:
        found = f"dt={match['dt']}; it is not within {FIRST_DATE} and {LAST_DATE}"
        return OutsideConvention(key, Reason.IMPLAUSIBLE_DATE.because(found))
    return RawKey(match["dataset"], match["source"], dt, match["name"])


def raw_key(dataset: str, source: str, dt: date, name: str) -> str:
    """The key under which a file belongs in the raw bucket. Raises ConfigurationError if there is none."""
    key = str(RawKey(dataset, source, dt, name))
    parsed = parse_raw_key(key)
    reason = parsed.reason if isinstance(parsed, OutsideConvention) else not_an_arrival(key, 1)
    if reason:
        raise ConfigurationError(f"{name} can't be uploaded as {key}: {reason}")
    return key


def not_an_arrival(key: str, size: int) -> str | None:
    """Why an object of the raw bucket is no file for the pipeline, whatever its key; None if it is one.

    Consoles leave markers of folders, of `size` 0 bytes; Hadoop and Spark leave markers, checksums and the files
    of tasks that haven't been committed. Nobody has to look at them.
    """
    *folders, name = key.split("/")
    if not name and size == 0:
        return "marker of a folder"
    if name.endswith(_LEFT_NAMES) or name in _MARKERS:
        return f"left by the program that wrote the files beside it: {name}"
    unfinished = next((folder for folder in folders if folder.startswith(_WORK_FOLDERS)), None)
    return f"not committed: in folder {unfinished}" if unfinished else None


def file_id(bucket: str, key: str, version_id: str) -> str:
    """The identity of a file version: 40 hex digits, evenly spread."""
    return hashlib.sha256(f"{bucket}\0{key}\0{version_id}".encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Lake:
    """Where things live in the lake bucket. Only `curated` is seen by crawlers."""

    bucket: str

    def curated(self, dataset: str) -> str:
        """Prefix of a dataset's cleaned Parquet, partitioned by `dt=`."""
        return f"curated/{dataset}/"

    def curated_file(self, dataset: str, dt: str, batch_id: str, number: int, generation: int = 1) -> str:
        """The deterministic name of a published file: publishing twice overwrites, never doubles."""
        return f"curated/{dataset}/dt={dt}/{_generation(batch_id, generation)}-{number:05d}.parquet"

    def manifest(self, dataset: str, batch_id: str, generation: int = 1) -> str:
        """The COPY manifest; its readers see a batch whole or not at all."""
        return f"manifests/{dataset}/{_generation(batch_id, generation)}.json"

    def vouchers_file(self, dataset: str, batch_id: str, number: int, generation: int = 1) -> str:
        """Which file versions vouch for what; for the warehouse alone."""
        return f"vouchers/{dataset}/{_generation(batch_id, generation)}-{number:05d}.parquet"

    def vouchers(self, dataset: str, batch_id: str, generation: int = 1) -> str:
        """The COPY manifest of a batch's vouchers."""
        return f"vouchers/{dataset}/{_generation(batch_id, generation)}.json"

    def result(self, dataset: str, batch_id: str, epoch: int) -> str:
        """What a batch came to, file by file, as the run of that epoch found."""
        return f"results/{dataset}/{_told_by(batch_id, epoch)}.json"

    def inbox(self, batch_id: str, epoch: int) -> str:
        """The claimed file versions' records, numbered; only the claiming run reads there."""
        return f"inbox/{batch_id}/{epoch}/"

    def staging(self, batch_id: str, epoch: int) -> str:
        """Cleaned Parquet that hasn't passed the gate yet."""
        return f"staging/{batch_id}/{epoch}/"

    def self_check(self, dataset: str, run: str) -> str:
        """What a run's self-check writes and deletes; below staging, where whatever is left expires."""
        return f"staging/{dataset}-self-check/{run}/"

    def quarantined(self, dataset: str) -> str:
        """Prefix of a dataset's rejects, of all batches."""
        return f"quarantine/{dataset}/"

    def quarantine(self, dataset: str, batch_id: str) -> str:
        """What the names of a batch's rejects begin with, of every epoch."""
        return f"{self.quarantined(dataset)}{batch_id}-"

    def quarantine_file(self, dataset: str, batch_id: str, epoch: int, number: int) -> str:
        """The deterministic name of a file of a batch's rejects, as the run of that epoch found them."""
        return f"{self.quarantined(dataset)}{_told_by(batch_id, epoch)}-{number:05d}.parquet"

    def epoch_of_rejects(self, dataset: str, batch_id: str, key: str) -> int:
        """The epoch in the name of a file of a batch's rejects; 0 for one that an earlier release has written."""
        match = re.match(r"e(\d+)-", key.removeprefix(self.quarantine(dataset, batch_id)))
        return int(match[1]) if match else 0

    def quality(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The gate's report on a batch, as the run of that epoch had it made."""
        return f"quality/{dataset}/{_told_by(batch_id, epoch)}.json"

    def quality_rows(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The same as Parquet, for the warehouse."""
        return f"quality/{dataset}/rows/{_told_by(batch_id, epoch)}.parquet"

    def quality_manifest(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The COPY manifest of that Parquet."""
        return f"quality/{dataset}/rows/{_told_by(batch_id, epoch)}.json"

    def quality_manifest_of_generation(self, dataset: str, batch_id: str, generation: int) -> str:
        """The same where an earlier release has written it."""
        return f"quality/{dataset}/rows/{_generation(batch_id, generation)}.json"

    def uri(self, key: str) -> str:
        """`key` as an s3:// URI."""
        return f"s3://{self.bucket}/{key}"


def _told_by(batch_id: str, epoch: int) -> str:
    """Epoch 0 stands for the names of earlier releases, which each run overwrote."""
    return f"{batch_id}-e{epoch}" if epoch else batch_id


def _generation(batch_id: str, generation: int) -> str:
    return batch_id if generation == 1 else f"{batch_id}.g{generation}"
