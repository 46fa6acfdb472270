"""`gluebook studio`: a job notebook for AWS Glue Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gluebook.aws.sessions import new_session
from gluebook.cli import screens
from gluebook.cli.deployment import connect
from gluebook.deployment.build import project_root
from gluebook.deployment.laptop import JOB_OUTPUTS
from gluebook.errors import ConfigurationError


def studio(
    notebook: Annotated[Path, typer.Argument(help="Copy this job notebook.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write to this file; the default is in build/studio/."),
    ] = None,
) -> None:
    """Write a copy of a job notebook for AWS Glue Studio, configured like the deployed job.

    Example: gluebook studio notebooks/jobs/app_logs.ipynb
    """
    from gluebook.notebook.studio import studio_copy

    if notebook.stem not in JOB_OUTPUTS:
        raise ConfigurationError(
            f"{notebook.name} is not a job's notebook; there are {', '.join(JOB_OUTPUTS)}"
        )
    name = connect().output(JOB_OUTPUTS[notebook.stem])
    glue = new_session().client("glue")
    job = glue.get_job(JobName=name)["Job"]
    made = studio_copy(notebook, job, glue.meta.region_name)
    target = output or project_root() / "build" / "studio" / notebook.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    screens.show(str(target))
