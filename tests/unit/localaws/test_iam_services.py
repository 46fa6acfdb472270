"""The other services through the Authorizer."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.errors import ApiError
from unit.localaws.iam_laptop import (
    ACCOUNT,
    REGION,
    Laptop,
    allow,
    code,
    document,
    message,
    unique,
)


@pytest.fixture(scope="module")
def table(laptop: Laptop) -> str:
    name = unique("ledger")
    laptop.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def table_arn(table: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"


def test_a_transaction_needs_every_items_own_action(laptop: Laptop, table: str) -> None:
    dynamodb = laptop.as_role("dynamodb", allow("dynamodb:PutItem", table_arn(table)))
    put = {"Put": {"TableName": table, "Item": {"pk": {"S": "x"}}}}
    delete = {"Delete": {"TableName": table, "Key": {"pk": {"S": "y"}}}}
    assert code(dynamodb.transact_write_items, TransactItems=[put]) == ""
    assert code(dynamodb.transact_write_items, TransactItems=[put, delete]) == "AccessDeniedException"
    assert code(dynamodb.transact_write_items, TransactItems=[delete]) == "AccessDeniedException"


def test_dynamodb_is_limited_by_table_and_by_leading_keys(laptop: Laptop, table: str) -> None:
    own = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "logs#*"},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    dynamodb = laptop.as_role(
        "dynamodb", allow(["dynamodb:PutItem", "dynamodb:Query"], table_arn(table), own)
    )

    def puts(key: str, name: str = table) -> str:
        return code(dynamodb.put_item, TableName=name, Item={"pk": {"S": key}})

    def queries(key: str) -> str:
        values = {":k": {"S": key}}
        return code(
            dynamodb.query,
            TableName=table,
            KeyConditionExpression="pk = :k",
            ExpressionAttributeValues=values,
        )

    assert (puts("logs#1"), puts("tickets#1"), puts("logs#1", "other")) == (
        "",
        "AccessDeniedException",
        "AccessDeniedException",
    )
    assert (queries("logs#1"), queries("tickets#1")) == ("", "AccessDeniedException")


def test_a_batch_of_items_is_read_only_if_every_table_and_key_may_be(laptop: Laptop, table: str) -> None:
    own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "logs#*"}}
    dynamodb = laptop.as_role("dynamodb", allow("dynamodb:BatchGetItem", table_arn(table), own))

    def reads(*keys: str, name: str = table) -> str:
        items = {name: {"Keys": [{"pk": {"S": key}} for key in keys]}}
        return code(dynamodb.batch_get_item, RequestItems=items)

    assert reads("logs#1", "logs#2") == ""
    assert reads("logs#1", "tickets#1") == "AccessDeniedException"
    assert reads("logs#1", name="other") == "AccessDeniedException"
    single = laptop.as_role("dynamodb", allow("dynamodb:GetItem", table_arn(table)))
    items = {table: {"Keys": [{"pk": {"S": "logs#1"}}]}}
    assert code(single.batch_get_item, RequestItems=items) == "AccessDeniedException"


def test_counting_is_a_query_that_can_be_all_a_role_may(laptop: Laptop, table: str) -> None:
    counting = {"StringEquals": {"dynamodb:Select": "COUNT"}}
    dynamodb = laptop.as_role("dynamodb", allow("dynamodb:Query", table_arn(table), counting))
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :k",
        "ExpressionAttributeValues": {":k": {"S": "x"}},
    }
    assert code(dynamodb.query, **query, Select="COUNT") == ""
    assert code(dynamodb.query, **query) == "AccessDeniedException"


def test_a_role_may_send_to_one_queue_later_too_and_only_look_at_another(laptop: Laptop) -> None:
    owner = laptop.client("sqs")
    urls = [owner.create_queue(QueueName=unique("arrivals"))["QueueUrl"] for _ in range(2)]
    arns = [f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}" for url in urls]
    sqs = laptop.as_role("sqs", allow("sqs:SendMessage", arns[0]), allow("sqs:GetQueueAttributes", arns[1]))
    later = [{"Id": "1", "MessageBody": "x", "DelaySeconds": 900}]
    for url, sent, seen in ((urls[0], "", "AccessDenied"), (urls[1], "AccessDenied", "")):
        assert code(sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=900) == sent
        assert code(sqs.send_message_batch, QueueUrl=url, Entries=later) == sent
        assert code(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"]) == seen


def test_queues_by_identity_and_by_queue_policy(laptop: Laptop) -> None:
    owner = laptop.client("sqs")
    url = owner.create_queue(QueueName=unique("arrivals"))["QueueUrl"]
    arn = owner.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs = laptop.as_role("sqs", allow("sqs:SendMessage", arn))
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x") == ""
    batch = [{"Id": "1", "MessageBody": "x"}]
    assert code(sqs.send_message_batch, QueueUrl=url, Entries=batch) == ""
    assert code(sqs.receive_message, QueueUrl=url) == "AccessDenied"

    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/arrived"
    with pytest.raises(
        ApiError, match=r"events\.amazonaws\.com is not authorized to perform: sqs:SendMessage"
    ):
        laptop.authorizer.check_service("events.amazonaws.com", "sqs:SendMessage", arn, rule)
    lets_in = {
        **allow("sqs:SendMessage", arn, {"ArnEquals": {"aws:SourceArn": rule}}),
        "Principal": {"Service": "events.amazonaws.com"},
    }
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(lets_in)})
    laptop.authorizer.check_service("events.amazonaws.com", "sqs:SendMessage", arn, rule)
    with pytest.raises(ApiError, match="AccessDenied"):
        laptop.authorizer.check_service("events.amazonaws.com", "sqs:SendMessage", arn, f"{rule}-2")


def test_metrics_only_into_the_namespace_granted(laptop: Laptop) -> None:
    own = {"StringEquals": {"cloudwatch:namespace": "Gluebook"}}
    cloudwatch = laptop.as_role("cloudwatch", allow("cloudwatch:PutMetricData", "*", own))
    data = [{"MetricName": "m", "Value": 1.0}]
    assert code(cloudwatch.put_metric_data, Namespace="Gluebook", MetricData=data) == ""
    assert code(cloudwatch.put_metric_data, Namespace="Gluebook", MetricData=data * 200) == ""
    assert code(cloudwatch.put_metric_data, Namespace="Other", MetricData=data) == "AccessDenied"


def test_catalog_calls_need_catalog_database_and_table(laptop: Laptop) -> None:
    database = unique("lake")
    glue = laptop.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName=database, TableInput={"Name": "logs"})
    base = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    three = [f"{base}:catalog", f"{base}:database/{database}", f"{base}:table/{database}/logs"]
    assert (
        code(
            laptop.as_role("glue", allow("glue:GetTable", three)).get_table,
            DatabaseName=database,
            Name="logs",
        )
        == ""
    )
    for missing in three:
        two = laptop.as_role("glue", allow("glue:GetTable", [one for one in three if one != missing]))
        assert f"on resource: {missing} " in message(two.get_table, DatabaseName=database, Name="logs")


def test_a_secret_is_granted_by_its_arn_with_the_random_suffix(laptop: Laptop) -> None:
    name = unique("mask")
    arn = laptop.client("secretsmanager").create_secret(Name=name, SecretString="s")["ARN"]
    by_arn = laptop.as_role("secretsmanager", allow("secretsmanager:GetSecretValue", arn))
    assert by_arn.get_secret_value(SecretId=name)["SecretString"] == "s"
    assert by_arn.get_secret_value(SecretId=arn)["SecretString"] == "s"
    bare = laptop.as_role("secretsmanager", allow("secretsmanager:GetSecretValue", arn[:-7]))
    assert code(bare.get_secret_value, SecretId=name) == "AccessDeniedException"
    any_suffix = laptop.as_role(
        "secretsmanager", allow("secretsmanager:GetSecretValue", f"{arn[:-7]}-??????")
    )
    assert code(any_suffix.get_secret_value, SecretId=name) == ""


def test_a_key_is_used_if_its_policy_lets_the_account_in_and_the_role_is_allowed(laptop: Laptop) -> None:
    owner = laptop.client("kms")
    root = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    key = owner.create_key(Policy=document(root))["KeyMetadata"]
    blob = owner.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    role = laptop.role(allow("kms:Decrypt", key["Arn"]))
    kms = laptop.client("kms", laptop.authorizer.assume(role, "lambda.amazonaws.com", "tests"))
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    assert code(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"p") == "AccessDeniedException"
    somebody = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/somebody"}}
    owner.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=document(somebody))
    assert code(kms.decrypt, CiphertextBlob=blob) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("service", "method", "parameters", "expected"),
    [
        (
            "sns",
            "publish",
            {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "Message": "m"},
            "AuthorizationError",
        ),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException"),
        ("logs", "create_log_group", {"logGroupName": "g"}, "AccessDeniedException"),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
            "AccessDeniedException",
        ),
        ("iam", "get_role", {"RoleName": "r"}, "AccessDenied"),
        ("redshift-data", "describe_statement", {"Id": "x"}, "AccessDeniedException"),
        ("sqs", "list_queues", {}, "AccessDenied"),
    ],
)
def test_a_refusal_comes_in_the_services_own_form(
    laptop: Laptop, service: str, method: str, parameters: dict[str, Any], expected: str
) -> None:
    client = laptop.as_role(service)
    assert code(getattr(client, method), **parameters) == expected


def test_an_unmapped_operation_is_refused_to_roles_by_name_and_allowed_to_the_deployer(
    laptop: Laptop,
) -> None:
    sqs = laptop.as_role("sqs", allow("*"))
    url = laptop.client("sqs").create_queue(QueueName=unique("q"))["QueueUrl"]
    assert "sqs:DeleteQueue is unmapped" in message(sqs.delete_queue, QueueUrl=url)
    assert code(laptop.client("sqs").delete_queue, QueueUrl=url) == ""
