"""Real boto3 requests (never sent) ▸ the permissions they need."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.parsers import ResponseParserError

from localaws.errors import ApiError
from localaws.iam import requests
from localaws.iam.call import Call, Unmapped, read
from localaws.iam.lookups import Lookups
from localaws.iam.policy import Need
from localaws.iam.requests.s3 import bucket_and_key

GLUE = "arn:aws:glue:us-east-1:123456789012"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:arrivals"
QUEUE_URL = "http://127.0.0.1:5000/123456789012/arrivals"
WORKGROUP = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/0000-id"
LOGIN = ("redshift-serverless:GetCredentials", WORKGROUP)
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mask-key-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/admit"

LOOKUPS = Lookups(
    workgroup_arn={"etl": WORKGROUP}.__getitem__,
    secret_arn=lambda name: SECRET if name in ("mask-key", SECRET[:-7], SECRET) else name,
    key_arn=lambda key: KEY if key in ("0000", "alias/mask") else key,
    ciphertext_key=lambda blob: "0000" if blob == b"secret" else None,
    partition_key=lambda table, index: None if table != "ledger" else "state" if index else "pk",
    statement_owner={"s-1": "AROA1:other"}.get,
)


def environ_of(request: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    body = request.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value.decode("latin-1")
        if isinstance(value, bytes)
        else value
        for name, value in request.headers.items()
    }
    return {
        "HTTP_HOST": url.netloc,
        **headers,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.get("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }


@cache
def session() -> Any:
    return boto3.session.Session()


@cache
def client_of(service: str, url: str) -> tuple[Any, list[AWSPreparedRequest]]:
    """A client that keeps its requests instead of sending them."""
    client = session().client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="ASIA1",
        aws_secret_access_key="x",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "virtual"}),
    )
    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, io.BytesIO(b"{}"))

    client.meta.events.register("before-send.*", keep)
    return client, sent


def call_of(service: str, method: str, url: str = "http://127.0.0.1:5000", **parameters: Any) -> Call:
    client, sent = client_of(service, url)
    sent.clear()
    # The made-up answer fits no operation; only the request counts.
    with contextlib.suppress(ResponseParserError, KeyError, AttributeError, TypeError):
        getattr(client, method)(**parameters)
    call, problem = read(environ_of(sent[0]))
    assert problem is None
    return call


def needs_of(service: str, method: str, url: str = "http://127.0.0.1:5000", **parameters: Any) -> list[Need]:
    return requests.needs(call_of(service, method, url, **parameters), LOOKUPS, "AROA1:me")


def pairs(needs: list[Need]) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs]


OBJECT = {"Bucket": "raw", "Key": "a/ä b+c?.csv"}
OBJECT_ARN = "arn:aws:s3:::raw/a/ä b+c?.csv"
PART: dict[str, Any] = {**OBJECT, "UploadId": "u", "PartNumber": 1}
PUT = ("s3:PutObject", OBJECT_ARN)


@pytest.mark.parametrize(
    ("method", "parameters", "expected"),
    [
        ("get_object", OBJECT, [("s3:GetObject", OBJECT_ARN)]),
        ("get_object", {**OBJECT, "VersionId": "v"}, [("s3:GetObjectVersion", OBJECT_ARN)]),
        ("get_object", {**OBJECT, "PartNumber": 2}, [("s3:GetObject", OBJECT_ARN)]),
        ("get_object", {**OBJECT, "ResponseContentType": "x"}, [("s3:GetObject", OBJECT_ARN)]),
        ("head_object", OBJECT, [("s3:GetObject", OBJECT_ARN)]),
        ("head_object", {**OBJECT, "VersionId": "v"}, [("s3:GetObjectVersion", OBJECT_ARN)]),
        ("put_object", {**OBJECT, "Body": b"x"}, [PUT]),
        ("put_object", {**OBJECT, "IfNoneMatch": "*"}, [PUT]),
        ("put_object", {**OBJECT, "IfMatch": "e"}, [PUT, ("s3:GetObject", OBJECT_ARN)]),
        ("put_object", {**OBJECT, "Tagging": "a=b"}, [PUT, ("s3:PutObjectTagging", OBJECT_ARN)]),
        ("put_object", {**OBJECT, "ACL": "private"}, [PUT, ("s3:PutObjectAcl", OBJECT_ARN)]),
        ("put_object", {**OBJECT, "GrantRead": "id=x"}, [PUT, ("s3:PutObjectAcl", OBJECT_ARN)]),
        ("create_multipart_upload", OBJECT, [PUT]),
        ("upload_part", {**PART, "Body": b"x"}, [PUT]),
        ("complete_multipart_upload", {**OBJECT, "UploadId": "u"}, [PUT]),
        ("abort_multipart_upload", {**OBJECT, "UploadId": "u"}, [("s3:AbortMultipartUpload", OBJECT_ARN)]),
        ("list_parts", {**OBJECT, "UploadId": "u"}, [("s3:ListMultipartUploadParts", OBJECT_ARN)]),
        (
            "copy_object",
            {**OBJECT, "CopySource": {"Bucket": "lake", "Key": "x/ü+?.csv"}},
            [PUT, ("s3:GetObject", "arn:aws:s3:::lake/x/ü+?.csv")],
        ),
        (
            "copy_object",
            {**OBJECT, "CopySource": {"Bucket": "lake", "Key": "x", "VersionId": "v"}},
            [PUT, ("s3:GetObjectVersion", "arn:aws:s3:::lake/x")],
        ),
        ("copy_object", {**OBJECT, "CopySource": "lake/x"}, [PUT, ("s3:GetObject", "arn:aws:s3:::lake/x")]),
        (
            "upload_part_copy",
            {**PART, "CopySource": "lake/x?versionId=v"},
            [PUT, ("s3:GetObjectVersion", "arn:aws:s3:::lake/x")],
        ),
        ("delete_object", OBJECT, [("s3:DeleteObject", OBJECT_ARN)]),
        ("delete_object", {**OBJECT, "VersionId": "v"}, [("s3:DeleteObjectVersion", OBJECT_ARN)]),
        ("get_object_tagging", OBJECT, [("s3:GetObjectTagging", OBJECT_ARN)]),
        (
            "put_object_tagging",
            {**OBJECT, "VersionId": "v", "Tagging": {"TagSet": []}},
            [("s3:PutObjectVersionTagging", OBJECT_ARN)],
        ),
        ("delete_object_tagging", OBJECT, [("s3:DeleteObjectTagging", OBJECT_ARN)]),
        ("list_objects_v2", {"Bucket": "raw"}, [("s3:ListBucket", "arn:aws:s3:::raw")]),
        ("list_objects", {"Bucket": "raw", "Marker": "m"}, [("s3:ListBucket", "arn:aws:s3:::raw")]),
        ("head_bucket", {"Bucket": "raw"}, [("s3:ListBucket", "arn:aws:s3:::raw")]),
        ("list_object_versions", {"Bucket": "raw"}, [("s3:ListBucketVersions", "arn:aws:s3:::raw")]),
        (
            "list_multipart_uploads",
            {"Bucket": "raw"},
            [("s3:ListBucketMultipartUploads", "arn:aws:s3:::raw")],
        ),
        ("get_bucket_location", {"Bucket": "raw"}, [("s3:GetBucketLocation", "arn:aws:s3:::raw")]),
        ("get_bucket_versioning", {"Bucket": "raw"}, [("s3:GetBucketVersioning", "arn:aws:s3:::raw")]),
        ("list_buckets", {}, [("s3:ListAllMyBuckets", "*")]),
    ],
)
def test_s3(method: str, parameters: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert pairs(needs_of("s3", method, **parameters)) == expected


def test_s3_conditions_carry_what_policies_ask_for() -> None:
    listing = needs_of("s3", "list_objects_v2", Bucket="raw", Prefix="a/b+c", Delimiter="/", MaxKeys=7)[
        0
    ].context
    assert (listing["s3:prefix"], listing["s3:delimiter"], listing["s3:max-keys"]) == ("a/b+c", "/", "7")
    versions = needs_of("s3", "list_object_versions", Bucket="raw", Prefix="a/b+c", KeyMarker="a/b+c/d")[0]
    assert versions.context["s3:prefix"] == "a/b+c"
    bare = needs_of("s3", "list_objects_v2", Bucket="raw")[0].context
    assert "s3:prefix" not in bare
    put = needs_of(
        "s3", "put_object", **OBJECT, IfNoneMatch="*", ServerSideEncryption="aws:kms", Tagging="Team=x"
    )
    assert put[0].context["s3:if-none-match"] == "*"
    assert put[0].context["s3:x-amz-server-side-encryption"] == "aws:kms"
    assert put[0].context["s3:requestobjecttag/team"] == "x"
    assert put[0].context["s3:objectcreationoperation"] == "true"
    part = needs_of("s3", "upload_part", **PART, Body=b"x")
    assert part[0].context["s3:objectcreationoperation"] == "false"
    copied = needs_of("s3", "copy_object", **OBJECT, CopySource="lake/x?versionId=v7")
    assert copied[1].context["s3:versionid"] == "v7"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("put_bucket_policy", {"Bucket": "raw", "Policy": "{}"}),
        ("create_bucket", {"Bucket": "raw"}),
        ("get_bucket_website", {"Bucket": "raw"}),
        ("select_object_content", {**OBJECT, "Expression": "x", "ExpressionType": "SQL",
                                   "InputSerialization": {}, "OutputSerialization": {}}),
        ("copy_object", {**OBJECT, "CopySource": "arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/x"}),
    ],
)  # fmt: skip
def test_s3_operations_that_no_pipeline_uses_are_unmapped(method: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(Unmapped, match="s3"):
        needs_of("s3", method, **parameters)


def test_s3_virtual_host_style_names_the_bucket_in_the_host() -> None:
    for url in ("https://s3.us-east-1.amazonaws.com", "http://localhost:5000"):
        call = call_of("s3", "get_object", url, **OBJECT)
        assert call.environ["HTTP_HOST"].startswith("raw.")
        assert pairs(requests.needs(call, LOOKUPS, "")) == [("s3:GetObject", OBJECT_ARN)]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:5000", "localhost", "localhost:80", "moto:5000", "[::1]:5000", "s3.amazonaws.com"),
        *("s3.eu-west-1.amazonaws.com", "s3-eu-west-1.amazonaws.com", "raw.s3.amazonaws.com"),
        *("raw.s3.eu-west-1.amazonaws.com", "my.raw.s3.us-east-1.amazonaws.com", "raw.localhost:5000"),
        *("raw.aws.local", "raw.s3-eu-west-1.amazonaws.com"),
    ],
)
def test_s3_bucket_and_key_are_the_ones_moto_will_serve(host: str) -> None:
    from moto.s3.responses import S3Response
    from moto.s3.utils import bucket_name_from_url

    class Request:
        headers: Mapping[str, str] = {"host": host}

    by_host = S3Response.subdomain_based_buckets(Request)
    moto_bucket = bucket_name_from_url(f"http://{host}/one/two") if by_host else "one"
    call = call_of("s3", "get_object", Bucket="one", Key="two")
    call.environ["HTTP_HOST"] = host  # type: ignore[index]
    assert bucket_and_key(call) == (moto_bucket, "one/two" if by_host else "two")


def test_a_key_keeps_its_slashes_and_a_doubled_first_slash_is_no_bucket() -> None:
    assert needs_of("s3", "get_object", Bucket="raw", Key="/a//b")[0].resource == "arn:aws:s3:::raw//a//b"
    call = call_of("s3", "list_buckets")
    odd = Call(call.signature, "GET", "//raw/key", {}, call.environ)
    with pytest.raises(Unmapped):
        requests.needs(odd, LOOKUPS, "")


SEND = {"QueueUrl": QUEUE_URL, "MessageBody": "x"}
ITEM = {"TableName": "ledger", "Item": {"pk": {"S": "f1"}}}
KEYED: dict[str, Any] = {"TableName": "ledger", "Key": {"pk": {"S": "f1"}}}
UPDATE = {**KEYED, "UpdateExpression": "SET a = :a"}
SQL = {"WorkgroupName": "etl", "Database": "dev"}
PARTITION = {"DatabaseName": "lake", "TableName": "logs"}
LOG_EVENTS = [{"timestamp": 1, "message": "m"}]
CATALOG = f"{GLUE}:catalog"
LAKE = f"{GLUE}:database/lake"
LOGS_TABLE = f"{GLUE}:table/lake/logs"


@pytest.mark.parametrize(
    ("service", "method", "parameters", "expected"),
    [
        ("sqs", "send_message", SEND, [("sqs:SendMessage", QUEUE)]),
        (
            "sqs",
            "send_message_batch",
            {"QueueUrl": QUEUE_URL, "Entries": [{"Id": "1", "MessageBody": "x"}]},
            [("sqs:SendMessage", QUEUE)],
        ),
        (
            "sqs",
            "delete_message_batch",
            {"QueueUrl": QUEUE_URL, "Entries": [{"Id": "1", "ReceiptHandle": "x"}]},
            [("sqs:DeleteMessage", QUEUE)],
        ),
        ("sqs", "send_message", {**SEND, "DelaySeconds": 900}, [("sqs:SendMessage", QUEUE)]),
        ("sqs", "receive_message", {"QueueUrl": QUEUE_URL}, [("sqs:ReceiveMessage", QUEUE)]),
        (
            "sqs",
            "get_queue_attributes",
            {"QueueUrl": QUEUE_URL, "AttributeNames": ["All"]},
            [("sqs:GetQueueAttributes", QUEUE)],
        ),
        ("sqs", "get_queue_url", {"QueueName": "arrivals"}, [("sqs:GetQueueUrl", QUEUE)]),
        ("dynamodb", "put_item", ITEM, [("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "put_item", {**ITEM, "TableName": TABLE}, [("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "get_item", KEYED, [("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "update_item", UPDATE, [("dynamodb:UpdateItem", TABLE)]),
        ("dynamodb", "delete_item", KEYED, [("dynamodb:DeleteItem", TABLE)]),
        ("dynamodb", "scan", {"TableName": "ledger"}, [("dynamodb:Scan", TABLE)]),
        (
            "dynamodb",
            "scan",
            {"TableName": "ledger", "IndexName": "by-state"},
            [("dynamodb:Scan", f"{TABLE}/index/by-state")],
        ),
        (
            "dynamodb",
            "batch_write_item",
            {"RequestItems": {"ledger": [{"DeleteRequest": {"Key": KEYED["Key"]}}]}},
            [("dynamodb:BatchWriteItem", TABLE)],
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"ledger": {"Keys": [KEYED["Key"]]}}},
            [("dynamodb:BatchGetItem", TABLE)],
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {name: {"Keys": [KEYED["Key"]]} for name in ("ledger", "other")}},
            [("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", TABLE.replace("ledger", "other"))],
        ),
        (
            "dynamodb",
            "query",
            {"TableName": "ledger", "KeyConditionExpression": "pk = :k", "Select": "COUNT"},
            [("dynamodb:Query", TABLE)],
        ),
        (
            "dynamodb",
            "transact_write_items",
            {
                "TransactItems": [
                    {"Put": ITEM},
                    {"Update": UPDATE},
                    {"Delete": KEYED},
                    {"ConditionCheck": {**KEYED, "ConditionExpression": "attribute_exists(pk)"}},
                ]
            },
            [
                ("dynamodb:PutItem", TABLE),
                ("dynamodb:UpdateItem", TABLE),
                ("dynamodb:DeleteItem", TABLE),
                ("dynamodb:ConditionCheckItem", TABLE),
            ],
        ),
        ("dynamodb", "transact_get_items", {"TransactItems": [{"Get": KEYED}]}, [("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "describe_table", {"TableName": "ledger"}, [("dynamodb:DescribeTable", TABLE)]),
        ("dynamodb", "list_tables", {}, [("dynamodb:ListTables", "*")]),
        ("glue", "start_job_run", {"JobName": "logs"}, [("glue:StartJobRun", f"{GLUE}:job/logs")]),
        ("glue", "get_job_run", {"JobName": "logs", "RunId": "r"}, [("glue:GetJobRun", f"{GLUE}:job/logs")]),
        ("glue", "get_job_runs", {"JobName": "logs"}, [("glue:GetJobRuns", f"{GLUE}:job/logs")]),
        ("glue", "get_jobs", {}, [("glue:GetJobs", f"{GLUE}:job/*")]),
        ("glue", "start_crawler", {"Name": "c"}, [("glue:StartCrawler", f"{GLUE}:crawler/c")]),
        ("glue", "get_crawler", {"Name": "c"}, [("glue:GetCrawler", f"{GLUE}:crawler/c")]),
        (
            "glue",
            "batch_get_crawlers",
            {"CrawlerNames": ["c", "d"]},
            [("glue:BatchGetCrawlers", f"{GLUE}:crawler/c"), ("glue:BatchGetCrawlers", f"{GLUE}:crawler/d")],
        ),
        (
            "glue",
            "create_session",
            {"Id": "s", "Role": "arn:aws:iam::123456789012:role/etl", "Command": {"Name": "glueetl"}},
            [
                ("glue:CreateSession", f"{GLUE}:session/s"),
                ("iam:PassRole", "arn:aws:iam::123456789012:role/etl"),
            ],
        ),
        ("glue", "run_statement", {"SessionId": "s", "Code": "1"}, [("glue:RunStatement", f"{GLUE}:session/s")]),
        ("glue", "get_database", {"Name": "lake"}, [("glue:GetDatabase", one) for one in (CATALOG, LAKE)]),
        (
            "glue",
            "get_table",
            {"DatabaseName": "lake", "Name": "logs"},
            [("glue:GetTable", one) for one in (CATALOG, LAKE, LOGS_TABLE)],
        ),
        (
            "glue",
            "get_tables",
            {"DatabaseName": "lake"},
            [("glue:GetTables", one) for one in (CATALOG, LAKE, f"{GLUE}:table/lake/*")],
        ),
        (
            "glue",
            "create_table",
            {"DatabaseName": "lake", "TableInput": {"Name": "logs"}},
            [("glue:CreateTable", one) for one in (CATALOG, LAKE, LOGS_TABLE)],
        ),
        (
            "glue",
            "batch_create_partition",
            {**PARTITION, "PartitionInputList": []},
            [("glue:BatchCreatePartition", one) for one in (CATALOG, LAKE, LOGS_TABLE)],
        ),
        ("glue", "get_partitions", PARTITION, [("glue:GetPartitions", one) for one in (CATALOG, LAKE, LOGS_TABLE)]),
        (
            "lambda",
            "invoke",
            {"FunctionName": "load"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:load")],
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:load", "Qualifier": "2"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:load:2")],
        ),
        (
            "logs",
            "create_log_group",
            {"logGroupName": "/aws/lambda/admit"},
            [("logs:CreateLogGroup", f"{GROUP}:log-stream:")],
        ),
        (
            "logs",
            "create_log_stream",
            {"logGroupName": "/aws/lambda/admit", "logStreamName": "s"},
            [("logs:CreateLogStream", f"{GROUP}:log-stream:s")],
        ),
        (
            "logs",
            "put_log_events",
            {"logGroupName": "/aws/lambda/admit", "logStreamName": "s", "logEvents": LOG_EVENTS},
            [("logs:PutLogEvents", f"{GROUP}:log-stream:s")],
        ),
        ("redshift-data", "execute_statement", {**SQL, "Sql": "select 1"},
         [("redshift-data:ExecuteStatement", WORKGROUP), LOGIN]),
        ("redshift-data", "batch_execute_statement", {**SQL, "Sqls": ["select 1"]},
         [("redshift-data:BatchExecuteStatement", WORKGROUP), LOGIN]),
        ("redshift-data", "execute_statement", {**SQL, "Sql": "select 1", "SecretArn": SECRET},
         [("redshift-data:ExecuteStatement", WORKGROUP), ("secretsmanager:GetSecretValue", SECRET)]),
        ("redshift-data", "describe_statement", {"Id": "s-1"}, [("redshift-data:DescribeStatement", "*")]),
        ("redshift-data", "list_statements", {}, [("redshift-data:ListStatements", "*")]),
        ("redshift-serverless", "get_workgroup", {"workgroupName": "etl"},
         [("redshift-serverless:GetWorkgroup", WORKGROUP)]),
        ("secretsmanager", "get_secret_value", {"SecretId": "mask-key"}, [("secretsmanager:GetSecretValue", SECRET)]),
        ("secretsmanager", "get_secret_value", {"SecretId": SECRET[:-7]},
         [("secretsmanager:GetSecretValue", SECRET)]),
        ("kms", "decrypt", {"CiphertextBlob": b"secret"}, [("kms:Decrypt", KEY)]),
        ("kms", "generate_data_key", {"KeyId": "alias/mask"}, [("kms:GenerateDataKey", KEY)]),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "m"}, [("sns:Publish", TOPIC)]),
    ],
)  # fmt: skip
def test_other_services(
    service: str, method: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert pairs(needs_of(service, method, **parameters)) == expected


def test_dynamodb_leading_keys_are_the_partitions_touched() -> None:
    def leading(method: str, **parameters: Any) -> Any:
        return needs_of("dynamodb", method, **parameters)[0].context.get("dynamodb:leadingkeys")

    assert leading("put_item", **ITEM) == ("f1",)
    assert leading("get_item", **KEYED) == ("f1",)
    assert leading("scan", TableName="ledger") is None
    assert leading("put_item", TableName="unknown", Item=ITEM["Item"]) is None
    writes = [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in ("a", "b", "a")]
    assert leading("batch_write_item", RequestItems={"ledger": writes}) == ("a", "b")
    query = {"TableName": "ledger", "ExpressionAttributeValues": {":s": {"S": "x"}, ":k": {"N": "7"}}}
    assert leading("query", **query, KeyConditionExpression="sort > :s AND pk = :k") == ("7",)
    aliased = {"KeyConditionExpression": "#p=:k", "ExpressionAttributeNames": {"#p": "pk"}}
    assert leading("query", **query, **aliased) == ("7",)
    assert leading("query", **query, KeyConditionExpression="state = :s", IndexName="by-state") == ("x",)
    old = {"pk": {"AttributeValueList": [{"S": "y"}], "ComparisonOperator": "EQ"}}
    assert leading("query", TableName="ledger", KeyConditions=old) == ("y",)


def test_a_transaction_says_so_in_the_context() -> None:
    need = needs_of("dynamodb", "transact_get_items", TransactItems=[{"Get": KEYED}])[0]
    assert need.context["dynamodb:enclosingoperation"] == "TransactGetItems"
    assert "dynamodb:enclosingoperation" not in needs_of("dynamodb", "get_item", **KEYED)[0].context


def test_metrics_carry_their_namespace_also_when_the_request_is_compressed() -> None:
    many = [{"MetricName": "m" * 100, "Value": 1.0}] * 200
    call = call_of("cloudwatch", "put_metric_data", Namespace="Gluebook", MetricData=many)
    assert call.header("content-encoding") == "gzip"
    assert requests.needs(call, LOOKUPS, "") == [
        Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Gluebook"})
    ]


def test_metrics_in_the_json_protocol_carry_their_namespace_too() -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/monitoring/aws4_request, x",
        "HTTP_X_AMZ_TARGET": "GraniteServiceVersion20100801.PutMetricData",
        "wsgi.input": io.BytesIO(json.dumps({"Namespace": "N"}).encode()),
        "CONTENT_LENGTH": "18",
    }
    call, _ = read(environ)
    assert requests.needs(call, LOOKUPS, "")[0].context == {"cloudwatch:namespace": "N"}


def test_events_are_needed_one_by_one_with_source_and_detail_type() -> None:
    entries = [
        {"Source": "gluebook", "DetailType": kind, "Detail": "{}", **bus}
        for kind, bus in (("Loaded", {}), ("Failed", {"EventBusName": "own"}))
    ]
    needs = needs_of("events", "put_events", Entries=entries)
    arn = "arn:aws:events:us-east-1:123456789012:event-bus"
    assert pairs(needs) == [("events:PutEvents", f"{arn}/default"), ("events:PutEvents", f"{arn}/own")]
    assert [need.context["events:detail-type"] for need in needs] == ["Loaded", "Failed"]


def test_a_statement_is_its_submitters() -> None:
    key = "redshift-data:statement-owner-iam-userid"
    assert needs_of("redshift-data", "describe_statement", Id="s-1")[0].context[key] == "AROA1:other"
    # Of one that has expired nobody knows whose it was, so that no condition on its owner holds.
    assert key not in needs_of("redshift-data", "describe_statement", Id="s-2")[0].context
    assert needs_of("redshift-data", "list_statements")[0].context[key] == "AROA1:me"


def test_kms_needs_carry_the_encryption_context() -> None:
    needs = needs_of("kms", "generate_data_key", KeyId="alias/mask", EncryptionContext={"Dataset": "logs"})
    assert needs[0].context["kms:encryptioncontext:dataset"] == "logs"
    assert needs[0].context["kms:requestalias"] == "alias/mask"
    with pytest.raises(ApiError, match="InvalidCiphertextException"):
        needs_of("kms", "decrypt", CiphertextBlob=b"other")


@pytest.mark.parametrize(
    ("service", "method", "parameters", "names"),
    [
        ("glue", "create_workflow", {"Name": "w"}, "glue:CreateWorkflow"),
        ("dynamodb", "execute_statement", {"Statement": "x"}, "dynamodb:ExecuteStatement"),
        ("dynamodb", "create_backup", {"TableName": "ledger", "BackupName": "bbb"}, "dynamodb:CreateBackup"),
        ("sqs", "delete_queue", {"QueueUrl": QUEUE_URL}, "sqs:DeleteQueue"),
        ("lambda", "delete_function", {"FunctionName": "load"}, "DELETE /2015-03-31/functions/load"),
        ("iam", "get_role", {"RoleName": "x"}, "iam:GetRole"),
        ("events", "put_rule", {"Name": "x", "ScheduleExpression": "rate(1 day)"}, "events:PutRule"),
        ("sns", "publish", {"PhoneNumber": "+1", "Message": "m"}, "phone number"),
        ("redshift-data", "execute_statement", {"ClusterIdentifier": "c", "Sql": "x"}, "WorkgroupName"),
        ("kms", "schedule_key_deletion", {"KeyId": "0000"}, "kms:ScheduleKeyDeletion"),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": "a"},
            "states:AWSStepFunctions.StartExecution",
        ),
    ],
)
def test_what_is_not_mapped_is_refused_by_name(
    service: str, method: str, parameters: dict[str, Any], names: str
) -> None:
    with pytest.raises(Unmapped, match=names.replace("(", r"\(").replace("+", r"\+")):
        needs_of(service, method, **parameters)


def test_another_version_of_a_service_is_unmapped() -> None:
    call = call_of("dynamodb", "get_item", **KEYED)
    call.environ["HTTP_X_AMZ_TARGET"] = "DynamoDB_20111205.GetItem"  # type: ignore[index]
    with pytest.raises(Unmapped, match="DynamoDB_20111205"):
        requests.needs(call, LOOKUPS, "")


def test_an_action_in_the_url_cannot_smuggle_another_operation() -> None:
    call = call_of("sqs", "get_queue_url", QueueName="arrivals")
    smuggled = Call(call.signature, "POST", "/", {"Action": "DeleteQueue"}, call.environ, call.body)
    with pytest.raises(Unmapped):
        requests.needs(smuggled, LOOKUPS, "")


def test_a_body_without_its_resource_is_a_validation_error() -> None:
    call = call_of("sqs", "send_message", **SEND)
    for body in (b"{}", b'{"QueueUrl": 7}'):
        broken = Call(call.signature, "POST", "/", {}, call.environ, body)
        with pytest.raises(ApiError, match="ValidationException"):
            requests.needs(broken, LOOKUPS, "")
    for body in (b"{", b"[]"):
        broken = Call(call.signature, "POST", "/", {}, call.environ, body)
        with pytest.raises(ApiError, match="SerializationException"):
            requests.needs(broken, LOOKUPS, "")


def test_an_upload_stays_unread_and_a_json_body_is_put_back() -> None:
    class Unreadable(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("an upload must not be read")

    environ = dict(call_of("s3", "put_object", **OBJECT, Body=b"x").environ)
    environ["wsgi.input"] = Unreadable()
    call, _ = read(environ)
    assert call.body == b""

    environ = dict(call_of("sqs", "send_message", **SEND).environ)
    assert json.loads(environ["wsgi.input"].read())["MessageBody"] == "x"
