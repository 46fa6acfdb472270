"""The pipeline on a laptop AWS: the same template, deployed with the same two commands, from built artefacts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gluebook.cli.deployment import STACK, Deployment
from gluebook.cli.screens.progress import stage_progress
from gluebook.deployment.build import build, project_root
from gluebook.deployment.laptop import forget_laptop, record_laptop
from gluebook.job.java import java_home, spark_settings
from localaws.jobs import WarmStart
from localaws.stack import LocalAws

_ARTEFACTS = "gluebook-artefacts"
# Requests cost nothing on a laptop, so it reacts at once and polls often.
_LAPTOP_PARAMETERS = {
    "ArrivalWindowSeconds": "1",
    "StartRetrySeconds": "2",
    "SweepSchedule": "rate(1 minute)",
}

# Lets a job's Java do once what its runs will do.
_REHEARSAL = (sys.executable, "-m", "gluebook.notebook.rehearsal")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Laptop:
    """A running laptop AWS with the pipeline deployed to it."""

    aws: LocalAws
    deployment: Deployment


@contextmanager
def laptop(
    announce: Progress,
    *,
    port: int = 0,
    parameters: dict[str, str] | None = None,
    before_deployment: Callable[[LocalAws], None] = lambda _: None,
    cold: bool = False,
    rehearse: bool = False,
) -> Iterator[Laptop]:
    """Build, start and deploy; at the end everything is removed, and the caller's AWS_* environment restored.

    `announce` is called with "build", "start" and "deploy" as each begins; `before_deployment` may store data of an
    earlier release. `cold`: each job run starts a Java of its own; else `rehearse`: the jobs' Javas are made ready
    before the first file arrives. Raises ConfigurationError, DeployFailed.
    """
    root = project_root()
    announce("build")
    artefacts = build(root)
    announce("start")
    warm = None if cold else WarmStart(java_home(), spark_settings(), _REHEARSAL if rehearse else ())
    with LocalAws(port=port, warm=warm) as aws, _environment(aws.endpoint.environment()):
        announce("deploy")
        before_deployment(aws)
        s3 = aws.endpoint.client("s3")
        s3.create_bucket(Bucket=_ARTEFACTS)
        s3.upload_file(str(artefacts.package), _ARTEFACTS, artefacts.package_key)
        s3.upload_file(str(artefacts.modules), _ARTEFACTS, artefacts.modules_key)
        outputs = aws.deploy(
            root / "infra" / "pipeline.yaml",
            STACK,
            {
                "ArtefactBucket": _ARTEFACTS,
                "PackageUri": f"s3://{_ARTEFACTS}/{artefacts.package_key}",
                "PythonModulesUri": f"s3://{_ARTEFACTS}/{artefacts.modules_key}",
                # The deployer also queries.
                "WarehouseReaders": aws.deployer_user,
                **_LAPTOP_PARAMETERS,
                **(parameters or {}),
            },
            _ARTEFACTS,
        )
        yield Laptop(aws, Deployment(outputs))


@contextmanager
def standing_laptop(*, port: int = 0, cold: bool = False) -> Iterator[Laptop]:
    """A laptop AWS that other commands and notebooks find until the block ends; shows progress while it starts."""
    with ExitStack() as stack:
        with stage_progress() as progress:
            running = stack.enter_context(laptop(progress.show, port=port, cold=cold, rehearse=True))
        stack.callback(forget_laptop)
        record_laptop(running.aws.endpoint.environment(), running.deployment.outputs)
        yield running


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Point every AWS SDK of this process at the laptop, and away from the caller's own profile."""
    ours = {**variables, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    names = {*ours, *(name for name in os.environ if name.startswith("AWS_"))}
    before = {name: os.environ.get(name) for name in names}
    for name in names:
        os.environ.pop(name, None)
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
