"""The kernel of AWS Glue's own notebooks, unmodified, against the laptop's sessions."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.endpoint import Endpoint
from notebook_kit import code, prose, write
from notebooks.glue_kernel import GlueKernelFailed, run_in_glue_session
from parity.stage import ROLE, Place, stage


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with stage("glue_kernel") as places:
        yield places["glue_kernel"]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write(
        tmp_path / "small.ipynb",
        prose("# Small"),
        code("%glue_version 5.1\n%worker_type G.1X\n%number_of_workers 2\n%idle_timeout 30", "glue-session"),
        code("day: str = ''\nlimit: int = 5", "parameters"),
        code("import os\nwords = [day, limit]", "job"),
        code("print(words, 'AWS_SESSION_TOKEN' in os.environ)", "check"),
    )


def role(place: Place) -> str:
    return f"%iam_role arn:aws:iam::{place.aws.endpoint.account}:role/{ROLE}"


def test_a_notebook_runs_in_a_session_with_its_parameters(place: Place, notebook: Path) -> None:
    said = run_in_glue_session(notebook, {"day": "2026-01-05"}, place.environment(), role(place))
    assert "['2026-01-05', 5] True" in said
    glue = place.aws.endpoint.client("glue")
    [session] = glue.list_sessions()["Sessions"]
    shown = {name: session[name] for name in ("GlueVersion", "WorkerType", "NumberOfWorkers", "IdleTimeout")}
    assert shown == {"GlueVersion": "5.1", "WorkerType": "G.1X", "NumberOfWorkers": 2, "IdleTimeout": 30}
    assert place.aws.wait_idle(60)
    assert not place.aws.sessions.pids()


def test_a_cell_that_fails_fails_the_run_by_its_number(place: Place, tmp_path: Path) -> None:
    broken = write(
        tmp_path / "broken.ipynb", prose("# x"), code("a: int = 1", "parameters"), code("a / 0", "job")
    )
    with pytest.raises(GlueKernelFailed, match=r"broken.ipynb, cell 3: ZeroDivisionError"):
        run_in_glue_session(broken, {}, place.environment(), role(place))


def test_a_session_that_cannot_be_made_is_a_failure_though_the_kernel_says_ok(
    place: Place, notebook: Path
) -> None:
    nobody = "%iam_role arn:aws:iam::123456789012:role/nobody"
    with pytest.raises(GlueKernelFailed, match=r"(?s)cell 3: .*Session failed to reach READY"):
        run_in_glue_session(notebook, {}, place.environment(), nobody)


def test_a_run_without_an_endpoint_is_a_failure(notebook: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        nowhere = Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}")
        environment = {**os.environ, **nowhere.environment()}
        with pytest.raises(
            GlueKernelFailed, match=r"(?s)small.ipynb, cell 3: .*Could not connect to the endpoint"
        ):
            run_in_glue_session(notebook, {}, environment, "%iam_role arn:aws:iam::123456789012:role/x")
