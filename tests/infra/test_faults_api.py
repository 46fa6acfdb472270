"""Requests of deployed roles fail when a test says so: before they are executed, or after."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from infra.stack_kit import Stage, running_stage, stage, unique  # noqa: F401
from localaws.endpoint import Credentials
from localaws.errors import ApiError, LocalAwsError, NotSupported
from localaws.faults import RoleCall, When, internal_error, throttled


def acting(stage: Stage, *actions: str) -> tuple[str, Credentials]:  # noqa: F811
    """A new role's name, and its credentials."""
    arn = stage.role("lambda", *actions)
    return arn.rpartition("/")[2], stage.aws.authorizer.assume(arn, "lambda.amazonaws.com", "tests")


@cache
def session() -> boto3.session.Session:
    """One for all: each reads the services' models anew, which takes longer than most tests."""
    return boto3.session.Session()


def once_only(stage: Stage, service: str, keys: Credentials) -> Any:  # noqa: F811
    """A client that doesn't repeat what failed."""
    return session().client(
        service,
        endpoint_url=stage.aws.endpoint.url,
        region_name=stage.aws.endpoint.region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def table(stage: Stage) -> str:  # noqa: F811
    name = unique("table")
    stage.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def answer(act: Any, **parameters: Any) -> tuple[str, int]:
    """(error code, HTTP status) of a request."""
    try:
        found = act(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"]), int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return "", int(found["ResponseMetadata"]["HTTPStatusCode"])


def test_a_throttled_request_is_answered_as_its_service_would_and_not_executed(stage: Stage) -> None:  # noqa: F811
    name, bucket, (url, _) = table(stage), stage.bucket(), stage.queue()
    _, keys = acting(stage, "dynamodb:*", "s3:*", "sqs:*", "glue:*", "redshift-data:*", "cloudwatch:*")
    s3, sqs, dynamodb = (once_only(stage, service, keys) for service in ("s3", "sqs", "dynamodb"))
    glue, data, metrics = (
        once_only(stage, service, keys) for service in ("glue", "redshift-data", "cloudwatch")
    )
    stage.aws.faults.api(lambda call, when: throttled(call) if when == "before" else None)
    item = {"pk": {"S": "x"}}
    told = {
        "put": answer(s3.put_object, Bucket=bucket, Key="x", Body=b"x" * 100_000),
        "head": answer(s3.head_object, Bucket=bucket, Key="x"),
        "item": answer(dynamodb.put_item, TableName=name, Item=item),
        "send": answer(sqs.send_message, QueueUrl=url, MessageBody="x"),
        "job": answer(glue.start_job_run, JobName="none"),
        "statement": answer(data.describe_statement, Id="00000000-0000-0000-0000-000000000000"),
        "metric": answer(
            metrics.put_metric_data, Namespace="x", MetricData=[{"MetricName": "m", "Value": 1}]
        ),
    }
    assert told == {
        "put": ("SlowDown", 503),
        "head": ("503", 503),
        "item": ("ThrottlingException", 400),
        "send": ("RequestThrottled", 400),
        "job": ("ThrottlingException", 400),
        "statement": ("ThrottlingException", 400),
        "metric": ("Throttling", 400),
    }
    assert "Contents" not in stage.client("s3").list_objects_v2(Bucket=bucket)
    assert stage.client("dynamodb").scan(TableName=name)["Count"] == 0
    assert stage.bodies(url) == []


def test_a_request_whose_answer_is_lost_has_been_executed(stage: Stage) -> None:  # noqa: F811
    name, bucket, (url, _) = table(stage), stage.bucket(), stage.queue()
    _, keys = acting(stage, "dynamodb:*", "s3:*", "sqs:*")
    s3, sqs, dynamodb = (once_only(stage, service, keys) for service in ("s3", "sqs", "dynamodb"))
    stage.aws.faults.api(lambda call, when: internal_error(call) if when == "after" else None)
    item = {"pk": {"S": "x"}}
    assert answer(s3.put_object, Bucket=bucket, Key="x", Body=b"body") == ("InternalError", 500)
    assert answer(s3.get_object, Bucket=bucket, Key="x") == ("InternalError", 500)
    assert answer(dynamodb.put_item, TableName=name, Item=item) == ("InternalServerError", 500)
    assert answer(sqs.send_message, QueueUrl=url, MessageBody="sent") == ("InternalFailure", 500)
    assert stage.client("s3").get_object(Bucket=bucket, Key="x")["Body"].read() == b"body"
    assert stage.client("dynamodb").scan(TableName=name)["Items"] == [item]
    assert stage.bodies(url) == ["sent"]


def test_what_a_player_answers_is_lost_too(stage: Stage) -> None:  # noqa: F811
    _, keys = acting(stage, "redshift-data:*", "sts:*")
    asked: list[When] = []

    def decide(call: RoleCall, when: When) -> ApiError | None:
        asked.append(when)
        return internal_error(call) if when == "after" else None

    stage.aws.faults.api(decide)
    assert answer(once_only(stage, "redshift-data", keys).list_statements) == ("InternalServerException", 500)
    assert answer(once_only(stage, "sts", keys).get_caller_identity) == ("InternalFailure", 500)
    assert asked == ["before", "after"] * 2


def test_an_sdk_that_repeats_a_lost_conditional_write_finds_it_done(stage: Stage) -> None:  # noqa: F811
    name = table(stage)
    _, keys = acting(stage, "dynamodb:*")
    lost = iter([True])
    stage.aws.faults.api(
        lambda call, when: internal_error(call) if when == "after" and next(lost, False) else None
    )
    repeating = stage.aws.endpoint.client("dynamodb", keys)
    new = {"TableName": name, "Item": {"pk": {"S": "x"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    assert answer(repeating.put_item, **new) == ("ConditionalCheckFailedException", 400)


@pytest.mark.parametrize(
    ("service", "method", "parameters", "operation"),
    [
        ("s3", "put_object", {"Bucket": "b", "Key": "a/ü", "Body": b"x"}, "PutObject"),
        ("s3", "get_object", {"Bucket": "b", "Key": "a", "VersionId": "v"}, "GetObject"),
        ("s3", "head_object", {"Bucket": "b", "Key": "a"}, "HeadObject"),
        ("s3", "copy_object", {"Bucket": "b", "Key": "a", "CopySource": "b/c"}, "CopyObject"),
        ("s3", "delete_object", {"Bucket": "b", "Key": "a"}, "DeleteObject"),
        ("s3", "delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "a"}]}}, "DeleteObjects"),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "x"}, "ListObjectsV2"),
        ("s3", "list_objects", {"Bucket": "b"}, "ListObjects"),
        ("s3", "list_object_versions", {"Bucket": "b"}, "ListObjectVersions"),
        ("s3", "list_buckets", {}, "ListBuckets"),
        ("s3", "create_multipart_upload", {"Bucket": "b", "Key": "a"}, "CreateMultipartUpload"),
        (
            "s3",
            "upload_part",
            {"Bucket": "b", "Key": "a", "UploadId": "u", "PartNumber": 1, "Body": b""},
            "UploadPart",
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"t": {"Keys": [{"pk": {"S": "x"}}]}}},
            "BatchGetItem",
        ),
        ("sqs", "send_message_batch", {"QueueUrl": "http://x/1/q", "Entries": []}, "SendMessageBatch"),
        ("glue", "start_job_run", {"JobName": "j"}, "StartJobRun"),
        ("lambda", "invoke", {"FunctionName": "f"}, "Invoke"),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}, "GetSecretValue"),
        ("sts", "get_caller_identity", {}, "GetCallerIdentity"),
    ],
)
def test_calls_are_told_by_the_names_that_sdks_have_for_them(
    stage: Stage,  # noqa: F811
    service: str,
    method: str,
    parameters: dict[str, Any],
    operation: str,
) -> None:
    role, keys = acting(stage, "none:*")
    seen: list[RoleCall] = []

    def decide(call: RoleCall, when: When) -> ApiError:
        seen.append(call)
        return throttled(call)

    stage.aws.faults.api(decide)
    assert answer(getattr(once_only(stage, service, keys), method), **parameters)[0] != ""
    assert [(call.service, call.operation, call.role) for call in seen] == [(service, operation, role)]


def test_the_path_tells_bucket_and_key(stage: Stage) -> None:  # noqa: F811
    _, keys = acting(stage, "s3:*")
    paths: list[str] = []
    stage.aws.faults.api(lambda call, when: paths.append(call.path))
    answer(once_only(stage, "s3", keys).get_object, Bucket="b", Key="a/ü b")
    assert set(paths) == {"/b/a/ü b"}


def test_the_deployer_is_never_interfered_with(stage: Stage) -> None:  # noqa: F811
    stage.aws.faults.api(lambda call, when: throttled(call))
    bucket = stage.bucket()
    assert answer(stage.client("s3").put_object, Bucket=bucket, Key="x", Body=b"") == ("", 200)


def test_a_refused_request_is_not_executed_and_so_has_no_answer_to_lose(stage: Stage) -> None:  # noqa: F811
    _, keys = acting(stage, "none:*")
    asked: list[When] = []

    def decide(call: RoleCall, when: When) -> ApiError | None:
        asked.append(when)
        return internal_error(call) if when == "after" else None

    stage.aws.faults.api(decide)
    assert answer(once_only(stage, "s3", keys).list_buckets) == ("AccessDenied", 403)
    assert asked == ["before"]


def test_a_decision_that_fails_lets_the_request_through_and_is_told(stage: Stage) -> None:  # noqa: F811
    _, keys = acting(stage, "s3:*")

    def broken(call: RoleCall, when: When) -> ApiError | None:
        raise ValueError(f"oops {when}")

    stage.aws.faults.api(broken)
    assert answer(once_only(stage, "s3", keys).list_buckets) == ("", 200)
    with pytest.raises(LocalAwsError, match=r"failed 2 times.*oops before"):
        stage.aws.faults.api(None)
    stage.aws.faults.api(None)
    assert answer(once_only(stage, "s3", keys).list_buckets) == ("", 200)


def test_a_function_whose_call_fails_is_retried(stage: Stage) -> None:  # noqa: F811
    told = stage.bucket(events=False)
    name = stage.function(
        f"""
        import boto3
        from botocore.config import Config
        def handler(event, context):
            s3 = boto3.client("s3", config=Config(retries={{"total_max_attempts": 1}}))
            s3.put_object(Bucket="{told}", Key="x", Body=b"done")
        """,
        "s3:PutObject",
    )
    failing, lock = iter([True, True]), threading.Lock()

    def decide(call: RoleCall, when: When) -> ApiError | None:
        with lock:
            return throttled(call) if call.operation == "PutObject" and next(failing, False) else None

    stage.aws.faults.api(decide)
    stage.aws.functions.invoke_async(name, {})
    assert stage.aws.wait_idle(30)
    assert stage.lines(told) == ["done"]


def test_every_throttling_code_is_one_that_sdks_repeat() -> None:
    services = (
        "s3",
        "dynamodb",
        "sqs",
        "glue",
        "redshift-data",
        "lambda",
        "monitoring",
        "logs",
        "kms",
        "sts",
    )
    codes = {throttled(RoleCall(service, "x", "role", "/")).code for service in services}
    assert codes <= set(ThrottledRetryableChecker()._throttled_error_codes)


def test_a_fault_of_a_service_that_is_not_known_is_refused() -> None:
    for fault in (throttled, internal_error):
        with pytest.raises(NotSupported, match="states"):
            fault(RoleCall("states", "StartExecution", "role", "/"))


def test_a_visibility_that_sqs_would_not_take_is_refused(stage: Stage) -> None:  # noqa: F811
    for seconds in (-1, 43_201):
        with pytest.raises(ValueError, match="0 to 43200"):
            stage.aws.faults.visibility(seconds)
