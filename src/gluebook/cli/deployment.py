"""What a command works on: a deployed stack, on the laptop or on AWS."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.invoking import Functions
from gluebook.aws.ledger import Ledger
from gluebook.aws.logs import Logs
from gluebook.aws.objects import Objects
from gluebook.aws.services import Jobs, Warehouse
from gluebook.clock import utc_now
from gluebook.core.keys import Lake, raw_key
from gluebook.deployment.laptop import JOB_OUTPUTS, running_laptop
from gluebook.errors import ConfigurationError
from gluebook.operations.context import OperationsContext
from gluebook.operations.status import Overview, overview

STACK = "gluebook"
# Names another stack, for those who deployed one.
_STACK_VARIABLE = "GLUEBOOK_STACK"


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, by its outputs."""

    outputs: dict[str, str]

    def output(self, name: str) -> str:
        """An output of the stack. Raises ConfigurationError if this one was deployed before there was such."""
        try:
            return self.outputs[name]
        except KeyError:
            raise ConfigurationError(
                f"the stack has no output {name}: it was deployed from another version of infra/pipeline.yaml; "
                "deploy it again"
            ) from None

    @property
    def raw_bucket(self) -> str:
        """Where files arrive."""
        return self.output("RawBucket")

    @property
    def ledger(self) -> Ledger:
        """The ledger, as the operator."""
        return Ledger(self.output("LedgerTable"), "operator")

    @property
    def lake(self) -> Lake:
        """The lake's layout."""
        return Lake(self.output("LakeBucket"))

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, as the operator."""
        return Warehouse(self.output("Workgroup"), self.output("WarehouseDatabase"))

    @property
    def logs(self) -> Logs:
        """What its jobs and functions have written."""
        return Logs()

    def operations(self) -> OperationsContext:
        """The context of replay, backfill and reconcile."""
        return OperationsContext(
            ledger=self.ledger,
            objects=Objects(),
            jobs=Jobs(),
            warehouse=self.warehouse,
            functions=Functions(),
            lake=self.lake,
            raw_bucket=self.raw_bucket,
            job_names={dataset: self.output(name) for dataset, name in JOB_OUTPUTS.items()},
            sweep_function=self.output("SweepFunction"),
            load_function=self.output("LoadFunction"),
            clock=utc_now,
        )

    def overview(self) -> Overview:
        """What became of every file version."""
        return overview(self.ledger, Objects(), self.lake)

    def upload(self, path: Path, dataset: str, source: str, dt: date) -> str:
        """Put a file where it belongs by the convention; its key. Raises ConfigurationError, OSError."""
        key = raw_key(dataset, source, dt, path.name)
        Objects().upload(path, self.raw_bucket, key)
        return key


def raw_place(text: str, bucket: str) -> str:
    """The key, or the beginning of keys, that `text` means: as it is, or as an s3:// URI in the raw bucket.

    Raises ConfigurationError for another bucket.
    """
    if not text.startswith("s3://"):
        return text
    of, _, key = text.removeprefix("s3://").partition("/")
    if of != bucket:
        raise ConfigurationError(f"{text} isn't in the raw bucket of this stack, which is s3://{bucket}/")
    return key


def connect() -> Deployment:
    """The laptop AWS if one is up, else the stack on AWS that the caller's credentials see.

    Raises ConfigurationError saying what to do if there is neither.
    """
    if (known := running_laptop()) is not None:
        known.enter()
        return Deployment(known.outputs)
    stack = os.environ.get(_STACK_VARIABLE, STACK)
    try:
        found = boto3.session.Session().client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(
            "no laptop AWS is up, and AWS shows no stack "
            f"{stack!r} ({error}). Start one with `gluebook up`, or deploy one with `make deploy`"
        ) from None
    return Deployment({output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})


def existing(paths: Iterable[Path]) -> list[Path]:
    """The paths, all of them files. Raises ConfigurationError naming those that aren't."""
    found = list(paths)
    missing = [str(path) for path in found if not path.is_file()]
    if missing:
        raise ConfigurationError(f"no such file: {', '.join(missing)}")
    names = [path.name for path in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigurationError(
            f"two files are called {', '.join(doubled)}: they would be two versions of one key; rename one"
        )
    return found
