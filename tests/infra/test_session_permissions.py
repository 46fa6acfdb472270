"""Who may do what with interactive sessions: judged by the deployed policies, as everything else is."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.stack_kit import Stage, document, eventually, running_stage, stage, unique
from localaws.endpoint import ACCOUNT, REGION, Credentials

__all__ = ["running_stage", "stage"]
SESSION = f"arn:aws:glue:{REGION}:{ACCOUNT}:session"
ALL = (
    *("CreateSession", "GetSession", "StopSession", "DeleteSession"),
    *("RunStatement", "GetStatement", "ListStatements", "CancelStatement"),
)


class Analyst:
    """A person's role, which may do what its statements say; RUNTIME in them is the role that sessions get."""

    def __init__(self, stage: Stage, *statements: dict[str, Any]) -> None:
        self.runtime = stage.role("glue", "s3:ListAllMyBuckets")
        name, iam = unique("analyst"), stage.client("iam")
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        trust = document({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        may = document(*({"Effect": "Allow", **one} for one in statements)).replace("RUNTIME", self.runtime)
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=may)
        keys = stage.client("sts").assume_role(RoleArn=arn, RoleSessionName="ada")["Credentials"]
        words = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        self.glue = stage.aws.endpoint.client("glue", Credentials(*(keys[word] for word in words)))

    def create(self, name: str) -> None:
        self.glue.create_session(Id=name, Role=self.runtime, Command={"Name": "glueetl"})

    def run(self, name: str, code: str) -> dict[str, Any]:
        """A statement's output, once it has run in a session that is there or on its way."""
        eventually(lambda: self.glue.get_session(Id=name)["Session"]["Status"] == "READY")
        number = self.glue.run_statement(SessionId=name, Code=code)["Id"]

        def statement() -> dict[str, Any]:
            found: dict[str, Any] = self.glue.get_statement(SessionId=name, Id=number)["Statement"]
            return found

        eventually(lambda: statement()["State"] == "AVAILABLE")
        output: dict[str, Any] = statement()["Output"]
        return output


def on(sessions: str, *operations: str) -> dict[str, Any]:
    return {"Action": [f"glue:{one}" for one in operations], "Resource": f"{SESSION}/{sessions}"}


PASS = {"Action": "iam:PassRole", "Resource": "RUNTIME"}


def test_with_permission_on_a_session_and_its_role_a_statement_runs_as_that_role(stage: Stage) -> None:
    analyst = Analyst(stage, on("ada-*", *ALL), PASS)
    analyst.create("ada-1")
    code = "import boto3\nboto3.client('sts').get_caller_identity()['Arn'].split('/')[1]"
    shown = analyst.run("ada-1", code)["Data"]["TextPlain"]
    assert shown == f"{analyst.runtime.rpartition('/')[2]!r}\n"
    glue = analyst.glue
    assert [one["Id"] for one in glue.list_statements(SessionId="ada-1")["Statements"]] == [1]
    glue.cancel_statement(SessionId="ada-1", Id=1)
    glue.stop_session(Id="ada-1")
    eventually(lambda: glue.get_session(Id="ada-1")["Session"]["Status"] == "STOPPED")
    glue.delete_session(Id="ada-1")


def test_another_ones_session_is_refused_whatever_is_asked_of_it(stage: Stage) -> None:
    owner, other = Analyst(stage, on("bob-*", *ALL), PASS), Analyst(stage, on("ada-*", *ALL), PASS)
    owner.create("bob-1")
    asked: dict[str, dict[str, Any]] = {
        "get_session": {"Id": "bob-1"},
        "run_statement": {"SessionId": "bob-1", "Code": "1"},
        "get_statement": {"SessionId": "bob-1", "Id": 1},
        "list_statements": {"SessionId": "bob-1"},
        "cancel_statement": {"SessionId": "bob-1", "Id": 1},
        "stop_session": {"Id": "bob-1"},
        "delete_session": {"Id": "bob-1"},
        "list_sessions": {},
    }
    for operation, parameters in asked.items():
        with pytest.raises(ClientError, match=r"not authorized to perform: glue:.* on resource: .*:session/"):
            getattr(other.glue, operation)(**parameters)
    owner.glue.stop_session(Id="bob-1")


def test_a_role_that_may_not_be_passed_makes_no_session(stage: Stage) -> None:
    analyst = Analyst(stage, on("*", *ALL))
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        analyst.create("eve-1")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        stage.client("glue").get_session(Id="eve-1")


def test_a_session_can_do_no_more_than_its_role(stage: Stage) -> None:
    analyst = Analyst(stage, on("*", *ALL), PASS)
    analyst.create("eve-2")
    output = analyst.run("eve-2", "import boto3\nboto3.client('dynamodb').list_tables()")
    assert output["Status"] == "error"
    assert "not authorized to perform: dynamodb:ListTables" in output["ErrorValue"]
    analyst.glue.stop_session(Id="eve-2")
