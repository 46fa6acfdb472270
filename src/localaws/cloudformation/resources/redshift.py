"""AWS::RedshiftServerless::Namespace and AWS::RedshiftServerless::Workgroup."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace

from .. import warehouses
from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError
from ..shapes import text, truth, whole
from ..warehouses import registry

_BASE_CAPACITY = 128


class Namespace(ResourceType):
    """`Ref` is the namespace's name. ManageAdminPassword makes a secret, as on AWS.

    CloudFormation doesn't give out the secret's ARN, GetNamespace does (cfn-lint knows no such attribute; GitHub's
    aws-cloudformation/cloudformation-coverage-roadmap, issues 2021 and 2148).
    """

    type_name = "AWS::RedshiftServerless::Namespace"
    not_implemented = frozenset(
        {
            *("AdminPasswordSecretKmsKeyId", "FinalSnapshotName", "FinalSnapshotRetentionPeriod"),
            *("NamespaceResourcePolicy", "RedshiftIdcApplicationArn", "SnapshotCopyConfigurations"),
        }
    )
    unchangeable = frozenset({"AdminUsername", "DbName", "ManageAdminPassword"})
    attributes = frozenset(
        f"Namespace.{name}"
        for name in ("AdminUsername", "DbName", "NamespaceArn", "NamespaceId", "NamespaceName", "Status")
    )
    name_property = "NamespaceName"

    def create(self, at: Place, properties: Properties) -> Made:
        name = _checked("NamespaceName", properties["NamespaceName"])
        existing = registry(at.endpoint).namespaces
        if name in existing:
            raise TemplateError(f"Namespace {name} already exists")
        managed = truth(properties.get("ManageAdminPassword", False))
        if managed and "AdminUserPassword" in properties:
            raise TemplateError("AdminUserPassword and ManageAdminPassword exclude each other")
        namespace = _namespace(at, properties)
        admin = text(properties.get("AdminUsername", "admin"))
        attributes = {
            "Namespace.AdminUsername": admin,
            "Namespace.DbName": namespace.database,
            "Namespace.NamespaceArn": namespace.arn,
            "Namespace.NamespaceId": warehouses.identity("namespace", name),
            "Namespace.NamespaceName": name,
            "Namespace.Status": "AVAILABLE",
        }
        if managed:
            login = {"username": admin, "password": secrets.token_urlsafe(24)}
            secret = at.client("secretsmanager").create_secret(
                Name=f"redshift!{name}-{admin}", SecretString=json.dumps(login)
            )
            namespace = replace(namespace, admin_secret=secret["ARN"])
        existing[name] = replace(namespace, admin=admin)
        return Made(name, attributes)

    def update(self, at: Place, change: Change) -> Made:
        known = registry(at.endpoint).namespaces
        old = known[change.made.ref]
        known[change.made.ref] = replace(
            _namespace(at, change.new), admin=old.admin, admin_secret=old.admin_secret
        )
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        namespace = registry(at.endpoint).namespaces.pop(existing.made.ref, None)
        if namespace and namespace.admin_secret:
            at.client("secretsmanager").delete_secret(
                SecretId=namespace.admin_secret, ForceDeleteWithoutRecovery=True
            )


def _namespace(at: Place, properties: Properties) -> warehouses.Namespace:
    name, roles = properties["NamespaceName"], tuple(properties.get("IamRoles", []))
    default = properties.get("DefaultIamRoleArn")
    if default is not None and default not in roles:
        # AWS docs: the default role must be one of the namespace's roles.
        raise TemplateError(f"DefaultIamRoleArn {default} is not one of IamRoles")
    identity = warehouses.identity("namespace", name)
    arn = f"arn:aws:redshift-serverless:{at.region}:{at.account}:namespace/{identity}"
    return warehouses.Namespace(name, arn, text(properties.get("DbName", "dev")), roles, default)


class Workgroup(ResourceType):
    """`Ref` is the workgroup's name. Capacity and network settings have no effect on a laptop."""

    type_name = "AWS::RedshiftServerless::Workgroup"
    not_implemented = frozenset(
        {
            *("PricePerformanceTarget", "RecoveryPointId", "SnapshotArn", "SnapshotName"),
            *("SnapshotOwnerAccount", "TrackName", "Workgroup"),
        }
    )
    needed = frozenset({"NamespaceName"})
    attributes = frozenset(
        f"Workgroup.{name}"
        for name in (
            *(
                "BaseCapacity",
                "Endpoint.Address",
                "Endpoint.Port",
                "NamespaceName",
                "PubliclyAccessible",
                "Status",
            ),
            *("WorkgroupArn", "WorkgroupId", "WorkgroupName"),
        )
    )
    name_property = "WorkgroupName"

    def create(self, at: Place, properties: Properties) -> Made:
        name = _checked("WorkgroupName", properties["WorkgroupName"])
        _check_capacity(properties)
        known = registry(at.endpoint)
        if name in known.workgroups:
            raise TemplateError(f"Workgroup {name} already exists")
        namespace = known.namespaces.get(properties["NamespaceName"])
        if namespace is None:
            raise TemplateError(f"Namespace {properties['NamespaceName']} doesn't exist")
        identity = warehouses.identity("workgroup", name)
        arn = f"arn:aws:redshift-serverless:{at.region}:{at.account}:workgroup/{identity}"
        known.workgroups[name] = warehouses.Workgroup(name, arn, namespace.name, namespace.database)
        return self._made(at, properties)

    def update(self, at: Place, change: Change) -> Made:
        _check_capacity(change.new)
        return self._made(at, change.new)

    def delete(self, at: Place, existing: Existing) -> None:
        registry(at.endpoint).workgroups.pop(existing.made.ref, None)

    def _made(self, at: Place, properties: Properties) -> Made:
        name = properties["WorkgroupName"]
        workgroup = registry(at.endpoint).workgroups[name]
        address = f"{name}.{at.account}.{at.region}.redshift-serverless.amazonaws.com"
        return Made(
            name,
            {
                "Workgroup.BaseCapacity": text(properties.get("BaseCapacity", _BASE_CAPACITY)),
                "Workgroup.Endpoint.Address": address,
                "Workgroup.Endpoint.Port": text(properties.get("Port", 5439)),
                "Workgroup.NamespaceName": workgroup.namespace,
                "Workgroup.PubliclyAccessible": text(properties.get("PubliclyAccessible", False)),
                "Workgroup.Status": "AVAILABLE",
                "Workgroup.WorkgroupArn": workgroup.arn,
                "Workgroup.WorkgroupId": workgroup.arn.rsplit("/", 1)[1],
                "Workgroup.WorkgroupName": name,
            },
        )


def _check_capacity(properties: Properties) -> None:
    """AWS docs: "Billing for Amazon Redshift Serverless": it scales from the base to at most the maximum capacity."""
    base = whole(properties.get("BaseCapacity", _BASE_CAPACITY))
    if "MaxCapacity" in properties and whole(properties["MaxCapacity"]) < base:
        raise TemplateError(f"MaxCapacity {properties['MaxCapacity']} is less than BaseCapacity {base}")


def _checked(what: str, name: str) -> str:
    # AWS docs: CreateNamespace, CreateWorkgroup.
    if not re.fullmatch(r"[a-z0-9-]{3,64}", str(name)):
        raise TemplateError(f"{what} {name!r}: 3 to 64 lowercase letters, digits and hyphens")
    return str(name)
