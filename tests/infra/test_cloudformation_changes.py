"""Second deployments: what changes is applied, what can't be is refused, what fails is taken back."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloudformation_server import client, serving, undeploy
from localaws.cloudformation import namespaces
from localaws.cloudformation.deploy import DeployFailed, deploy, outputs
from localaws.endpoint import Endpoint

ROLE_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def policy(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as it:
        yield it


@dataclass
class Stacks:
    """Creates and updates stacks through the API that the CLI uses, without the CLI's second of start-up."""

    endpoint: Endpoint
    names: set[str] = field(default_factory=set)

    def client(self, service: str) -> Any:
        return client(self.endpoint, service)

    def create(self, name: str, resources: dict[str, Any], **sections: Any) -> str:
        self.names.add(name)
        return self._apply(name, "CREATE", resources, sections)

    def update(self, name: str, resources: dict[str, Any], **sections: Any) -> str:
        return self._apply(name, "UPDATE", resources, sections)

    def _apply(self, name: str, kind: str, resources: dict[str, Any], sections: dict[str, Any]) -> str:
        cloudformation = self.client("cloudformation")
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName="change",
            ChangeSetType=kind,
            TemplateBody=json.dumps({"Resources": resources, **sections}),
        )
        cloudformation.execute_change_set(ChangeSetName=change_set["Id"])
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    def reasons(self, name: str) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return " | ".join(it["ResourceStatusReason"] for it in events if "ResourceStatusReason" in it)


@pytest.fixture
def stacks(endpoint: Endpoint) -> Iterator[Stacks]:
    it = Stacks(endpoint)
    yield it
    for name in it.names | {"cli", "long"}:
        it.client("cloudformation").delete_stack(StackName=name)


def function_stack() -> dict[str, Any]:
    return {
        "Role": resource(
            "IAM::Role",
            RoleName="changing",
            AssumeRolePolicyDocument=ROLE_TRUST,
            Policies=[{"PolicyName": "one", "PolicyDocument": policy("s3:GetObject")}],
        ),
        "Layer": resource(
            "Lambda::LayerVersion", LayerName="changing", Content={"S3Bucket": "code", "S3Key": "layer1"}
        ),
        "Function": resource(
            "Lambda::Function",
            FunctionName="changing",
            Runtime="python3.11",
            Handler="index.handler",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Code={"ZipFile": "one"},
            Layers=[{"Ref": "Layer"}],
            Timeout=10,
            Environment={"Variables": {"A": "1"}},
        ),
    }


@pytest.fixture(scope="module")
def code(endpoint: Endpoint) -> None:
    s3 = client(endpoint, "s3")
    s3.create_bucket(Bucket="code")
    for key in ("layer1", "layer2"):
        s3.put_object(Bucket="code", Key=key, Body=key.encode())


def test_a_changed_role_function_and_layer_are_applied(stacks: Stacks, code: None) -> None:
    before = function_stack()
    assert stacks.create("s", before) == "CREATE_COMPLETE"
    functions, iam = stacks.client("lambda"), stacks.client("iam")
    old = functions.get_function_configuration(FunctionName="changing")

    after = copy.deepcopy(before)
    after["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "two", "PolicyDocument": policy("s3:PutObject")}
    ]
    after["Layer"]["Properties"]["Content"]["S3Key"] = "layer2"
    after["Function"]["Properties"]["Code"]["ZipFile"] = "two"
    after["Function"]["Properties"]["Environment"]["Variables"] = {"B": "2"}
    del after["Function"]["Properties"]["Timeout"]
    assert stacks.update("s", after) == "UPDATE_COMPLETE"

    assert iam.list_role_policies(RoleName="changing")["PolicyNames"] == ["two"]
    assert iam.get_role_policy(RoleName="changing", PolicyName="two")["PolicyDocument"] == policy(
        "s3:PutObject"
    )
    new = functions.get_function_configuration(FunctionName="changing")
    assert new["CodeSha256"] != old["CodeSha256"]
    assert new["Environment"]["Variables"] == {"B": "2"}
    assert new["Timeout"] == 3
    (layer,) = new["Layers"]
    assert layer["Arn"] != old["Layers"][0]["Arn"]
    versions = functions.list_layer_versions(LayerName="changing")["LayerVersions"]
    assert [it["LayerVersionArn"] for it in versions] == [layer["Arn"]]


