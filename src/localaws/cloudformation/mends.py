"""Repairs of moto's services: what they lose of a resource's definition, or can't change.

Each is the smallest change at the place that loses something, so that whoever asks the service, by
whatever operation, gets what the template said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import FakeJob
from moto.glue.responses import GlueResponse
from moto.s3.responses import S3Response
from moto.sqs.models import Queue

_JOB_SETTINGS = ("JobMode", "JobRunQueuingEnabled", "MaintenanceWindow")
_FUNCTION_SETTINGS = ("DeadLetterConfig", "LoggingConfig")

# UpdateJob's members and the attributes in which moto keeps them. AWS docs: UpdateJob overwrites the
# whole definition, so what isn't given falls back to the second value.
_JOB_ATTRIBUTES: dict[str, tuple[str, Callable[[], Any]]] = {
    "AllocatedCapacity": ("allocated_capacity", lambda: None),
    "CodeGenConfigurationNodes": ("code_gen_configuration_nodes", lambda: None),
    "Command": ("command", lambda: None),
    "Connections": ("connections", lambda: None),
    "DefaultArguments": ("default_arguments", dict),
    "Description": ("description", lambda: None),
    "ExecutionClass": ("execution_class", lambda: "STANDARD"),
    "ExecutionProperty": ("execution_property", dict),
    "GlueVersion": ("glue_version", lambda: None),
    "LogUri": ("log_uri", lambda: None),
    "MaxCapacity": ("max_capacity", lambda: None),
    "MaxRetries": ("max_retries", lambda: None),
    "NonOverridableArguments": ("non_overridable_arguments", lambda: None),
    "NotificationProperty": ("notification_property", lambda: None),
    "NumberOfWorkers": ("number_of_workers", lambda: None),
    "Role": ("role", lambda: None),
    "SecurityConfiguration": ("security_configuration", lambda: None),
    "SourceControlDetails": ("source_control_details", lambda: None),
    "Timeout": ("timeout", lambda: None),
    "WorkerType": ("worker_type", lambda: None),
}
_CRAWLER_ATTRIBUTES = {
    "Classifiers": "classifiers",
    "Configuration": "configuration",
    "CrawlerSecurityConfiguration": "crawler_security_configuration",
    "DatabaseName": "database_name",
    "Description": "description",
    "LineageConfiguration": "lineage_configuration",
    "RecrawlPolicy": "recrawl_policy",
    "Role": "role",
    "Schedule": "schedule",
    "SchemaChangePolicy": "schema_change_policy",
    "TablePrefix": "table_prefix",
    "Targets": "targets",
}


def install() -> None:
    """Mend moto, in this process, for good. To be called once."""
    _keep_job_settings()
    _make_jobs_and_crawlers_changeable()
    _show_event_bridge_of_buckets()
    _keep_function_settings()
    _replace_invoke_configurations()
    _keep_queue_policies()


def _keep_job_settings() -> None:
    """CreateJob drops JobRunQueuingEnabled and two others."""
    create, as_dict = GlueResponse.create_job, FakeJob.as_dict

    def create_job(response: Any) -> Any:
        answer = create(response)
        job = response.glue_backend.get_job(response.parameters["Name"])
        job.kept = _chosen(response.parameters, _JOB_SETTINGS)
        return answer

    GlueResponse.create_job = create_job
    FakeJob.as_dict = lambda job: {**as_dict(job), **getattr(job, "kept", {})}


def _make_jobs_and_crawlers_changeable() -> None:
    """moto has neither UpdateJob nor UpdateCrawler."""

    def update_job(response: Any) -> Any:
        name, wanted = response.parameters["JobName"], response.parameters["JobUpdate"]
        job = response.glue_backend.get_job(name)
        for member, (attribute, default) in _JOB_ATTRIBUTES.items():
            setattr(job, attribute, wanted[member] if member in wanted else default())
        job.kept = _chosen(wanted, _JOB_SETTINGS)
        job.last_modified_on = _now(job.last_modified_on)
        return ActionResult({"JobName": name})

    def update_crawler(response: Any) -> Any:
        crawler = response.glue_backend.get_crawler(response.parameters["Name"])
        for member, attribute in _CRAWLER_ATTRIBUTES.items():
            if member in response.parameters:
                setattr(crawler, attribute, response.parameters[member])
        crawler.version += 1
        crawler.last_updated = _now(crawler.last_updated)
        return EmptyResult()

    GlueResponse.update_job = update_job
    GlueResponse.update_crawler = update_crawler


def _show_event_bridge_of_buckets() -> None:
    """GetBucketNotificationConfiguration doesn't tell that EventBridge is on."""
    get = S3Response.get_bucket_notification

    def get_bucket_notification(response: Any) -> Any:
        configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
        if configuration is None or configuration.event_bridge is None:
            return get(response)
        response.data["Action"] = "GetBucketNotificationConfiguration"
        return response.serialized(ActionResult({"EventBridgeConfiguration": {}}))

    S3Response.get_bucket_notification = get_bucket_notification


