"""Which properties a resource type has, and what a change of one means, is what AWS's schemas say."""

from __future__ import annotations

import pytest

from localaws.cloudformation import schemas
from localaws.cloudformation.resource import ResourceType
from localaws.cloudformation.resources import all_types
from localaws.cloudformation.schemas import schema_of, value_at
from localaws.errors import LocalAwsError


def test_a_schema_tells_settable_required_and_replacing_properties() -> None:
    job = schema_of("AWS::Glue::Job")
    assert {"Command", "MaxRetries", "JobRunQueuingEnabled"} <= job.properties
    assert job.required == {"Command", "Role"}
    assert job.replacing == {("Name",)}
    assert "Arn" not in schema_of("AWS::SQS::Queue").properties
    assert ("TableInput", "Name") in schema_of("AWS::Glue::Table").replacing
    assert ("KeySchema",) in schema_of("AWS::DynamoDB::Table").replacing


@pytest.mark.parametrize("kind", all_types().values(), ids=all_types())
def test_what_a_type_says_beyond_its_schema_names_properties_that_the_schema_has(kind: ResourceType) -> None:
    named = (kind.implemented, kind.not_implemented, kind.needed, kind.replacing, kind.unchangeable)
    assert frozenset().union(*named) <= schema_of(kind.type_name).properties


def test_an_unknown_type_and_missing_schemas_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LocalAwsError, match="AWS::Nothing::Here"):
        schema_of("AWS::Nothing::Here")
    monkeypatch.setattr(schemas, "find_spec", lambda _: None)
    with pytest.raises(LocalAwsError, match="install cfn-lint"):
        schemas._read("providers", "us-east-1")


def test_a_pointer_leads_to_a_nested_value_or_to_none() -> None:
    properties = {"TableInput": {"Name": "t"}, "Name": "n"}
    assert value_at(properties, ("TableInput", "Name")) == "t"
    assert value_at(properties, ("TableInput", "Owner")) is None
    assert value_at(properties, ("Name", "Owner")) is None