def test_what_only_depends_on_a_change_changes_too(stacks: Stacks) -> None:
    parameters = {"Parameters": {"Days": {"Type": "Number", "Default": 7}}}
    group = resource("Logs::LogGroup", LogGroupName={"Fn::Sub": "g-${Days}"}, RetentionInDays={"Ref": "Days"})
    rule = resource("Events::Rule", Name="dependent", EventPattern={"source": [{"Ref": "Group"}]})
    assert stacks.create("s", {"Group": group, "Rule": rule}, **parameters) == "CREATE_COMPLETE"
    parameters["Parameters"]["Days"]["Default"] = 14
    assert stacks.update("s", {"Group": group, "Rule": rule}, **parameters) == "UPDATE_COMPLETE"
    pattern = stacks.client("events").describe_rule(Name="dependent")["EventPattern"]
    assert json.loads(pattern) == {"source": ["g-14"]}
    groups = stacks.client("logs").describe_log_groups(logGroupNamePrefix="g-")["logGroups"]
    assert [(it["logGroupName"], it["retentionInDays"]) for it in groups] == [("g-14", 14)]


def test_a_changed_job_keeps_its_runs(stacks: Stacks) -> None:
    job = resource(
        "Glue::Job",
        Name="changing",
        Role="arn:aws:iam::123456789012:role/r",
        Command={"Name": "glueetl", "ScriptLocation": "s3://code/one.py"},
        DefaultArguments={"--a": "1"},
        NumberOfWorkers=2,
        Tags={"old": "x", "kept": "x"},
    )
    stacks.create("s", {"Job": job})
    glue = stacks.client("glue")
    run = glue.start_job_run(JobName="changing")["JobRunId"]
    job = copy.deepcopy(job)
    job["Properties"] |= {"DefaultArguments": {"--b": "2"}, "Tags": {"kept": "x", "new": "y"}}
    job["Properties"]["JobRunQueuingEnabled"] = "true"
    del job["Properties"]["NumberOfWorkers"]
    assert stacks.update("s", {"Job": job}) == "UPDATE_COMPLETE"
    has = glue.get_job(JobName="changing")["Job"]
    assert (has["DefaultArguments"], has["JobRunQueuingEnabled"]) == ({"--b": "2"}, True)
    assert "NumberOfWorkers" not in has
    assert glue.get_job_run(JobName="changing", RunId=run)["JobRun"]["Id"] == run
    arn = "arn:aws:glue:us-east-1:123456789012:job/changing"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"kept": "x", "new": "y"}


