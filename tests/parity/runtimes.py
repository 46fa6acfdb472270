"""The runtimes, each of which runs a job notebook in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from notebooks.glue_kernel import run_in_glue_session
from parity.stage import ROLE, ROOT, Place, notebook

PATIENCE_SECONDS = 240


def exported_script(place: Place, dataset: str) -> None:
    """What `gluebook export` wrote, as a Glue job."""
    _job(place, dataset, place.script(dataset), {})


def cluster(place: Place, dataset: str) -> None:
    """The same, with the tasks in two executors that have nothing but what Spark sends them."""
    printed = _job(place, dataset, place.script("cluster"), {"--main": place.script(dataset)}, 2)
    assert "master: local-cluster[2,1,1024]" in printed


def _job(place: Place, dataset: str, script: str, arguments: dict[str, str], jvms: int = 1) -> str:
    """What the run has printed; `jvms` start one after the other."""
    glue = place.aws.endpoint.client("glue")
    name = f"parity-{place.runtime}-{dataset}"
    glue.create_job(
        Name=name,
        Role=ROLE,
        GlueVersion="5.1",
        Command={"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": script},
        DefaultArguments={
            "--extra-py-files": place.package,
            **{f"--{name}": value for name, value in place.parameters(dataset).items()},
            **arguments,
        },
    )
    run = glue.start_job_run(JobName=name)["JobRunId"]
    assert place.aws.wait_idle(jvms * PATIENCE_SECONDS), f"the job doesn't end: {place.aws.jobs.output(run)}"
    ended = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
    assert ended["JobRunState"] == "SUCCEEDED", place.aws.jobs.output(run)
    return place.aws.jobs.output(run)


def papermill(place: Place, dataset: str) -> None:
    """`gluebook run`, with parameters on the command line."""
    words = [word for name, value in place.parameters(dataset).items() for word in ("-p", f"{name}={value}")]
    output = ROOT / "build" / "parity" / f"{dataset}.ipynb"
    _run(place, Path(sys.executable).with_name("gluebook"), "run", notebook(dataset), *words, "-o", output)


def jupyter_kernel(place: Place, dataset: str) -> None:
    """All cells in order on the project's kernel, as JupyterLab runs them, with parameters in the notebook."""
    words = [f"{name}={value}" for name, value in place.parameters(dataset).items()]
    _run(place, sys.executable, Path(__file__).with_name("jupyter.py"), notebook(dataset), *words)


def _run(place: Place, *command: str | Path) -> None:
    done = subprocess.run(
        command,
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def glue_session(place: Place, dataset: str) -> None:
    """The kernel of AWS Glue's own notebooks, with a session on the laptop's endpoint."""
    role = f"%iam_role arn:aws:iam::{place.aws.endpoint.account}:role/{ROLE}"
    run_in_glue_session(
        notebook(dataset),
        place.parameters(dataset),
        place.environment(),
        f"{role}\n%extra_py_files {place.package}",
    )


RUNTIMES = {
    "script": exported_script,
    "cluster": cluster,
    "papermill": papermill,
    "jupyter_kernel": jupyter_kernel,
    "glue_session": glue_session,
}
