"""The resource types that the laptop's CloudFormation creates."""

from __future__ import annotations

from localaws.cloudformation.resource import ResourceType
from localaws.cloudformation.resources import (
    dynamodb,
    events,
    glue,
    glue_table,
    iam,
    lambda_events,
    lambda_function,
    monitoring,
    redshift,
    s3,
    secrets_manager,
    sns,
    sqs,
)


def all_types() -> dict[str, ResourceType]:
    """Every resource type by its name."""
    types: list[ResourceType] = [
        dynamodb.Table(),
        events.Rule(),
        glue.Crawler(),
        glue.Database(),
        glue.Job(),
        glue_table.Table(),
        iam.ManagedPolicy(),
        iam.Role(),
        lambda_events.EventInvokeConfig(),
        lambda_events.EventSourceMapping(),
        lambda_events.Permission(),
        lambda_function.Function(),
        lambda_function.LayerVersion(),
        monitoring.Alarm(),
        monitoring.LogGroup(),
        redshift.Namespace(),
        redshift.Workgroup(),
        s3.Bucket(),
        s3.BucketPolicy(),
        secrets_manager.Secret(),
        sns.Subscription(),
        sns.Topic(),
        sns.TopicPolicy(),
        sqs.Queue(),
        sqs.QueuePolicy(),
    ]
    return {kind.type_name: kind for kind in types}
