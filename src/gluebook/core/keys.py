"""S3 keys: the convention for raw keys, and the layout of the lake."""

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

# Plausible dates of arrival; others are typing errors, and some systems cannot represent them.
FIRST_DATE, LAST_DATE = date(2000, 1, 1), date(2099, 12, 31)
# Folder markers and checksums of Hadoop; data files have no such names.
_HADOOP_SUFFIXES = ("_$folder$", ".crc")
_MARKERS = frozenset({"_SUCCESS"})
# The prefix of the row references, in lake and staging: earlier releases called them vouchers, and stored names stay.
ROW_REFERENCES_PREFIX = "vouchers/"
_WORK_FOLDERS = ("_temporary", ".spark-staging", ".hive-staging")


@dataclass(frozen=True)
class RawKey:
    """A parsed raw key. `dt` is the date of arrival."""

    dataset: str
    source: str
    dt: date
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}/{self.source}/dt={self.dt.isoformat()}/{self.name}"


@dataclass(frozen=True)
class OutsideConvention:
    """A raw key that the pipeline refuses, and the reason."""

    key: str
    reason: ReasonText


def parse_raw_key(key: str) -> RawKey | OutsideConvention:
    """Parse a raw key by the convention `<dataset>/<source>/dt=YYYY-MM-DD/<file>`."""
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
    """Build the raw key of a file. Raises ConfigurationError if the parts do not make a valid key."""
    key = str(RawKey(dataset, source, dt, name))
    parsed = parse_raw_key(key)
    reason = parsed.reason if isinstance(parsed, OutsideConvention) else reason_to_ignore(key, 1)
    if reason:
        raise ConfigurationError(f"cannot upload {name} as {key}: {reason}")
    return key


def reason_to_ignore(key: str, size: int) -> str | None:
    """Why an object of the raw bucket is not a data file; None if it is one.

    Consoles write folder markers of 0 bytes; Hadoop and Spark write markers, checksums and the files of uncommitted
    tasks. None of them needs attention.
    """
    *folders, name = key.split("/")
    if not name and size == 0:
        return "folder marker"
    if name.endswith(_HADOOP_SUFFIXES) or name in _MARKERS:
        return f"marker or checksum of Hadoop: {name}"
    unfinished = next((folder for folder in folders if folder.startswith(_WORK_FOLDERS)), None)
    return f"not committed: in folder {unfinished}" if unfinished else None


def file_id(bucket: str, key: str, version_id: str) -> str:
    """The identity of a file version: 40 hex digits, evenly spread."""
    return hashlib.sha256(f"{bucket}\0{key}\0{version_id}".encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Lake:
    """The layout of the lake bucket. Crawlers read only `curated`."""

    bucket: str

    def curated(self, dataset: str) -> str:
        """Prefix of a dataset's cleaned Parquet, partitioned by `dt=`."""
        return f"curated/{dataset}/"

    def curated_file(self, dataset: str, dt: str, batch_id: str, number: int, generation: int = 1) -> str:
        """The deterministic key of a published file: publishing twice overwrites it."""
        return f"curated/{dataset}/dt={dt}/{_generation(batch_id, generation)}-{number:05d}.parquet"

    def manifest(self, dataset: str, batch_id: str, generation: int = 1) -> str:
        """The COPY manifest; readers of it see a batch completely or not at all."""
        return f"manifests/{dataset}/{_generation(batch_id, generation)}.json"

    def row_references_file(self, dataset: str, batch_id: str, number: int, generation: int = 1) -> str:
        """Row references: which file versions contain which rows; only the warehouse reads them."""
        return f"{ROW_REFERENCES_PREFIX}{dataset}/{_generation(batch_id, generation)}-{number:05d}.parquet"

    def row_references_manifest(self, dataset: str, batch_id: str, generation: int = 1) -> str:
        """The COPY manifest of a batch's row references."""
        return f"{ROW_REFERENCES_PREFIX}{dataset}/{_generation(batch_id, generation)}.json"

    def result(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The results of a batch's files, from the run with that epoch."""
        return f"results/{dataset}/{_of_epoch(batch_id, epoch)}.json"

    def inbox(self, batch_id: str, epoch: int) -> str:
        """The numbered records of the claimed file versions; only the claiming run reads them."""
        return f"inbox/{batch_id}/{epoch}/"

    def staging(self, batch_id: str, epoch: int) -> str:
        """Cleaned Parquet before the gate."""
        return f"staging/{batch_id}/{epoch}/"

    def self_check(self, dataset: str, run: str) -> str:
        """What a run's self-check writes and deletes; below staging, where objects expire."""
        return f"staging/{dataset}-self-check/{run}/"

    def quarantined(self, dataset: str) -> str:
        """Prefix of a dataset's rejects."""
        return f"quarantine/{dataset}/"

    def quarantine(self, dataset: str, batch_id: str) -> str:
        """Prefix of a batch's rejects, of all epochs."""
        return f"{self.quarantined(dataset)}{batch_id}-"

    def quarantine_file(self, dataset: str, batch_id: str, epoch: int, number: int) -> str:
        """The deterministic key of a file of a batch's rejects, from the run with that epoch."""
        return f"{self.quarantined(dataset)}{_of_epoch(batch_id, epoch)}-{number:05d}.parquet"

    def epoch_of_rejects(self, dataset: str, batch_id: str, key: str) -> int:
        """The epoch in the key of a file of a batch's rejects; 0 for a file of an earlier release."""
        match = re.match(r"e(\d+)-", key.removeprefix(self.quarantine(dataset, batch_id)))
        return int(match[1]) if match else 0

    def quality(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The gate's report on a batch, from the run with that epoch."""
        return f"quality/{dataset}/{_of_epoch(batch_id, epoch)}.json"

    def quality_rows(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The gate's report as Parquet, for the warehouse."""
        return f"quality/{dataset}/rows/{_of_epoch(batch_id, epoch)}.parquet"

    def quality_manifest(self, dataset: str, batch_id: str, epoch: int) -> str:
        """The COPY manifest of that Parquet."""
        return f"quality/{dataset}/rows/{_of_epoch(batch_id, epoch)}.json"

    def quality_manifest_of_generation(self, dataset: str, batch_id: str, generation: int) -> str:
        """The key that earlier releases used for that manifest."""
        return f"quality/{dataset}/rows/{_generation(batch_id, generation)}.json"

    def uri(self, key: str) -> str:
        """`key` as an s3:// URI."""
        return f"s3://{self.bucket}/{key}"


def _of_epoch(batch_id: str, epoch: int) -> str:
    """Epoch 0 means a name of earlier releases, which every run overwrote."""
    return f"{batch_id}-e{epoch}" if epoch else batch_id


def _generation(batch_id: str, generation: int) -> str:
    return batch_id if generation == 1 else f"{batch_id}.g{generation}"