def test_changed_rules_crawlers_queues_alarms_tables_and_buckets_are_applied(stacks: Stacks) -> None:
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:changing"
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    attributes = [{"AttributeName": "pk", "AttributeType": "S"}]
    index = {"IndexName": "index", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}
    policies = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy("sqs:SendMessage")}
    alarm = {
        "Namespace": "N",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    table = {"KeySchema": key, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST"}

    def template(one: bool) -> dict[str, Any]:
        targets = [{"Id": "a", "Arn": queue_arn}] if one else [{"Id": "b", "Arn": queue_arn, "Input": "{}"}]
        return {
            "Rule": resource(
                "Events::Rule",
                Name="changing",
                ScheduleExpression="rate(1 day)",
                State="ENABLED" if one else "DISABLED",
                Targets=targets,
            ),
            "Queue": resource(
                "SQS::Queue",
                QueueName="changing",
                **({"DelaySeconds": 9} if one else {"VisibilityTimeout": 99}),
            ),
            "QueuePolicy": resource("SQS::QueuePolicy", **policies),
            "Alarm": resource("CloudWatch::Alarm", AlarmName="changing", Threshold=1 if one else 2, **alarm),
            "Table": resource(
                "DynamoDB::Table",
                TableName="changing",
                **table,
                **({"GlobalSecondaryIndexes": [index]} if one else {"Tags": [{"Key": "k", "Value": "v"}]}),
            ),
            "Crawler": resource(
                "Glue::Crawler",
                Name="changing",
                Role="r",
                Targets={"S3Targets": [{"Path": "s3://one" if one else "s3://two"}]},
                **({"TablePrefix": "p_"} if one else {}),
            ),
            "Bucket": resource(
                "S3::Bucket",
                BucketName="changing",
                **({"VersioningConfiguration": {"Status": "Enabled"}} if one else {}),
                NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": one}},
            ),
        }

    assert stacks.create("s", template(True)) == "CREATE_COMPLETE"
    assert stacks.update("s", template(False)) == "UPDATE_COMPLETE"
    assert stacks.client("events").describe_rule(Name="changing")["State"] == "DISABLED"
    (target,) = stacks.client("events").list_targets_by_rule(Rule="changing")["Targets"]
    assert target == {"Id": "b", "Arn": queue_arn, "Input": "{}"}
    url = stacks.client("sqs").get_queue_url(QueueName="changing")["QueueUrl"]
    has = stacks.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (has["DelaySeconds"], has["VisibilityTimeout"]) == ("0", "99")
    assert json.loads(has["Policy"]) == policy("sqs:SendMessage")
    (described,) = stacks.client("cloudwatch").describe_alarms(AlarmNames=["changing"])["MetricAlarms"]
    assert described["Threshold"] == 2
    table_has = stacks.client("dynamodb").describe_table(TableName="changing")["Table"]
    assert "GlobalSecondaryIndexes" not in table_has or table_has["GlobalSecondaryIndexes"] == []
    crawler = stacks.client("glue").get_crawler(Name="changing")["Crawler"]
    assert (crawler["Targets"]["S3Targets"][0]["Path"], crawler["TablePrefix"]) == ("s3://two", "")
    assert stacks.client("s3").get_bucket_versioning(Bucket="changing")["Status"] == "Suspended"
    notifies = stacks.client("s3").get_bucket_notification_configuration(Bucket="changing")
    assert "EventBridgeConfiguration" not in notifies


def test_changed_mappings_policies_secrets_topics_groups_and_namespaces_are_applied(
    stacks: Stacks, code: None
) -> None:
    role = "arn:aws:iam::123456789012:role/changing"
    dead = {"Fn::GetAtt": ["Queue", "Arn"]}
    function = function_stack()["Function"]["Properties"] | {"Layers": []}

    def template(one: bool) -> dict[str, Any]:
        settings = (
            {} if one else {"EphemeralStorage": {"Size": 2048}, "DeadLetterConfig": {"TargetArn": dead}}
        )
        return {
            "Role": function_stack()["Role"],
            "Queue": resource("SQS::Queue", QueueName="changing"),
            "Function": resource("Lambda::Function", **function, **settings),
            "Retries": resource(
                "Lambda::EventInvokeConfig",
                FunctionName={"Ref": "Function"},
                Qualifier="$LATEST",
                MaximumRetryAttempts=2 if one else 0,
            ),
            "Mapping": resource(
                "Lambda::EventSourceMapping",
                FunctionName={"Ref": "Function"},
                EventSourceArn=dead,
                **({"BatchSize": 7} if one else {"ScalingConfig": {"MaximumConcurrency": 3}}),
            ),
            "Permission": resource(
                "Lambda::Permission",
                FunctionName={"Ref": "Function"},
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com" if one else "s3.amazonaws.com",
            ),
            "Policy": resource(
                "IAM::ManagedPolicy",
                ManagedPolicyName="changing",
                PolicyDocument=policy("s3:GetObject" if one else "s3:PutObject"),
                Roles=[] if one else [{"Ref": "Role"}],
            ),
            "Secret": resource("SecretsManager::Secret", Name="changing", SecretString="1" if one else "2"),
            "Topic": resource("SNS::Topic", TopicName="changing", DisplayName="1" if one else "2"),
            "Logs": resource(
                "Logs::LogGroup", LogGroupName="changing", **({"RetentionInDays": 7} if one else {})
            ),
            "Database": resource(
                "Glue::Database",
                CatalogId="123456789012",
                DatabaseInput={"Name": "changing", "Description": "1" if one else "2"},
            ),
            "Table": resource(
                "Glue::Table",
                CatalogId="123456789012",
                DatabaseName={"Ref": "Database"},
                TableInput={"Name": "changing", "Description": "1" if one else "2"},
            ),
            "Namespace": resource(
                "RedshiftServerless::Namespace", NamespaceName="changing", IamRoles=[] if one else [role]
            ),
        }

    assert stacks.create("s", template(True)) == "CREATE_COMPLETE"
    assert stacks.update("s", template(False)) == "UPDATE_COMPLETE"
    functions, iam = stacks.client("lambda"), stacks.client("iam")
    has = functions.get_function_configuration(FunctionName="changing")
    assert has["EphemeralStorage"] == {"Size": 2048}
    table = stacks.client("glue").get_table(DatabaseName="changing", Name="changing")["Table"]
    assert table["Description"] == "2"
    assert has["DeadLetterConfig"]["TargetArn"].endswith(":changing")
    assert functions.get_function_event_invoke_config(FunctionName="changing")["MaximumRetryAttempts"] == 0
    (mapping,) = functions.list_event_source_mappings(FunctionName="changing")["EventSourceMappings"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (10, {"MaximumConcurrency": 3})
    (statement,) = json.loads(functions.get_policy(FunctionName="changing")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    (attached,) = iam.list_attached_role_policies(RoleName="changing")["AttachedPolicies"]
    (version,) = iam.list_policy_versions(PolicyArn=attached["PolicyArn"])["Versions"]
    document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version["VersionId"])
    assert document["PolicyVersion"]["Document"] == policy("s3:PutObject")
    assert stacks.client("secretsmanager").get_secret_value(SecretId="changing")["SecretString"] == "2"
    topic = "arn:aws:sns:us-east-1:123456789012:changing"
    assert stacks.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "2"
    (group,) = stacks.client("logs").describe_log_groups(logGroupNamePrefix="changing")["logGroups"]
    assert "retentionInDays" not in group
    assert stacks.client("glue").get_database(Name="changing")["Database"]["Description"] == "2"
    assert namespaces(stacks.endpoint)["changing"].iam_roles == (role,)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            resource("SQS::Queue", QueueName="named"),
            resource("SQS::Queue", QueueName="named", FifoQueue=True),
            "custom-named resource requires replacing. Rename named",
        ),
        (
            resource("RedshiftServerless::Namespace", NamespaceName="fixed", DbName="one"),
            resource("RedshiftServerless::Namespace", NamespaceName="fixed", DbName="two"),
            "the laptop cannot change DbName",
        ),
        (resource("SQS::Queue"), resource("SNS::Topic"), "Update of resource type is not permitted"),
    ],
)
def test_a_change_that_cant_be_applied_is_refused_and_everything_stays(
    stacks: Stacks, old: dict[str, Any], new: dict[str, Any], why: str
) -> None:
    topic = resource("SNS::Topic", TopicName="other", DisplayName="before")
    stacks.create("s", {"Other": topic, "It": old})
    changed = resource("SNS::Topic", TopicName="other", DisplayName="after")
    status = stacks.update(
        "s", {"Other": changed, "It": new, "More": resource("SNS::Topic", TopicName="more")}
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert why in stacks.reasons("s")
    sns = stacks.client("sns")
    topics = {it["TopicArn"].rsplit(":", 1)[1]: it["TopicArn"] for it in sns.list_topics()["Topics"]}
    assert "more" not in topics
    assert sns.get_topic_attributes(TopicArn=topics["other"])["Attributes"]["DisplayName"] == "before"


def test_a_renamed_catalog_table_is_replaced(stacks: Stacks) -> None:
    def template(name: str) -> dict[str, Any]:
        database = resource("Glue::Database", CatalogId="123456789012", DatabaseInput={"Name": "renaming"})
        table = {
            "CatalogId": "123456789012",
            "DatabaseName": {"Ref": "Database"},
            "TableInput": {"Name": name},
        }
        return {"Database": database, "Table": resource("Glue::Table", **table)}

    assert stacks.create("s", template("before")) == "CREATE_COMPLETE"
    assert stacks.update("s", template("after")) == "UPDATE_COMPLETE"
    tables = stacks.client("glue").get_tables(DatabaseName="renaming")["TableList"]
    assert [table["Name"] for table in tables] == ["after"]


def test_what_leaves_the_template_is_deleted_unless_it_is_retained(stacks: Stacks) -> None:
    retained = {**resource("SQS::Queue", QueueName="leaving-retained"), "DeletionPolicy": "Retain"}
    stacks.create(
        "s",
        {"A": resource("SQS::Queue", QueueName="leaving-gone"), "B": retained, "C": resource("SNS::Topic")},
    )
    assert stacks.update("s", {"C": resource("SNS::Topic")}) == "UPDATE_COMPLETE"
    sqs = stacks.client("sqs")
    urls = sqs.list_queues(QueueNamePrefix="leaving-").get("QueueUrls", [])
    assert [url.rsplit("/", 1)[1] for url in urls] == ["leaving-retained"]
    sqs.delete_queue(QueueUrl=urls[0])


def test_a_workgroup_scales_to_no_less_than_its_base(stacks: Stacks) -> None:
    def template(most: int) -> dict[str, Any]:
        workgroup = resource(
            "RedshiftServerless::Workgroup",
            WorkgroupName="scaling",
            NamespaceName={"Ref": "Namespace"},
            BaseCapacity=8,
            MaxCapacity=most,
        )
        namespace = resource("RedshiftServerless::Namespace", NamespaceName="scaling")
        return {"Namespace": namespace, "Workgroup": workgroup}

    assert stacks.create("less", template(4)) == "ROLLBACK_COMPLETE"
    assert "MaxCapacity 4 is less than BaseCapacity 8" in stacks.reasons("less")
    assert stacks.create("s", template(8)) == "CREATE_COMPLETE"
    assert stacks.update("s", template(16)) == "UPDATE_COMPLETE"
    assert stacks.update("s", template(4)) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_stack_that_fails_half_way_leaves_nothing(stacks: Stacks) -> None:
    missing = {"S3Bucket": "no-such-bucket", "S3Key": "k"}
    layer = {**resource("Lambda::LayerVersion", Content=missing), "DependsOn": ["Queue"]}
    assert stacks.create("half", {"Layer": layer, "Queue": resource("SQS::Queue")}) == "ROLLBACK_COMPLETE"
    assert "the code is not there: s3://no-such-bucket/k" in stacks.reasons("half")
    assert "QueueUrls" not in stacks.client("sqs").list_queues(QueueNamePrefix="half-")
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        stacks.update("half", {"Queue": resource("SQS::Queue")})


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (
            {"A": resource("EC2::VPC", CidrBlock="10.0.0.0/16")},
            r"Unrecognized resource types: \[AWS::EC2::VPC\]",
        ),
        ({"A": resource("SQS::Queue", VisibilityTimeOut=1)}, "unsupported property VisibilityTimeOut"),
        ({"A": resource("Glue::Job", Role="r")}, "required property Command"),
        (
            {"A": resource("S3::Bucket", AccessControl="Private")},
            "the laptop does not implement property AccessControl",
        ),
        ({"A": resource("Events::Rule", Arn="arn:x")}, "unsupported property Arn"),
        ({"A": resource("SQS::Queue", QueueName={"Ref": "B"})}, r"Unresolved resource dependencies \[B\]"),
        (
            {
                "A": resource("SNS::Topic"),
                "B": resource("SNS::Topic", TopicName={"Fn::GetAtt": ["A", "Nme"]}),
            },
            "does not support attribute type Nme",
        ),
        (
            {
                "A": resource("SNS::Topic", TopicName={"Ref": "B"}),
                "B": resource("SNS::Topic", TopicName={"Ref": "A"}),
            },
            r"Circular dependency between resources: \[A -> B -> A\]",
        ),
        ({"A": resource("SNS::Topic", TopicName={"Fn::Cidr": []})}, "Fn::Cidr"),
        ({"A": {**resource("SNS::Topic"), "UpdatePolicy": {}}}, "UpdatePolicy"),
        ({"A": {**resource("SNS::Topic"), "DependsOn": "Z"}}, r"dependencies \[Z\]"),
        ({"A": {**resource("SNS::Topic"), "Condition": "Z"}}, "condition Z is not defined"),
    ],
)
def test_a_wrong_template_is_refused_by_name_before_anything_is_made(
    stacks: Stacks, resources: dict[str, Any], why: str
) -> None:
    with pytest.raises(ClientError, match=why):
        stacks.create("wrong", resources)
    with pytest.raises(ClientError, match="wrong does not exist"):
        stacks.client("cloudformation").describe_stacks(StackName="wrong")


