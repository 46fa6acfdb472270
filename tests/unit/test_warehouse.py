"""How the pipeline parses the Data API's answers: a real client with the documented answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from gluebook.aws.services import Warehouse
from gluebook.core.statements import Statement
from gluebook.errors import WarehouseBusy

ID = "d9b6c0c9-0747-4bf4-b142-e8883122f766"


class OneClient:
    """A session that always returns the same client."""

    def __init__(self) -> None:
        session = Session("AKIAEXAMPLE", "secret", region_name="us-east-1")
        self.made = session.client("redshift-data")

    def client(self, *_: Any, **__: Any) -> Any:
        return self.made


@pytest.fixture
def api() -> Iterator[tuple[Warehouse, Stubber]]:
    session = OneClient()
    with Stubber(session.made) as answers:
        yield Warehouse("gluebook", "analytics", session), answers
        answers.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFoundException", ""),
        ("AccessDeniedException", ""),
        ("ValidationException", "Could not retrieve the query result as it has expired after 1658071606."),
    ],
)
def test_an_expired_statement_is_none_whatever_the_data_api_answers(
    api: tuple[Warehouse, Stubber], code: str, message: str
) -> None:
    warehouse, answers = api
    answers.add_client_error("describe_statement", code, message, http_status_code=400)
    assert warehouse.statement(ID) is None


def test_any_other_refusal_is_one(api: tuple[Warehouse, Stubber]) -> None:
    warehouse, answers = api
    answers.add_client_error("describe_statement", "ValidationException", http_status_code=400)
    with pytest.raises(ClientError, match="ValidationException"):
        warehouse.statement(ID)


def test_waiting_for_a_statement_without_permission_is_an_error(
    api: tuple[Warehouse, Stubber],
) -> None:
    warehouse, answers = api
    answers.add_response("execute_statement", {"Id": ID})
    answers.add_client_error("describe_statement", "AccessDeniedException", http_status_code=400)
    with pytest.raises(ClientError, match="AccessDenied"):
        warehouse.run(["select 1"], name="q", timeout_seconds=60)


def test_a_deferred_query_is_one_statement_without_an_end_event(api: tuple[Warehouse, Stubber]) -> None:
    warehouse, answers = api
    where = {"WorkgroupName": "gluebook", "Database": "analytics"}
    answers.add_response("execute_statement", {"Id": ID}, {**where, "Sql": "select 1", "StatementName": "q"})
    answers.add_response(
        "describe_statement", {"Id": ID, "Status": "FAILED", "Error": "ERROR: no"}, {"Id": ID}
    )
    assert warehouse.submit_query("select 1", name="q") == ID
    assert warehouse.statement(ID) == Statement(ID, "FAILED", "ERROR: no", result_id=ID)


@pytest.mark.parametrize(("parts", "result_id"), [([], ID), ([f"{ID}:1", f"{ID}:2"], f"{ID}:2")])
def test_the_result_of_a_statement_is_that_of_its_last_part(
    api: tuple[Warehouse, Stubber], parts: list[str], result_id: str
) -> None:
    warehouse, answers = api
    described = {"Id": ID, "Status": "FINISHED", "SubStatements": [{"Id": part} for part in parts]}
    answers.add_response("describe_statement", described)
    assert warehouse.statement(ID) == Statement(ID, "FINISHED", result_id=result_id)


@pytest.mark.parametrize(
    "code", ["ActiveStatementsExceededException", "ThrottlingException", "InternalServerException"]
)
def test_a_data_api_at_its_limits_is_busy(api: tuple[Warehouse, Stubber], code: str) -> None:
    warehouse, answers = api
    # Not tried again by the SDK first, which would take its time.
    answers.client.meta.events.register("needs-retry.*", lambda **_: None, unique_id="never")
    answers.add_client_error("execute_statement", code, http_status_code=400)
    with pytest.raises(WarehouseBusy, match=code):
        warehouse.submit_query("select 1", name="q")
    answers.add_client_error("batch_execute_statement", code, http_status_code=400)
    with pytest.raises(WarehouseBusy, match=code):
        warehouse.submit(["select 1"], name="q", token="t")
