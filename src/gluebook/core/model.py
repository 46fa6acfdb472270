"""The values in the ledger: file versions and batches."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, replace

from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.core.states import REPEATABLE_STATES, BatchState, FileState
from gluebook.errors import IllegalTransition


@dataclass(frozen=True)
class FileVersion:
    """One version of one raw object: the unit that is admitted once. `size` in bytes.

    order            text that orders the versions of a key, the latest last
    waiting_since    when it became PENDING: at its registration, or when its batch was divided
    group            only files of one group are claimed together; set when a batch is divided
    """

    file_id: str
    bucket: str
    key: str
    version_id: str
    size: int
    order: str
    dataset: str
    source: str
    dt: str
    registered_at: str
    state: FileState = FileState.PENDING
    waiting_since: str = ""
    group: str | None = None
    batch_id: str | None = None
    reason: str | None = None

    @property
    def waits_since(self) -> str:
        """When it last became PENDING."""
        return self.waiting_since or self.registered_at

    def superseded(self) -> FileVersion:
        """The file version once a newer one is loaded."""
        reason = Reason.SUPERSEDED.because(f"a newer version of {self.key} is loaded")
        return replace(self, state=FileState.SUPERSEDED, reason=reason)


@dataclass(frozen=True)
class Counts:
    """Rows of a file or batch. Law: read == curated + duplicates + rejected."""

    read: int = 0
    curated: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def reconciles(self) -> bool:
        """Whether the law holds."""
        return self.read == self.curated + self.duplicates + self.rejected


@dataclass(frozen=True)
class FileResult:
    """The result of one file version of a batch."""

    file_id: str
    key: str
    version_id: str
    counts: Counts
    reject_reasons: dict[str, int] = field(default_factory=dict)
    problem: str | None = None
    state: FileState = FileState.CLAIMED


@dataclass(frozen=True)
class NotedVerdict:
    """The gate's verdict on a batch, kept until the warehouse has it.

    epoch         of the run that asked the gate; orders the verdicts on a batch
    rows          outcomes to record; 0: earlier outcomes of the batch are deleted
    manifest      key of the COPY manifest of those rows
    failed        expectations that failed, of any severity
    attempts      statements submitted for it
    retry_at      no further statement is submitted before this time; "": at once
    """

    batch_id: str
    dataset: str
    generation: int
    epoch: int
    rows: int
    passed: bool = True
    failed: int = 0
    manifest: str = ""
    attempts: int = 0
    statement_id: str | None = None
    retry_at: str = ""

    @property
    def token(self) -> str:
        """Identifies the verdict among those on its batch, and the attempt to record it."""
        return f"{self.generation}.{self.epoch}.{self.attempts}"


@dataclass(frozen=True)
class Batch:
    """The pending file versions of one dataset that one job run claimed.

    epoch            fencing number: grows with every take-over; holders of an old one can change nothing
    lease_until      seconds since 1970; until then only `owner` may work on it
    attempts         number of job runs that worked on it, in this generation
    generation       1; one more each time it is processed again
    parent           the divided batch that its files come from
    load_attempts    number of statements submitted for it, in this generation
    failing_since    when the first load failed for a reason that is not the data's
    retry_at         no further load is submitted before this time; "": at once
    given_up         retries are exhausted: no load is submitted until an operator replays it
    plan             key of the publishing plan, once the gate has answered
    reported_epoch   the epoch in the names of the batch's results, rejects and gate report;
                     0: names of an earlier release, without an epoch, or none yet
    counts           of the whole batch, once CURATED
    merged, superseded    numbers of curated rows that the load merged or left out, once LOADED
    retracted        rows that left the table because no live file version contains them
    row_references   number of row references, for append datasets
    partitions       dates of arrival of its rows, up to a limit
    partitions_left_out   number of dates above the limit
    """

    batch_id: str
    dataset: str
    state: BatchState
    owner: str
    epoch: int
    lease_until: int
    attempts: int
    created_at: str
    generation: int = 1
    parent: str | None = None
    files: int = 0
    size: int = 0
    load_attempts: int = 0
    failing_since: str = ""
    retry_at: str = ""
    given_up: bool = False
    statement_id: str | None = None
    counts: Counts = field(default_factory=Counts)
    merged: int = 0
    superseded: int = 0
    retracted: int = 0
    row_references: int = 0
    partitions: tuple[str, ...] = ()
    partitions_left_out: int = 0
    plan: str | None = None
    reported_epoch: int = 0
    reason: str | None = None
    changed_at: str = ""

    @property
    def failed_loads(self) -> int:
        """Number of its loads that have failed since it was last published."""
        if self.state not in (BatchState.CURATED, BatchState.LOADING):
            return 0
        return max(0, self.load_attempts - (self.state is BatchState.LOADING))

    @property
    def repeatable(self) -> bool:
        """Whether it can be processed again: it is in a final state, or CURATED with failed loads."""
        waits = self.state is BatchState.CURATED and self.failed_loads > 0
        return waits or self.state in REPEATABLE_STATES

    def taken_over(self, owner: str, lease_until: int) -> Batch:
        """The batch with another owner; the previous owner can change nothing any more."""
        return replace(
            self, owner=owner, epoch=self.epoch + 1, attempts=self.attempts + 1, lease_until=lease_until
        )

    def fenced_off(self, state: BatchState, reason: ReasonText) -> Batch:
        """The batch in `state`, fenced off from its owner and free for the next run."""
        return replace(self, state=state, reason=reason, epoch=self.epoch + 1, attempts=0, lease_until=0)

    def reopened(self) -> Batch:
        """The batch to be processed again, in the next generation. Raises IllegalTransition."""
        if not self.repeatable:
            raise IllegalTransition(f"batch {self.batch_id} is {self.state}: it is open, or divided")
        return replace(
            self,
            state=BatchState.CLAIMED,
            generation=self.generation + 1,
            epoch=self.epoch + 1,
            attempts=0,
            load_attempts=0,
            failing_since="",
            retry_at="",
            given_up=False,
            lease_until=0,
            statement_id=None,
            plan=None,
            reason=None,
        )


@dataclass(frozen=True)
class Correction:
    """A raw object with several versions; `token` changes when another version is registered."""

    bucket: str
    key: str
    token: str


@dataclass(frozen=True)
class ObjectVersion:
    """An object version in a listing; `size` in bytes."""

    key: str
    version_id: str
    size: int