@pytest.mark.parametrize(
    ("it", "why"),
    [
        (
            resource("Glue::Crawler", Role="r", Targets={"S3Targets": [{"Pth": "s3://x"}]}),
            r"unsupported property Pth in Targets.S3Targets[0]",
        ),
        (
            resource("S3::Bucket", LifecycleConfiguration={"Rules": [{"Status": "Enabled", "Foo": 1}]}),
            "unsupported property Foo in LifecycleConfiguration.Rules",
        ),
        (
            resource("S3::Bucket", NotificationConfiguration={"QueueConfigurations": []}),
            "unsupported property QueueConfigurations in NotificationConfiguration",
        ),
        (
            resource("Glue::Job", Role="r", Command={"Name": "x"}, Timeout="soon"),
            "Timeout: a integer is expected, not 'soon'",
        ),
        (
            resource(
                "Events::Rule",
                ScheduleExpression="rate(1 day)",
                Targets=[{"Id": "a", "Arn": "arn:x", "Inpt": "{}"}],
            ),
            "unsupported property Inpt in Targets[0]",
        ),
    ],
)
def test_an_unknown_nested_property_fails_the_stack_by_name(
    stacks: Stacks, it: dict[str, Any], why: str
) -> None:
    assert stacks.create("s", {"It": it}) == "ROLLBACK_COMPLETE"
    assert why in stacks.reasons("s")


