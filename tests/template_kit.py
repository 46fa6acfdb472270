"""The real template, planned with chosen parameters and resolved, without deploying anything."""

from __future__ import annotations

from typing import Any

from gluebook.deployment.build import project_root
from localaws.cloudformation import plan
from localaws.cloudformation.resource import Made
from localaws.cloudformation.resources import all_types
from localaws.cloudformation.template import Template, read

TYPES = all_types()
TEMPLATE = project_root() / "infra" / "pipeline.yaml"
_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "gluebook",
}
# Every choice that adds something to a policy.
EVERYTHING = {
    "RawKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/raw",
    "LakeKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/lake",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    "GlueStudioRole": "yes",
}


def template() -> Template:
    """The template as read."""
    return read(TEMPLATE.read_text(encoding="utf-8"), TYPES)


def planned(source: Template, **given: str) -> plan.Plan:
    """The plan with these parameters; artefacts are somewhere."""
    artefacts = {
        name: "s3://artefacts/folder/package.zip"
        for name, body in source.parameters.items()
        if name.endswith("Uri") and "Default" not in body
    }
    return plan.make(source, {"ArtefactBucket": "artefacts", **artefacts, **given}, _PSEUDO, {}, TYPES)


def properties(made: plan.Plan, name: str) -> dict[str, Any]:
    """A resource's properties, with names and ARNs made up for the other resources of the plan.

    Raises TemplateError if they refer to one that the plan doesn't make.
    """
    there = {one: _made(one, made.template.resources[one].type_name) for one in made.order}
    resolved: dict[str, Any] = made.scope(there).resolve(made.template.resources[name].properties)
    return resolved


def roles(made: plan.Plan) -> list[str]:
    """The logical ids of the roles that exist in this plan."""
    return [name for name in made.order if made.template.resources[name].type_name == "AWS::IAM::Role"]


def _made(name: str, type_name: str) -> Made:
    attributes = {attribute: _arn(name, attribute) for attribute in TYPES[type_name].attributes}
    return Made(_REFS.get(type_name, "{0}").format(name.lower()), attributes)


def _arn(name: str, attribute: str) -> str:
    return _SHAPES.get(name, f"arn:aws:{name.lower()}:eu-west-1:123456789012:{attribute.lower()}")


# What Ref gives where that isn't a name.
_REFS = {"AWS::SecretsManager::Secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:{0}"}
_SHAPES = {
    "RawBucket": "arn:aws:s3:::raw",
    "LakeBucket": "arn:aws:s3:::lake",
    "Ledger": "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger",
    "Arrivals": "arn:aws:sqs:eu-west-1:123456789012:arrivals",
    "Workgroup": "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/1",
    **{
        f"{name}Logs": f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/{name.lower()}:*"
        for name in ("Admit", "Load", "Sweep")
    },
}
