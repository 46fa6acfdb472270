"""The values that the ledger keeps: file versions and batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gluebook.contracts.reasons import Reason, ReasonText
from gluebook.core.states import REPEATABLE_STATES, BatchState, FileState
from gluebook.errors import IllegalTransition


@dataclass(frozen=True)
class FileVersion:
    """One version of one raw object: the unit that is admitted once. `size` in bytes.

    order            text; the greater, the later this version of its key came about
    waiting_since    since when it is PENDING: its registration, or the division of its batch
    group            only files of one group are claimed together; they come from a divided batch
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
        """Since when it has been waiting, or was last."""
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
        return Counts(
            self.read + other.read,
            self.curated + other.curated,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
        )

    @property
    def reconciles(self) -> bool:
        """Whether no row went missing and none appeared."""
        return self.read == self.curated + self.duplicates + self.rejected


@dataclass(frozen=True)
class FileResult:
    """What became of one file version of a batch."""

    file_id: str
    key: str
    version_id: str
    counts: Counts
    reject_reasons: dict[str, int] = field(default_factory=dict)
    problem: str | None = None
    state: FileState = FileState.CLAIMED


@dataclass(frozen=True)
class NotedVerdict:
    """What the gate said of a batch, until the warehouse has it.

    epoch         of the run that the gate answered; the greater, the later the verdict on its batch
    rows          outcomes to be recorded; 0: what was recorded of the batch before goes
    manifest      key of the COPY manifest of those rows
    failed        expectations that failed, of any severity
    attempts      statements submitted for it
    retry_at      not before then is another one submitted, if this one fails; "": at once
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
        """Differs from one verdict on a batch to the next, and from one attempt at recording it to the next."""
        return f"{self.generation}.{self.epoch}.{self.attempts}"


@dataclass(frozen=True)
class Batch:
    """The pending file versions of one dataset that one job run claimed.

    epoch            fencing number: grows with every take-over; who holds an old one may change nothing
    lease_until      seconds since 1970; before that only `owner` may work on it
    attempts         how many job runs have taken it up, in this generation
    generation       1; one more each time it is processed again
    parent           the divided batch that its files come from
    load_attempts    how many statements have been submitted for it, in this generation
    failing_since    when the first of those that failed did, for a reason that isn't the data's
    retry_at         not before then is the next one submitted; "": at once
    given_up         no other one is submitted until an operator replays it
    plan             key of the publishing plan, once the gate has been asked
    reported_epoch   which run's results, rejects and gate report are the batch's: their names carry its epoch;
                     0: those of an earlier release, without an epoch, or none yet
    counts           of the whole batch, once CURATED
    merged, superseded    what the load made of the curated rows, once LOADED
    retracted        rows that left the table because no file version vouches for them any more
    vouchers         rows in its vouchers, for append datasets
    partitions       dates of arrival of its rows; only the first, if there are very many
    partitions_left_out   how many more there are
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
    vouchers: int = 0
    partitions: tuple[str, ...] = ()
    partitions_left_out: int = 0
    plan: str | None = None
    reported_epoch: int = 0
    reason: str | None = None
    changed_at: str = ""

    @property
    def failed_loads(self) -> int:
        """How many of its loads have failed since it was published last."""
        if self.state not in (BatchState.CURATED, BatchState.LOADING):
            return 0
        return max(0, self.load_attempts - (self.state is BatchState.LOADING))

    @property
    def repeatable(self) -> bool:
        """Whether it can be processed again: it has come to its end, or waits because its loads have failed."""
        waits = self.state is BatchState.CURATED and self.failed_loads > 0
        return waits or self.state in REPEATABLE_STATES

    def taken_over(self, owner: str, lease_until: int) -> Batch:
        """The batch as owned by another run; its previous owner can change nothing any more."""
        return replace(
            self, owner=owner, epoch=self.epoch + 1, attempts=self.attempts + 1, lease_until=lease_until
        )

    def out_of_reach(self, state: BatchState, reason: ReasonText) -> Batch:
        """The batch released by its owner, free for the next run if there is anything left to do."""
        return replace(self, state=state, reason=reason, epoch=self.epoch + 1, attempts=0, lease_until=0)

    def again(self) -> Batch:
        """The batch to be processed again, one generation further. Raises IllegalTransition."""
        if not self.repeatable:
            raise IllegalTransition(f"batch {self.batch_id} is {self.state} and on its way, or divided")
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
    """A raw object with several versions; `token` tells whether one more has come since it was read."""

    bucket: str
    key: str
    token: str


@dataclass(frozen=True)
class ObjectVersion:
    """A version of an object, as a listing shows it; `size` in bytes."""

    key: str
    version_id: str
    size: int