def write(tmp_path: Path, resources: dict[str, Any], **sections: Any) -> Path:
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": resources, **sections}))
    return path


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(-1 days)",
        "rate(5 seconds)",
        "rate(5minutes)",
    ],
)
def test_a_rate_that_eventbridge_refuses_fails_the_stack(stacks: Stacks, expression: str) -> None:
    rule = {"Rule": resource("Events::Rule", Name="rated", ScheduleExpression=expression)}
    assert stacks.create("rated", rule) == "ROLLBACK_COMPLETE"
    assert "Parameter ScheduleExpression is not valid" in stacks.reasons("rated")


@pytest.mark.parametrize(
    "expression", ["rate(1 minute)", "rate(5 minutes)", "rate(1 day)", "cron(0 8 * * ? *)"]
)
def test_a_schedule_that_eventbridge_takes_is_deployed(stacks: Stacks, expression: str) -> None:
    rule = {"Rule": resource("Events::Rule", Name="rated", ScheduleExpression=expression)}
    assert stacks.create("rated", rule) == "CREATE_COMPLETE"


def test_an_sqs_mapping_of_more_than_ten_messages_needs_a_window(stacks: Stacks, code: None) -> None:
    def stack(size: int, window: int) -> dict[str, Any]:
        mapping = resource(
            "Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["Queue", "Arn"]},
            FunctionName={"Ref": "Function"},
            BatchSize=size,
            MaximumBatchingWindowInSeconds=window,
        )
        return {**function_stack(), "Queue": resource("SQS::Queue"), "Mapping": mapping}

    assert stacks.create("window", stack(11, 1)) == "CREATE_COMPLETE"
    assert stacks.update("window", stack(10, 0)) == "UPDATE_COMPLETE"
    assert stacks.update("window", stack(11, 0)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "must be greater than 0 if maximum batch size is greater than 10" in stacks.reasons("window")
    assert stacks.create("without", {**stack(11, 0)}) == "ROLLBACK_COMPLETE"


def test_the_cli_tells_an_unknown_type_and_deploy_tells_the_reason_of_a_failed_resource(
    endpoint: Endpoint, stacks: Stacks, tmp_path: Path
) -> None:
    unknown = write(tmp_path, {"Net": resource("EC2::VPC")})
    with pytest.raises(
        DeployFailed, match=r"failed \(25\d\).*Unrecognized resource types: \[AWS::EC2::VPC\]"
    ):
        deploy(endpoint, unknown, "cli", {}, "artefacts")
    bad = write(tmp_path, {"Job": resource("Glue::Job", Role="r", Command={"Nme": "x"})})
    with pytest.raises(DeployFailed) as failed:
        deploy(endpoint, bad, "cli", {}, "artefacts")
    assert failed.value.reasons == (
        "Job (AWS::Glue::Job): CREATE_FAILED: Encountered unsupported property Nme in Command",
    )


def test_deploying_again_changes_nothing_or_what_a_parameter_changes(
    endpoint: Endpoint, stacks: Stacks, tmp_path: Path
) -> None:
    template = write(
        tmp_path,
        {"Queue": resource("SQS::Queue", DelaySeconds={"Ref": "Delay"})},
        Parameters={"Delay": {"Type": "Number", "Default": 1, "MaxValue": 900}},
        Outputs={"Url": {"Value": {"Ref": "Queue"}}},
    )
    first = deploy(endpoint, template, "again", {"Delay": "2"}, "artefacts")
    assert deploy(endpoint, template, "again", {}, "artefacts") == first  # the CLI keeps the previous value
    assert (
        deploy(endpoint, template, "again", {"Delay": "3"}, "artefacts")
        == first
        == outputs(endpoint, "again")
    )
    sqs = client(endpoint, "sqs")
    has = sqs.get_queue_attributes(QueueUrl=first["Url"], AttributeNames=["DelaySeconds"])["Attributes"]
    assert has == {"DelaySeconds": "3"}
    with pytest.raises(DeployFailed, match="no parameter Dlay; it has Delay"):
        deploy(endpoint, template, "again", {"Dlay": "3"}, "artefacts")
    undeploy(endpoint, "again")
    undeploy(endpoint, "again")
    with pytest.raises(DeployFailed, match="does not exist"):
        outputs(endpoint, "again")


def test_a_template_too_long_for_a_request_goes_through_the_bucket(
    endpoint: Endpoint, stacks: Stacks, tmp_path: Path
) -> None:
    topic = resource("SNS::Topic", TopicName="long", DisplayName="x")
    template = write(
        tmp_path, {"T": topic}, Description="x" * 60_000, Outputs={"Arn": {"Value": {"Ref": "T"}}}
    )
    assert deploy(endpoint, template, "long", {}, "artefacts")["Arn"].endswith(":long")
