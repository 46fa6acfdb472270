"""Redshift Data API and Redshift Serverless requests ▸ the permissions they need.

AWS docs: "Authorizing access to the Amazon Redshift Data API": without a secret the Data API logs in with
temporary credentials, so the caller also needs redshift-serverless:GetCredentials on the workgroup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.iam.call import Call, Unmapped
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need

_OWNER = "redshift-data:statement-owner-iam-userid"
KEYS = {_OWNER, "redshift-data:session-owner-iam-userid"}

_IN_A_DATABASE = {
    *("ExecuteStatement", "BatchExecuteStatement"),
    *("ListDatabases", "ListSchemas", "ListTables", "DescribeTable"),
}
_ON_A_STATEMENT = {"DescribeStatement", "GetStatementResult", "GetStatementResultV2", "CancelStatement"}
_ON_A_WORKGROUP = {"GetWorkgroup", "GetCredentials", "UpdateWorkgroup", "DeleteWorkgroup"}
_ON_A_NAMESPACE = {"GetNamespace", "UpdateNamespace", "DeleteNamespace"}


def needs(call: Call, lookups: Lookups, user_id: str) -> list[Need]:
    """Raises Unmapped for an operation, or a way to log in, that isn't known."""
    body, operation = call.parameters, call.operation
    if call.service == "redshift-serverless":
        return [Need(f"redshift-serverless:{operation}", _serverless_arn(operation, body, lookups))]
    if operation in _IN_A_DATABASE:
        return _database_needs(operation, body, lookups)
    if operation in _ON_A_STATEMENT:
        # The owner of an expired statement is not known: a condition on it cannot hold, and the answer is
        # AccessDenied before the statement is looked up. AWS doesn't document which of the two comes first
        # (API reference, DescribeStatement: "ResourceNotFoundException"); this is the safe reading.
        owner = lookups.statement_owner(body["Id"])
        return [Need(f"redshift-data:{operation}", "*", {_OWNER: owner} if owner else {})]
    if operation == "ListStatements":
        return [Need("redshift-data:ListStatements", "*", {_OWNER: user_id})]
    raise Unmapped(f"redshift-data:{operation}")


def _database_needs(operation: str, body: Mapping[str, Any], lookups: Lookups) -> list[Need]:
    if "WorkgroupName" not in body:
        raise Unmapped(
            f"redshift-data:{operation}",
            "only with a WorkgroupName: clusters and sessions are not implemented",
        )
    name = body["WorkgroupName"]
    workgroup = name if name.startswith("arn:") else lookups.workgroup_arn(name)
    own = Need(f"redshift-data:{operation}", workgroup)
    if "SecretArn" in body:
        return [own, Need("secretsmanager:GetSecretValue", lookups.secret_arn(body["SecretArn"]))]
    return [own, Need("redshift-serverless:GetCredentials", workgroup)]


def _serverless_arn(operation: str, body: Mapping[str, Any], lookups: Lookups) -> str:
    if operation in _ON_A_WORKGROUP:
        return lookups.workgroup_arn(body["workgroupName"])
    if operation in _ON_A_NAMESPACE:
        return lookups.namespace_arn(body["namespaceName"])
    if operation in ("ListWorkgroups", "ListNamespaces"):
        return "*"
    raise Unmapped(f"redshift-serverless:{operation}")
