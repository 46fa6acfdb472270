"""AWS::IAM::Role and AWS::IAM::ManagedPolicy. Policies are stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, without
from ..shapes import call, retag


class Role(ResourceType):
    """A role with its inline and its attached policies. `Ref` is its name."""

    type_name = "AWS::IAM::Role"
    attributes = frozenset({"Arn", "RoleId"})
    name_property = "RoleName"

    def create(self, at: Place, properties: Properties) -> Made:
        iam, name = at.client("iam"), properties["RoleName"]
        wanted = without(properties, "ManagedPolicyArns", "Policies")
        wanted["AssumeRolePolicyDocument"] = json.dumps(properties["AssumeRolePolicyDocument"])
        role = call(iam, "CreateRole", wanted)["Role"]
        made = Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        try:
            self._grant(iam, name, Change(made, {}, properties))
        except BaseException:
            self.delete(at, Existing(made, properties))
            raise
        return made

    def update(self, at: Place, change: Change) -> Made:
        iam, name = at.client("iam"), change.made.ref
        if "AssumeRolePolicyDocument" in change.changed:
            trust = json.dumps(change.new["AssumeRolePolicyDocument"])
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        if change.changed & {"Description", "MaxSessionDuration"}:
            defaults = {"Description": "", "MaxSessionDuration": 3600}
            call(
                iam,
                "UpdateRole",
                {"RoleName": name, **{k: change.new.get(k, v) for k, v in defaults.items()}},
            )
        if "PermissionsBoundary" in change.changed:
            self._bound(iam, name, change.new.get("PermissionsBoundary"))
        self._grant(iam, name, change)
        retag(iam, name, change, "Role")
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        iam, name = at.client("iam"), existing.made.ref
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=name)

    def _bound(self, iam: Any, name: str, arn: str | None) -> None:
        if arn:
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
        else:
            iam.delete_role_permissions_boundary(RoleName=name)

    def _grant(self, iam: Any, name: str, change: Change) -> None:
        old, new = _inline(change.old), _inline(change.new)
        for policy in sorted(set(old) - set(new)):
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy, document in new.items():
            if old.get(policy) != document:
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        _attach(iam, change, "ManagedPolicyArns", lambda arn: {"RoleName": name, "PolicyArn": arn})


def _inline(properties: Properties) -> dict[str, str]:
    return {it["PolicyName"]: json.dumps(it["PolicyDocument"]) for it in properties.get("Policies", [])}


def _attach(iam: Any, change: Change, name: str, pair: Callable[[str], dict[str, str]]) -> None:
    """Attach and detach what the lists of property `name` differ in; `pair`: an entry ▸ role and policy."""
    before, after = set(change.old.get(name, [])), set(change.new.get(name, []))
    for entry in sorted(before - after):
        iam.detach_role_policy(**pair(entry))
    for entry in sorted(after - before):
        iam.attach_role_policy(**pair(entry))


class ManagedPolicy(ResourceType):
    """`Ref` is the policy's ARN."""

    type_name = "AWS::IAM::ManagedPolicy"
    not_implemented = frozenset({"Groups", "Users"})
    attributes = frozenset({"PolicyArn"})
    name_property = "ManagedPolicyName"
    name_limit = 128

    def create(self, at: Place, properties: Properties) -> Made:
        iam = at.client("iam")
        wanted = without(properties, "ManagedPolicyName", "PolicyDocument", "Roles")
        wanted["PolicyName"] = properties["ManagedPolicyName"]
        wanted["PolicyDocument"] = json.dumps(properties["PolicyDocument"])
        arn = call(iam, "CreatePolicy", wanted)["Policy"]["Arn"]
        made = Made(arn, {"PolicyArn": arn})
        _attach(iam, Change(made, {}, properties), "Roles", lambda role: {"RoleName": role, "PolicyArn": arn})
        return made

    def update(self, at: Place, change: Change) -> Made:
        iam, arn = at.client("iam"), change.made.ref
        if "PolicyDocument" in change.changed:
            # A policy keeps five versions at most; CloudFormation keeps none but the newest.
            document = json.dumps(change.new["PolicyDocument"])
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
            self._forget_versions(iam, arn)
        _attach(iam, change, "Roles", lambda role: {"RoleName": role, "PolicyArn": arn})
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        iam, arn = at.client("iam"), existing.made.ref
        for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
            iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
        self._forget_versions(iam, arn)
        iam.delete_policy(PolicyArn=arn)

    def _forget_versions(self, iam: Any, arn: str) -> None:
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
