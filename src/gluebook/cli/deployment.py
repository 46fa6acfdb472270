"""The deployed stack that a command works on, on the laptop or on AWS."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.aws.invoking import Functions
from gluebook.aws.ledger import Ledger
from gluebook.aws.logs import Logs
from gluebook.aws.objects import Objects
from gluebook.aws.services import Jobs, Warehouse
from gluebook.aws.sessions import new_session
from gluebook.clock import utc_now
from gluebook.core.keys import Lake, raw_key
from gluebook.deployment.laptop import JOB_OUTPUTS, running_laptop
from gluebook.errors import ConfigurationError
from gluebook.operations.context import OperationsContext
from gluebook.operations.status import Overview, overview
from gluebook.sources.fields import repeated

STACK = "gluebook"
# Names a stack that was deployed under another name.
_STACK_VARIABLE = "GLUEBOOK_STACK"


# The functions by their name in `gluebook logs`, with the outputs of the stack that name them.
FUNCTION_OUTPUTS = {"admit": "AdmitFunction", "load": "LoadFunction", "sweep": "SweepFunction"}
_RECENTLY = timedelta(hours=1)


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, by its outputs."""

    outputs: dict[str, str]

    def output(self, name: str) -> str:
        """An output of the stack. Raises ConfigurationError if its template has none of this name."""
        try:
            return self.outputs[name]
        except KeyError:
            raise ConfigurationError(
                f"the stack has no output {name}: it was deployed from another version of infra/pipeline.yaml; "
                "deploy it again"
            ) from None

    @property
    def raw_bucket(self) -> str:
        """The bucket where files arrive."""
        return self.output("RawBucket")

    @property
    def ledger(self) -> Ledger:
        """The ledger, as the operator."""
        return Ledger(self.output("LedgerTable"), "operator")

    @property
    def lake(self) -> Lake:
        """The layout of the lake bucket."""
        return Lake(self.output("LakeBucket"))

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, as the operator."""
        return Warehouse(self.output("Workgroup"), self.output("WarehouseDatabase"))

    @property
    def logs(self) -> Logs:
        """The logs of its jobs and functions."""
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
        """The state of every file version."""
        return overview(self.ledger, Objects(), self.lake)

    def upload(self, path: Path, dataset: str, source: str, dt: date) -> str:
        """Upload a file under the key of the convention; return the key. Raises ConfigurationError, OSError."""
        key = raw_key(dataset, source, dt, path.name)
        Objects().upload(path, self.raw_bucket, key)
        return key


def raw_place(text: str, bucket: str) -> str:
    """The key or key prefix in `text`, which may be an s3:// URI in the raw bucket.

    Raises ConfigurationError for another bucket.
    """
    if not text.startswith("s3://"):
        return text
    of, _, key = text.removeprefix("s3://").partition("/")
    if of != bucket:
        raise ConfigurationError(f"{text} isn't in the raw bucket of this stack, which is s3://{bucket}/")
    return key


def connect() -> Deployment:
    """The laptop AWS if one is up, else the stack in the AWS account of the caller's credentials.

    Raises ConfigurationError if there is neither.
    """
    if (known := running_laptop()) is not None:
        known.enter()
        return Deployment(known.outputs)
    stack = os.environ.get(_STACK_VARIABLE, STACK)
    try:
        found = new_session().client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(
            "no laptop AWS is up, and AWS shows no stack "
            f"{stack!r} ({error}). Start one with `gluebook up`, or deploy one with `make deploy`"
        ) from None
    return Deployment({output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})


def failures(deployment: Deployment, seen: Overview) -> list[str]:
    """A line for each job whose last run failed, and for each function that failed within the last hour."""
    return [*_failed_runs(deployment, seen), *failed_functions(deployment)]


def _failed_runs(deployment: Deployment, seen: Overview) -> list[str]:
    return [
        f"job {deployment.output(JOB_OUTPUTS[dataset])}, last run {failed.run_id} failed: {failed.error}; "
        f"`gluebook logs {dataset}` shows more"
        for dataset, failed in seen.failed_runs.items()
    ]


def failed_functions(deployment: Deployment) -> list[str]:
    """The same of the functions alone; a function whose log the caller may not read is named as such."""
    found = []
    for name, output in FUNCTION_OUTPUTS.items():
        function = deployment.output(output)
        try:
            last = deployment.logs.last_failure(function, utc_now() - _RECENTLY)
        except (ClientError, BotoCoreError) as error:
            found.append(f"the log of function {function} can't be read: {error}")
            continue
        if last is not None:
            found.append(
                f"function {function} failed at {last.at:%H:%M:%S} UTC: {last.text}; "
                f"`gluebook logs {name}` shows more"
            )
    return found


def existing(paths: Iterable[Path]) -> list[Path]:
    """The paths, if all are files with different names. Raises ConfigurationError naming those that are not."""
    found = list(paths)
    missing = [str(path) for path in found if not path.is_file()]
    if missing:
        raise ConfigurationError(f"no such file: {', '.join(missing)}")
    if doubled := repeated(path.name for path in found):
        raise ConfigurationError(
            f"two files are called {', '.join(doubled)}: they would be two versions of one key; rename one"
        )
    return found