def _keep_function_settings() -> None:
    """CreateFunction drops two settings, UpdateFunctionConfiguration ignores five."""
    init, describe = LambdaFunction.__init__, LambdaFunction.get_configuration
    update = LambdaFunction.update_configuration

    def initialise(function: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        init(function, account_id, spec, *rest, **named)
        function.kept = _chosen(spec, _FUNCTION_SETTINGS)

    def get_configuration(function: Any, on_create: bool = False) -> dict[str, Any]:
        return {**describe(function, on_create), **getattr(function, "kept", {})}

    def update_configuration(function: Any, wanted: dict[str, Any]) -> Any:
        function.kept = {**getattr(function, "kept", {}), **_chosen(wanted, _FUNCTION_SETTINGS)}
        if "EphemeralStorage" in wanted:
            function.ephemeral_storage = wanted["EphemeralStorage"]["Size"]
        function.tracing_config = wanted.get("TracingConfig", function.tracing_config)
        function.kms_key_arn = wanted.get("KMSKeyArn", function.kms_key_arn)
        return update(function, wanted)

    LambdaFunction.__init__ = initialise
    LambdaFunction.get_configuration = get_configuration
    LambdaFunction.update_configuration = update_configuration


def _replace_invoke_configurations() -> None:
    """PutFunctionEventInvokeConfig appends to a list of which only the first is ever read."""
    put = LambdaBackend.put_function_event_invoke_config

    def put_function_event_invoke_config(backend: Any, function_name: str, config: Any) -> Any:
        answer = put(backend, function_name, config)
        function = backend.get_function(function_name)
        function.event_invoke_config = function.event_invoke_config[-1:]
        return answer

    LambdaBackend.put_function_event_invoke_config = put_function_event_invoke_config


def _keep_queue_policies() -> None:
    """SetQueueAttributes of any other attribute wipes the policy; RedriveAllowPolicy isn't shown."""
    set_attributes, attributes = Queue._set_attributes, Queue.attributes.fget

    def set_queue_attributes(queue: Any, wanted: dict[str, Any], now: float | None = None) -> None:
        policy = getattr(queue, "_policy_json", None)
        set_attributes(queue, wanted, now)
        if policy is not None and "Policy" not in wanted:
            queue._policy_json = policy

    def all_attributes(queue: Any) -> dict[str, Any]:
        allowed = getattr(queue, "redrive_allow_policy", None)
        return {**attributes(queue), **({"RedriveAllowPolicy": allowed} if allowed else {})}

    Queue._set_attributes = set_queue_attributes
    Queue.attributes = property(all_attributes)


def _chosen(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _now(like: Any) -> Any:
    # moto's times are naive or aware depending on its version's mood; stay with what is there.
    return type(like).now(like.tzinfo) if like.tzinfo else type(like).utcnow()
