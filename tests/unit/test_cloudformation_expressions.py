"""Templates, parameters, expressions and shapes, without a service."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import boto3
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.cloudformation import parameters, plan
from localaws.cloudformation.expressions import NO_VALUE, Scope, references
from localaws.cloudformation.resource import Made, TemplateError
from localaws.cloudformation.resources import all_types
from localaws.cloudformation.shapes import fit
from localaws.cloudformation.template import parse, read

TYPES = all_types()
SCOPE = Scope(
    names={"Name": "n", "Number": "5", "List": ["a", "b"], "AWS::Region": "us-east-1"},
    mappings={"M": {"a": {"x": "found"}}},
    conditions={"Yes": {"Fn::Equals": ["1", 1]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    exports={"out": "imported"},
    made={"Queue": Made("url", {"Arn": "arn:q", "A.B": "deep"})},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Name"}, "n"),
        ({"Ref": "Queue"}, "url"),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:q"),
        ({"Fn::GetAtt": "Queue.A.B"}, "deep"),
        ({"Fn::GetAtt": ["Queue", "A", "B"]}, "deep"),
        ({"Fn::Sub": "${Name}-${Queue.A.B}-${!Name}-${AWS::Region}$"}, "n-deep-${Name}-us-east-1$"),
        ({"Fn::Sub": ["${Own}/${Number}", {"Own": {"Ref": "Name"}}]}, "n/5"),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, "a-b"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::If": ["Yes", "then", {"Ref": "Missing"}]}, "then"),
        ({"Fn::If": ["No", "then", "else"]}, "else"),
        ({"Fn::FindInMap": ["M", {"Fn::Select": [0, {"Ref": "List"}]}, "x"]}, "found"),
        ({"Fn::ImportValue": "out"}, "imported"),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}, True]}, {"b": [1, True]}),
    ],
)
def test_an_expression_has_its_value(expression: Any, value: Any) -> None:
    assert SCOPE.resolve(expression) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ({"Ref": "Missing"}, "Missing is neither a parameter nor a resource"),
        ({"Fn::GetAtt": ["Queue", "Nope"]}, "Queue has no attribute Nope"),
        ({"Fn::GetAtt": "Queue"}, "Fn::GetAtt needs a resource and an attribute"),
        ({"Fn::Sub": "${List}"}, r"\$\{List\} in Fn::Sub is not a text"),
        ({"Fn::Select": [2, {"Ref": "List"}]}, "cannot select index 2 of 2"),
        ({"Fn::FindInMap": ["M", "a", "y"]}, "Unable to get mapping for M::a::y"),
        ({"Fn::ImportValue": "nope"}, "No export named nope"),
        ({"Fn::If": ["Maybe", 1, 2]}, "condition Maybe is not defined"),
        ({"Fn::Transform": {}}, "Fn::Transform: the laptop's CloudFormation can't do that"),
        ({"Ref": "Name", "more": 1}, "can't do that"),
        ({"Fn::Join": ["-"]}, "Fn::Join takes a list of 2"),
        ({"Fn::Equals": ["a", "a"]}, "only be used in the Conditions section"),
    ],
)
def test_an_expression_without_a_value_is_refused_by_name(expression: Any, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        SCOPE.resolve(expression)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text().filter(lambda k: k != "Ref" and k[:4] != "Fn::"), inner)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(json_values)
def test_what_contains_no_expression_stays_as_it_is(value: Any) -> None:
    assert SCOPE.resolve(value) == value
    assert list(references(value)) == []


@settings(deadline=None)
@given(st.text())
def test_a_text_survives_being_an_own_variable_of_a_substitution(text: str) -> None:
    assert SCOPE.resolve({"Fn::Sub": ["<${It}>", {"It": text}]}) == f"<{text}>"


names = st.text(alphabet="ABCDEFGH", min_size=1, max_size=2)


@settings(deadline=None)
@given(st.dictionaries(names, st.sets(names), min_size=1))
def test_resources_are_ordered_after_what_they_refer_to_or_the_circle_is_named(
    needs: dict[str, set[str]],
) -> None:
    resources = {
        name: {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": {"Fn::Join": ["", [{"Ref": it} for it in sorted(on & set(needs))]]}
            },
        }
        for name, on in needs.items()
    }
    template = read(json.dumps({"Resources": resources}), TYPES)
    try:
        order = plan.make(template, {}, {}, {}, TYPES).order
    except TemplateError as refused:
        circle = str(refused).split("[")[1].rstrip("]").split(" -> ")
        assert circle[0] == circle[-1]
        assert all(second in needs[first] for first, second in pairwise(circle))
    else:
        assert sorted(order) == sorted(needs)
        for position, name in enumerate(order):
            assert needs[name] & set(needs) <= set(order[:position])


def test_short_forms_and_dates_are_read_as_cloudformation_reads_them() -> None:
    read_back = parse(
        "A: !GetAtt X.Y.Z\nB: !Sub '${A}'\nC: !If [C, !Ref D, !Condition E]\n"
        "Version: 2012-10-17\nT: 2026-01-31T10:00:00Z"
    )
    assert read_back == {
        "A": {"Fn::GetAtt": ["X", "Y.Z"]},
        "B": {"Fn::Sub": "${A}"},
        "C": {"Fn::If": ["C", {"Ref": "D"}, {"Condition": "E"}]},
        "Version": "2012-10-17",
        "T": "2026-01-31T10:00:00Z",
    }


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5))
def test_yaml_and_json_of_a_template_are_read_alike(document: dict[str, Any]) -> None:
    assert parse(yaml.safe_dump(document)) == parse(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("declaration", "given_value", "why"),
    [
        ({"Type": "Number"}, "ten", "'ten' is not a number"),
        ({"Type": "Number"}, "nan", "'nan' is not a number"),
        ({"Type": "Number", "MaxValue": 5}, "6", "MaxValue is 5"),
        ({"Type": "String", "MinLength": "2"}, "a", "MinLength is 2"),
        ({"Type": "String", "AllowedValues": ["a", True]}, "b", "'b' is not one of a, true"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "aB", r"'aB' does not match \[a-z\]\+"),
        ({"Type": "String"}, None, r"\[P\] must have values"),
        ({"Type": "AWS::EC2::VPC::Id"}, "v", "doesn't know type AWS::EC2::VPC::Id"),
        ({"Type": "String", "Defalt": "x"}, "v", "unknown Defalt"),
    ],
)
def test_a_parameter_that_breaks_its_declaration_is_refused(
    declaration: dict[str, Any], given_value: str | None, why: str
) -> None:
    with pytest.raises(TemplateError, match=why):
        parameters.choose({"P": declaration}, {} if given_value is None else {"P": given_value})


def test_a_number_parameter_stays_a_text_and_a_list_is_split() -> None:
    declared: dict[str, dict[str, Any]] = {
        "N": {"Type": "Number", "Default": 5},
        "L": {"Type": "CommaDelimitedList"},
    }
    chosen = parameters.choose(declared, {"L": "a, b"})
    assert parameters.value_of(declared["N"], chosen["N"]) == "5"
    assert parameters.value_of(declared["L"], chosen["L"]) == ["a", "b"]
    with pytest.raises(TemplateError, match=r"\[X\] do not exist in the template"):
        parameters.choose(declared, {"L": "", "X": "1"})


@pytest.fixture(scope="module")
def glue() -> Any:
    return boto3.client("glue", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def test_values_are_converted_to_what_the_operation_takes(glue: Any) -> None:
    job = {
        "Name": "j",
        "Timeout": "60",
        "MaxCapacity": "0.0625",
        "GlueVersion": 5.1,
        "JobRunQueuingEnabled": "false",
        "Command": {"PythonVersion": 3},
        "DefaultArguments": {"--n": 5, "--b": True},
        "Connections": {"Connections": ["c"]},
    }
    assert fit(glue, "CreateJob", job) == job | {
        "Timeout": 60,
        "MaxCapacity": 0.0625,
        "GlueVersion": "5.1",
        "JobRunQueuingEnabled": False,
        "Command": {"PythonVersion": "3"},
        "DefaultArguments": {"--n": "5", "--b": "true"},
    }


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"Nme": "j"}, "unsupported property Nme$"),
        ({"Command": {"Nme": "j"}}, "unsupported property Nme in Command"),
        ({"Timeout": "6.5"}, "Timeout: a integer is expected, not '6.5'"),
        ({"Timeout": True}, "Timeout: a integer"),
        ({"JobRunQueuingEnabled": "yes"}, "JobRunQueuingEnabled: a boolean"),
        ({"Name": {"a": 1}}, "Name: a string is expected"),
        ({"Connections": {"Connections": "c"}}, r"Connections.Connections: a list is expected"),
        ({"DefaultArguments": ["a"]}, "DefaultArguments: a mapping is expected"),
    ],
)
def test_values_that_dont_fit_are_refused_by_their_path(glue: Any, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        fit(glue, "CreateJob", wrong)


@settings(deadline=None)
@given(st.integers(-(2**53), 2**53))
def test_every_whole_number_survives_as_a_text(glue: Any, number: int) -> None:
    for written in (number, str(number)):
        assert fit(glue, "CreateJob", {"Timeout": written}) == {"Timeout": number}
