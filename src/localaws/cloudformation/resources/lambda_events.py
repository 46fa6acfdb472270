"""AWS::Lambda::EventSourceMapping, AWS::Lambda::Permission and AWS::Lambda::EventInvokeConfig."""

from __future__ import annotations

from typing import Any

from ...errors import NotSupported
from ..resource import Change, Existing, Fixed, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call

# What a setting falls back to when it leaves the template. AWS docs: CreateEventSourceMapping.
_DEFAULTS: dict[str, Any] = {
    "BatchSize": 10,
    "Enabled": True,
    "FilterCriteria": {"Filters": []},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


class EventSourceMapping(ResourceType):
    """A queue that feeds a function. `Ref` is the mapping's UUID."""

    type_name = "AWS::Lambda::EventSourceMapping"
    deletes = ("lambda", "DeleteEventSourceMapping", "UUID")
    implemented = frozenset({"EventSourceArn", "FunctionName", *_DEFAULTS})
    needed = frozenset({"EventSourceArn"})
    attributes = frozenset({"EventSourceMappingArn", "Id"})

    def create(self, at: Place, properties: Properties) -> Made:
        if ":sqs:" not in properties["EventSourceArn"]:
            raise NotSupported(f"the laptop feeds functions from SQS only: {properties['EventSourceArn']}")
        functions = at.client("lambda")
        request = {**properties, "FunctionName": function_name(properties)}
        answer = call(functions, "CreateEventSourceMapping", request)
        identity = answer["UUID"]
        arn = f"arn:aws:lambda:{at.region}:{at.account}:event-source-mapping:{identity}"
        return Made(identity, {"Id": identity, "EventSourceMappingArn": arn})

    def update(self, at: Place, change: Change) -> Made:
        wanted = {name: change.new.get(name, _DEFAULTS.get(name)) for name in change.changed}
        if "FunctionName" in wanted:
            wanted["FunctionName"] = function_name(change.new)
        call(at.client("lambda"), "UpdateEventSourceMapping", {"UUID": change.made.ref, **wanted})
        return change.made


class Permission(Fixed):
    """A statement of a function's resource policy. `Ref` is the statement's id."""

    type_name = "AWS::Lambda::Permission"
    not_implemented = frozenset({"FunctionUrlAuthType", "InvokedViaFunctionUrl"})
    attributes = frozenset({"Id"})

    def create(self, at: Place, properties: Properties) -> Made:
        statement = at.generated_name(limit=100)
        request = {**properties, "FunctionName": function_name(properties), "StatementId": statement}
        call(at.client("lambda"), "AddPermission", request)
        return Made(statement, {"Id": statement})

    def delete(self, at: Place, existing: Existing) -> None:
        name = function_name(existing.properties)
        at.client("lambda").remove_permission(FunctionName=name, StatementId=existing.made.ref)


class EventInvokeConfig(ResourceType):
    """How a function is retried when invoked asynchronously, and where what happened is sent."""

    type_name = "AWS::Lambda::EventInvokeConfig"

    def create(self, at: Place, properties: Properties) -> Made:
        if properties["Qualifier"] != "$LATEST":
            raise TemplateError("Qualifier: the laptop's functions have no versions but $LATEST")
        self._put(at, properties)
        return Made(at.generated_name())

    def update(self, at: Place, change: Change) -> Made:
        self._put(at, change.new)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        name = function_name(existing.properties)
        at.client("lambda").delete_function_event_invoke_config(FunctionName=name)

    def _put(self, at: Place, properties: Properties) -> None:
        request = {**without(properties, "Qualifier"), "FunctionName": function_name(properties)}
        call(at.client("lambda"), "PutFunctionEventInvokeConfig", request)


def function_name(properties: Properties) -> str:
    """The plain name in a FunctionName property, which may hold a name or an ARN."""
    return str(properties["FunctionName"]).rsplit(":function:", 1)[-1]
