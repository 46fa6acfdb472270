"""One deployment of every type with every property by the real AWS CLI; then the services are asked."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloudformation_server import EVERYTHING, client, project, serving, undeploy
from localaws.cloudformation import namespaces, workgroups
from localaws.cloudformation.deploy import deploy
from localaws.cloudformation.resources import all_types
from localaws.cloudformation.template import read
from localaws.endpoint import ACCOUNT, Endpoint
from localaws.errors import NotSupported
from localaws.server import Server, moto

P = "every"  # the prefix of all names
STAGE = [{"Key": "stage", "Value": "dev"}]


@dataclass(frozen=True)
class Deployed:
    endpoint: Endpoint
    outputs: dict[str, str]

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{rest}"

    def client(self, service: str) -> Any:
        return client(self.endpoint, service)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with serving() as endpoint:
        template = project(tmp_path_factory.mktemp("everything"))
        outputs = deploy(endpoint, template, P, {"Prefix": P}, "every-artefacts")
        yield Deployed(endpoint, outputs)
        undeploy(endpoint, P)


def test_a_bucket_has_versions_notifications_lifecycle_encryption_and_tags(stack: Deployed) -> None:
    s3, raw = stack.client("s3"), f"{P}-raw-{ACCOUNT}"
    assert s3.get_bucket_versioning(Bucket=raw)["Status"] == "Enabled"
    assert s3.get_bucket_notification_configuration(Bucket=raw)["EventBridgeConfiguration"] == {}
    block = s3.get_public_access_block(Bucket=raw)["PublicAccessBlockConfiguration"]
    assert list(block.values()) == [True] * 4
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=raw)["Rules"]
    assert rule == {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "inbox/"},
        "Expiration": {"Days": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        "Transitions": [{"Days": 3, "StorageClass": "GLACIER"}],
    }
    (encryption,) = s3.get_bucket_encryption(Bucket=raw)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert encryption["BucketKeyEnabled"] is True
    (owner,) = s3.get_bucket_ownership_controls(Bucket=raw)["OwnershipControls"]["Rules"]
    assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert s3.get_bucket_tagging(Bucket=raw)["TagSet"] == STAGE


def test_a_bucket_without_notifications_says_so_and_without_a_name_gets_one(stack: Deployed) -> None:
    s3 = stack.client("s3")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=f"{P}-lake")
    assert stack.outputs["UnnamedBucket"].startswith(f"{P}-unnamed-")
    s3.head_bucket(Bucket=stack.outputs["UnnamedBucket"])


def test_a_bucket_policy_is_there_and_its_condition_is_not_ignored(stack: Deployed) -> None:
    s3 = stack.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=f"{P}-lake")["Policy"])
    assert policy["Version"] == "2012-10-17"
    assert policy["Statement"][0]["Resource"] == [f"arn:aws:s3:::{P}-lake", f"arn:aws:s3:::{P}-lake/*"]
    s3.put_object(Bucket=f"{P}-lake", Key="a", Body=b"moto alone would deny this")
    assert s3.get_object(Bucket=f"{P}-lake", Key="a")["ContentLength"] == 26


def test_a_queue_has_its_attributes_policy_and_tags(stack: Deployed) -> None:
    sqs, url = stack.client("sqs"), stack.outputs["ArrivalsUrl"]
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (has["VisibilityTimeout"], has["DelaySeconds"]) == ("120", "5")
    assert (has["SqsManagedSseEnabled"], has["ReceiveMessageWaitTimeSeconds"]) == ("true", "20")
    redrive = {"deadLetterTargetArn": stack.arn("sqs", f"{P}-dead"), "maxReceiveCount": 5}
    assert json.loads(has["RedrivePolicy"]) == redrive
    (statement,) = json.loads(has["Policy"])["Statement"]
    source = {"aws:SourceArn": stack.arn("events", f"rule/{P}-arrived")}
    assert statement["Condition"] == {"ArnEquals": source}
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"stage": "dev"}
    dead = sqs.get_queue_url(QueueName=f"{P}-dead")["QueueUrl"]
    dead_has = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert dead_has["MessageRetentionPeriod"] == "1209600"
    assert json.loads(dead_has["Policy"])["Statement"] == [statement]


def test_a_queue_keeps_its_policy_when_another_attribute_is_set(stack: Deployed) -> None:
    sqs, url = stack.client("sqs"), stack.outputs["ArrivalsUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "65536"})
    assert "Policy" in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]


def test_a_rule_has_its_pattern_and_everything_about_its_targets(stack: Deployed) -> None:
    events = stack.client("events")
    rule = events.describe_rule(Name=f"{P}-arrived")
    assert (rule["State"], rule["Description"]) == ("ENABLED", "files")
    assert json.loads(rule["EventPattern"])["detail"]["object"] == {
        "key": [{"prefix": "raw/"}],
        "size": [{"numeric": [">", 0]}],
    }
    to_queue, to_function = events.list_targets_by_rule(Rule=f"{P}-arrived")["Targets"]
    assert to_queue["RetryPolicy"] == {"MaximumRetryAttempts": 8, "MaximumEventAgeInSeconds": 3600}
    assert to_queue["DeadLetterConfig"] == {"Arn": stack.arn("sqs", f"{P}-dead")}
    assert to_function["Arn"] == stack.arn("lambda", f"function:{P}-function")
    assert to_function["InputTransformer"]["InputPathsMap"] == {"key": "$.detail.object.key"}
    assert events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"] == STAGE


def test_a_scheduled_rule_has_its_schedule_state_and_input(stack: Deployed) -> None:
    events = stack.client("events")
    rule = events.describe_rule(Name=f"{P}-sweep")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(5 minutes)", "DISABLED")
    (target,) = events.list_targets_by_rule(Rule=f"{P}-sweep")["Targets"]
    assert target["Input"] == '{"sweep": true}'


def test_a_role_has_its_policies_as_json(stack: Deployed) -> None:
    iam = stack.client("iam")
    role = iam.get_role(RoleName=f"{P}-function")["Role"]
    assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "runs the function")
    assert role["Tags"] == STAGE
    inline = iam.get_role_policy(RoleName=f"{P}-function", PolicyName="reads")["PolicyDocument"]
    assert inline["Statement"][0]["Resource"] == f"arn:aws:s3:::{P}-raw-{ACCOUNT}/*"
    (attached,) = iam.list_attached_role_policies(RoleName=f"{P}-function")["AttachedPolicies"]
    assert attached == {"PolicyName": f"{P}-shared", "PolicyArn": stack.outputs["SharedArn"]}
    document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]
    assert document["Document"]["Statement"][0]["Action"] == "logs:PutLogEvents"


def test_a_managed_policy_is_attached_to_the_roles_it_names(stack: Deployed) -> None:
    iam, name = stack.client("iam"), stack.outputs["JobRoleName"]
    (attached,) = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert attached["PolicyArn"] == stack.outputs["JobPolicyArn"]


def test_a_function_has_its_code_layers_and_settings(stack: Deployed) -> None:
    functions = stack.client("lambda")
    function = functions.get_function(FunctionName=f"{P}-function")
    has = function["Configuration"]
    assert (has["Runtime"], has["Handler"], has["Timeout"]) == ("python3.11", "handler.handler", 120)
    assert (has["MemorySize"], has["EphemeralStorage"]) == (512, {"Size": 1024})
    assert has["Environment"]["Variables"] == {"SECONDS": "120", "LEDGER": f"{P}-ledger", "MODE": "small"}
    assert [layer["Arn"] for layer in has["Layers"]] == [stack.outputs["LayerArn"]]
    assert has["DeadLetterConfig"] == {"TargetArn": stack.arn("sqs", f"{P}-dead")}
    assert (has["LoggingConfig"], has["TracingConfig"]) == ({"LogFormat": "JSON"}, {"Mode": "Active"})
    assert (has["Description"], has["Architectures"]) == ("does it", ["x86_64"])
    assert has["CodeSize"] > 0
    assert function["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert function["Tags"] == {"stage": "dev"}


def test_code_in_the_template_becomes_index_py(stack: Deployed) -> None:
    from moto.awslambda.models import lambda_backends  # AWS gives the zip by a URL; moto's leads nowhere

    function = lambda_backends[ACCOUNT]["us-east-1"].get_function(stack.outputs["InlineFunction"])
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        assert archive.read("index.py") == b"def handler(event, context): return event"


def test_a_layer_has_its_content_and_runtimes(stack: Deployed) -> None:
    name, version_number = stack.outputs["LayerArn"].rsplit(":", 2)[1:]
    version = stack.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(version_number))
    assert version["CompatibleRuntimes"] == ["python3.11", "python3.12"]
    assert (version["CompatibleArchitectures"], version["LicenseInfo"]) == (["x86_64"], "Apache-2.0")
    assert version["Description"] == "our wheel"
    assert version["Content"]["CodeSize"] > 0


def test_an_event_source_mapping_keeps_every_setting(stack: Deployed) -> None:
    (mapping,) = stack.client("lambda").list_event_source_mappings(FunctionName=f"{P}-function")[
        "EventSourceMappings"
    ]
    assert mapping["UUID"] == stack.outputs["Mapping"]
    assert mapping["EventSourceMappingArn"] == stack.outputs["MappingArn"]
    assert mapping["EventSourceArn"] == stack.arn("sqs", f"{P}-arrivals")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (1000, 120)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["ScalingConfig"], mapping["State"]) == ({"MaximumConcurrency": 2}, "Enabled")
    assert mapping["FilterCriteria"] == {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]}


def test_a_permission_is_a_statement_of_the_functions_policy(stack: Deployed) -> None:
    policy = json.loads(stack.client("lambda").get_policy(FunctionName=f"{P}-function")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": stack.arn("events", f"rule/{P}-arrived")},
        "StringEquals": {"AWS:SourceAccount": ACCOUNT},
    }


def test_an_invoke_configuration_is_kept(stack: Deployed) -> None:
    has = stack.client("lambda").get_function_event_invoke_config(FunctionName=f"{P}-function")
    assert (has["MaximumRetryAttempts"], has["MaximumEventAgeInSeconds"]) == (1, 3600)
    assert has["DestinationConfig"] == {"OnFailure": {"Destination": stack.arn("sqs", f"{P}-dead")}}


def test_a_table_has_its_index_expiry_recovery_encryption_and_stream(stack: Deployed) -> None:
    dynamodb, name = stack.client("dynamodb"), f"{P}-ledger"
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-state"
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["batch"]}
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["LatestStreamArn"] == stack.outputs["StreamArn"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == STAGE


def test_a_glue_job_has_all_its_properties(stack: Deployed) -> None:
    glue = stack.client("glue")
    job = glue.get_job(JobName=f"{P}-job")["Job"]
    assert (job["Command"]["Name"], job["Command"]["PythonVersion"]) == ("glueetl", "3")
    bucket, _, key = job["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")
    assert stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"print('clean')\n"
    assert job["DefaultArguments"] == {
        "--lake": f"{P}-lake",
        "--seconds": "120",
        "--raw": f"{P}-raw-{ACCOUNT}.s3.us-east-1.amazonaws.com",
    }
    assert job["NonOverridableArguments"] == {"--fixed": "1"}
    assert (job["GlueVersion"], job["WorkerType"], job["NumberOfWorkers"]) == ("5.1", "G.1X", 2)
    assert (job["MaxRetries"], job["Timeout"], job["ExecutionClass"]) == (0, 60, "STANDARD")
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert (job["JobRunQueuingEnabled"], job["JobMode"]) == (False, "SCRIPT")
    assert (job["MaintenanceWindow"], job["Description"]) == ("Sun:10", "cleans")
    assert (job["NotificationProperty"], job["Connections"]) == (
        {"NotifyDelayAfter": 10},
        {"Connections": ["none"]},
    )
    assert job["Role"].endswith(f":role/{stack.outputs['JobRoleName']}")
    assert glue.get_tags(ResourceArn=stack.arn("glue", f"job/{P}-job"))["Tags"] == {"stage": "dev"}


def test_a_crawler_and_its_database_have_all_their_properties(stack: Deployed) -> None:
    glue = stack.client("glue")
    crawler = glue.get_crawler(Name=f"{P}-crawler")["Crawler"]
    assert crawler["DatabaseName"] == f"{P}_lake"
    assert crawler["Targets"]["S3Targets"] == [
        {"Path": f"s3://{P}-lake/curated/", "Exclusions": ["**.json"], "SampleSize": 1}
    ]
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    assert (crawler["Configuration"], crawler["TablePrefix"]) == ('{"Version": 1.0}', "cur_")
    assert crawler["Schedule"]["ScheduleExpression"] == "cron(0 1 * * ? *)"
    assert crawler["Description"] == "finds partitions"
    assert glue.get_tags(ResourceArn=stack.arn("glue", f"crawler/{P}-crawler"))["Tags"] == {"stage": "dev"}
    database = glue.get_database(Name=f"{P}_lake")["Database"]
    assert (database["Description"], database["Parameters"]) == ("curated", {"a": "b"})
    table = glue.get_table(DatabaseName=f"{P}_lake", Name="aside")["Table"]
    assert (table["Description"], table["TableType"]) == ("what was set aside", "EXTERNAL_TABLE")
    assert table["Parameters"] == {"classification": "parquet"}
    stored = table["StorageDescriptor"]
    assert stored["Location"].endswith("/aside/")
    assert stored["Columns"] == [{"Name": "reason", "Type": "string", "Comment": "why"}]


def test_a_workgroup_is_known_with_its_database_and_an_arn_that_ends_in_its_id(stack: Deployed) -> None:
    workgroup = workgroups(stack.endpoint)[P]
    assert (workgroup.namespace, workgroup.database) == (P, "analytics")
    assert workgroup.arn == stack.outputs["WorkgroupArn"]
    assert workgroup.arn.startswith(stack.arn("redshift-serverless", "workgroup/"))
    assert stack.outputs["WorkgroupAddress"].startswith(f"{P}.{ACCOUNT}.us-east-1.redshift-serverless.")
    namespace = namespaces(stack.endpoint)[P]
    assert namespace.iam_roles == (namespace.default_iam_role,)
    assert str(namespace.default_iam_role).endswith(f":role/{stack.outputs['JobRoleName']}")
    secret = stack.client("secretsmanager").get_secret_value(SecretId=namespace.admin_secret)
    assert json.loads(secret["SecretString"])["username"] == namespace.admin == "boss"


def test_an_alarm_has_its_metric_and_its_actions(stack: Deployed) -> None:
    cloudwatch = stack.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"{P}-dead"])["MetricAlarms"]
    assert alarm["AlarmArn"] == stack.outputs["AlarmArn"]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (0.5, 120, 1)
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"{P}-dead"}]
    assert (alarm["TreatMissingData"], alarm["DatapointsToAlarm"]) == ("notBreaching", 1)
    assert (alarm["AlarmActions"], alarm["ActionsEnabled"]) == ([stack.outputs["TopicArn"]], True)
    assert alarm["AlarmDescription"] == "something died"
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == STAGE


def test_a_log_group_has_its_retention(stack: Deployed) -> None:
    logs, name = stack.client("logs"), f"/aws/lambda/{P}-function"
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert group["retentionInDays"] == 30
    assert stack.outputs["FunctionLogsArn"] == stack.arn("logs", f"log-group:{name}:*")
    arn = stack.outputs["FunctionLogsArn"].removesuffix(":*")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "dev"}


def test_secrets_are_generated_or_given(stack: Deployed) -> None:
    manager = stack.client("secretsmanager")

    def value(output: str) -> str:
        return str(manager.get_secret_value(SecretId=stack.outputs[output])["SecretString"])

    assert len(value("SaltArn")) == 40
    assert value("SaltArn").isalnum()
    login = json.loads(value("LoginArn"))
    assert (login["user"], len(login["password"])) == ("me", 20)
    assert value("GivenArn") == "hunter2"
    described = manager.describe_secret(SecretId=stack.outputs["SaltArn"])
    assert (described["Name"], described["Description"]) == (f"{P}-salt", "masks")
    assert described["Tags"] == STAGE


def test_a_topic_has_its_subscription_and_policy(stack: Deployed) -> None:
    sns, topic = stack.client("sns"), stack.outputs["TopicArn"]
    has = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert has["DisplayName"] == "Alarms"
    assert json.loads(has["Policy"])["Statement"][0]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == STAGE
    subscription = stack.outputs["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert attributes["Endpoint"] == stack.arn("sqs", f"{P}-dead")
    assert (attributes["RawMessageDelivery"], attributes["Protocol"]) == ("true", "sqs")
    assert json.loads(attributes["FilterPolicy"]) == {"kind": ["alarm"]}


def test_conditions_decide_what_exists(stack: Deployed) -> None:
    sqs = stack.client("sqs")
    sqs.get_queue_url(QueueName=f"{P}-dev-only")
    with pytest.raises(ClientError, match="does not exist"):
        sqs.get_queue_url(QueueName=f"{P}-prod")
    assert "ProdOnly" not in stack.outputs


def test_outputs_and_expressions_are_there_after_a_change_set_deployment(stack: Deployed) -> None:
    assert stack.outputs["RawBucket"] == f"{P}-raw-{ACCOUNT}"
    assert stack.outputs["Joined"] == f"{P}/b/amazonaws.com"
    assert stack.outputs["Subbed"] == f"120-${{Literal}}-{P}-arrivals"
    cloudformation = stack.client("cloudformation")
    exports = {it["Name"]: it["Value"] for it in cloudformation.list_exports()["Exports"]}
    assert exports[f"{P}-raw"] == stack.outputs["RawBucket"]
    (described,) = cloudformation.describe_stacks(StackName=P)["Stacks"]
    parameters = {it["ParameterKey"]: it["ParameterValue"] for it in described["Parameters"]}
    assert (parameters["Seconds"], parameters["Password"]) == ("120", "****")
    assert described["StackStatus"] == "CREATE_COMPLETE"
    resources = cloudformation.describe_stack_resources(StackName=P)["StackResources"]
    assert {"LogicalResourceId": "Raw", "ResourceType": "AWS::S3::Bucket"}.items() <= next(
        it for it in resources if it["PhysicalResourceId"] == stack.outputs["RawBucket"]
    ).items()


def test_another_version_of_moto_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.__version__", "5.3.0")
    with pytest.raises(NotSupported, match=r"moto==5\.2\.5"):
        Server(moto())


def test_the_template_covers_every_type() -> None:
    template = read(EVERYTHING.read_text(), all_types())
    assert {it.type_name for it in template.resources.values()} == set(all_types())
