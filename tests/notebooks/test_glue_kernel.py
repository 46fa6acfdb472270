"""The kernel of AWS Glue's own notebooks, unmodified, against the laptop's sessions."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluebook.errors import ConfigurationError
from gluebook.notebook.studio import studio_copy
from infra.stack_kit import document
from localaws.endpoint import Endpoint
from localaws.errors import ApiError
from localaws.faults import RoleCall, When
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
        code("import os\n\nwords = [day, limit]", "job"),
        code("print(words, 'AWS_SESSION_TOKEN' in os.environ)", "check"),
        code("import sys\nprint('ERROR: Exception encountered', file=sys.stderr)", "check"),
    )


def role(place: Place) -> str:
    return f"%iam_role arn:aws:iam::{place.aws.endpoint.account}:role/{ROLE}"


def made_role(place: Place, name: str, principal: dict[str, str], *actions: str) -> str:
    """The ARN of a new role that `principal` may assume, and that may do `actions`."""
    iam = place.aws.endpoint.client("iam")
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if actions:
        may = document({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=may)
    return arn


def test_the_copy_for_glue_studio_runs_in_a_session_with_its_parameters(place: Place, notebook: Path) -> None:
    job = {
        "Role": f"arn:aws:iam::{place.aws.endpoint.account}:role/{ROLE}",
        "DefaultArguments": {"--extra-py-files": place.package, "--limit": "7", "--job-language": "python"},
    }
    copy = notebook.with_name("copy.ipynb")
    copy.write_text(json.dumps(studio_copy(notebook, job, place.aws.endpoint.region)), encoding="utf-8")
    said = run_in_glue_session(copy, {"day": "2026-01-05"}, place.environment())
    assert "['2026-01-05', 7] True" in said
    assert "ERROR: Exception encountered" in said  # what a cell puts out isn't judged by its words
    [session] = place.aws.endpoint.client("glue").list_sessions()["Sessions"]
    assert session["DefaultArguments"]["--extra-py-files"] == place.package
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


def test_a_role_that_glue_may_not_assume_is_a_failure(place: Place, notebook: Path) -> None:
    arn = made_role(place, "for-functions", {"Service": "lambda.amazonaws.com"})
    with pytest.raises(GlueKernelFailed, match=r"(?s)cell 3: .*Session failed to reach READY"):
        run_in_glue_session(notebook, {}, place.environment(), f"%iam_role {arn}")
    sessions = place.aws.endpoint.client("glue").list_sessions()["Sessions"]
    [failed] = [one for one in sessions if one["Role"] == arn]
    assert failed["Status"] == "FAILED"
    assert "glue.amazonaws.com is not authorized" in failed["ErrorMessage"]


def test_a_statement_that_is_refused_is_a_failure_though_the_kernel_says_ok(
    place: Place, notebook: Path
) -> None:
    account = f"arn:aws:iam::{place.aws.endpoint.account}"
    person = made_role(place, "person", {"AWS": f"{account}:root"}, "glue:*", "iam:PassRole")
    sts = place.aws.endpoint.client("sts")
    keys = sts.assume_role(RoleArn=person, RoleSessionName="ada")["Credentials"]
    environment = place.environment() | {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    asked = [0]

    def decide(call: RoleCall, when: When) -> ApiError | None:
        asked[0] += (call.operation, when) == ("RunStatement", "before")
        return ApiError("AccessDeniedException", "not now") if asked[0] == 3 else None

    place.aws.faults.api(decide)
    try:
        with pytest.raises(GlueKernelFailed, match=r"small.ipynb, cell 4: not now"):
            run_in_glue_session(notebook, {}, environment, role(place))
    finally:
        place.aws.faults.api(None)


def test_a_parameter_that_the_notebook_has_not_got_is_told(place: Place, notebook: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"small.ipynb has no parameter dya; did you mean day"):
        run_in_glue_session(notebook, {"dya": "x"}, place.environment(), role(place))


def test_a_run_without_an_endpoint_is_a_failure(notebook: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        nowhere = Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}")
        environment = {**os.environ, **nowhere.environment()}
        with pytest.raises(
            GlueKernelFailed, match=r"(?s)small.ipynb, cell 3: .*Could not connect to the endpoint"
        ):
            run_in_glue_session(notebook, {}, environment, "%iam_role arn:aws:iam::123456789012:role/x")
