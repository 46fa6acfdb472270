"""moto's CloudFormation API with this package's engine underneath.

moto answers the requests (CreateChangeSet, DescribeStacks ...) and lists the stacks. Its creation of a stack's
resources skips the types it does not know, loses properties, computes no outputs for change sets, changes nothing
that depends on what changed, and never fails. That part is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from moto.cloudformation import models, responses
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.s3.models import s3_backends

from localaws.cloudformation import template as templates
from localaws.cloudformation.plan import Plan
from localaws.cloudformation.resource import TemplateError
from localaws.cloudformation.runner import Runner
from localaws.cloudformation.state import Outputs, State
from localaws.patches import Patches, around, replace

_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def stack_patches(runner: Runner) -> Patches:
    """`runner` in the place of moto's own creation of stacks."""
    requests = _Requests(runner)
    stack, backend = models.Stack, models.CloudFormationBackend
    return Patches(
        replace(stack, "parse_template", staticmethod(_parse)),
        replace(stack, "parameter_list", property(lambda it: it.resource_map.parameter_list())),
        replace(stack, "_create_resource_map", lambda _: State()),
        replace(stack, "_create_output_map", lambda it: Outputs(it.stack_id, {})),
        replace(models.ChangeSet, "_parse_template", _parse_change_set),
        replace(models.ChangeSet, "diff", _changes),
        *(
            around(backend, method.__name__, method)
            for method in (
                requests.create_stack,
                requests.create_change_set,
                requests.execute_change_set,
                requests.update_stack,
                requests.delete_stack,
            )
        ),
        # moto answers CreateChangeSet with an error where AWS makes a change set that says "no changes", which is
        # what `aws cloudformation deploy --no-fail-on-empty-changeset` waits for.
        replace(responses.CloudFormationResponse, "_validate_different_update", lambda *_: None),
        # moto finds the bucket only in the URLs of amazonaws.com and localhost, not of 127.0.0.1.
        replace(responses, "get_stack_from_s3_url", _template_at),
    )


class _Requests:
    """The operations; `_` is moto's own method, `backend` its CloudFormationBackend, a template is a text."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create_stack(
        self, _: Any, backend: Any, name: str, template: str, parameters: Mapping[str, str], **options: Any
    ) -> Any:
        stack = _stack_for(backend, name, "CREATE", parameters, options)
        plan = self._plan(backend, stack, template, parameters)
        backend.stacks[stack.stack_id] = stack
        self._runner.start(backend, stack, plan, template, "CREATE")
        return stack

    def create_change_set(
        self,
        _: Any,
        backend: Any,
        stack_name: str,
        change_set_name: str,
        template: str,
        parameters: Mapping[str, str],
        description: str,
        change_set_type: str,
        **options: Any,
    ) -> tuple[str, str]:
        models.validate_create_change_set(change_set_name)
        stack = _stack_for(backend, stack_name, change_set_type, parameters, options)
        plan = self._plan(backend, stack, template, parameters)
        if stack.stack_id not in backend.stacks:
            stack.status = "REVIEW_IN_PROGRESS"
            stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
            backend.stacks[stack.stack_id] = stack
        identity = models.generate_changeset_id(change_set_name, backend.region_name, backend.account_id)
        change_set = models.ChangeSet(
            change_set_type=change_set_type,
            change_set_id=identity,
            change_set_name=change_set_name,
            stack=stack,
            template=template,
            parameters=parameters,
            description=description,
            **options,
        )
        empty = stack.resource_map.equals(plan)
        change_set.status = "FAILED" if empty else "CREATE_COMPLETE"
        change_set.execution_status = "UNAVAILABLE" if empty else "AVAILABLE"
        change_set.status_reason = _NO_CHANGES if empty else None
        backend.change_sets[identity] = change_set
        return identity, stack.stack_id

    def execute_change_set(
        self, _: Any, backend: Any, change_set_name: str, stack_name: str | None = None
    ) -> None:
        change_set = backend.describe_change_set(change_set_name)
        stack = change_set.stack
        if change_set.execution_status != "AVAILABLE" or (
            stack_name is not None and stack_name not in {stack.name, stack.stack_id}
        ):
            raise ValidationError(message=f"ChangeSet [{change_set_name}] cannot be executed")
        # Planned again: the stack may have changed since.
        plan = self._plan(backend, stack, change_set.template, change_set.parameters)
        change_set.execution_status = "EXECUTE_COMPLETE"
        self._runner.start(backend, stack, plan, change_set.template, change_set.change_set_type)

    def update_stack(
        self,
        _: Any,
        backend: Any,
        name: str,
        template: str,
        role_arn: str | None,
        parameters: list[dict[str, Any]],
        tags: dict[str, str] | None,
    ) -> Any:
        stack = _stack_for(backend, name, "UPDATE", {}, {})
        before = stack.resource_map.resolved_parameters
        given = {
            item["ParameterKey"]: before.get(item["ParameterKey"], "")
            if item.get("UsePreviousValue")
            else item["ParameterValue"]
            for item in parameters
        }
        plan = self._plan(backend, stack, template, given)
        if stack.resource_map.equals(plan):
            raise ValidationError(message="No updates are to be performed.")
        stack.role_arn = role_arn
        stack.tags = stack.tags if tags is None else tags
        self._runner.start(backend, stack, plan, template, "UPDATE")
        return stack

    def delete_stack(self, _: Any, backend: Any, name_or_stack_id: str) -> None:
        for stack in list(backend.stacks.values()):
            if name_or_stack_id in {stack.name, stack.stack_id}:
                self._runner.delete(backend, stack)

    def _plan(self, backend: Any, stack: Any, template: str, given: Mapping[str, str]) -> Plan:
        try:
            return self._runner.plan(backend, stack, template, given)
        except TemplateError as reason:
            raise ValidationError(message=str(reason)) from reason


def _stack_for(backend: Any, name: str, verb: str, parameters: Any, options: dict[str, Any]) -> Any:
    """The stack a request to CREATE or UPDATE `name` is about; a new one isn't listed yet."""
    found = next((s for s in backend.stacks.values() if name in {s.name, s.stack_id}), None)
    if verb == "UPDATE":
        if found is None:
            raise ValidationError(name)
        if found.status not in _UPDATABLE:
            raise ValidationError(
                message=f"Stack:{found.stack_id} is in {found.status} state and can not be updated; "
                f"delete it first: aws cloudformation delete-stack --stack-name {found.name}"
            )
        return found
    if found is not None and found.status != "REVIEW_IN_PROGRESS":
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    return found or models.Stack(
        stack_id=models.generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template={},
        parameters=parameters,
        account_id=backend.account_id,
        region_name=backend.region_name,
        **options,
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        return templates.parse(text)
    except TemplateError as reason:
        raise ValidationError(message=str(reason)) from reason


def _parse_change_set(change_set: Any) -> None:
    change_set.template_dict = _parse(change_set.template)


def _changes(change_set: Any) -> list[Any]:
    return [models.Change(*it) for it in change_set.stack.resource_map.changes(change_set.template_dict)]


def _template_at(template_url: str, account_id: str, partition: str) -> str:
    """The text of a template uploaded to S3, by a path-style or a virtual-host-style URL."""
    url = urlparse(template_url)
    host = url.hostname or ""
    path = unquote(url.path.lstrip("/"))
    virtual = host.endswith(".amazonaws.com") and not host.startswith("s3")
    bucket, key = (host.split(".s3", 1)[0], path) if virtual else path.split("/", 1)
    stored = s3_backends[account_id][partition].get_object(bucket, key)
    if stored is None:
        raise ValidationError(message=f"S3 error: {template_url} does not exist")
    return str(stored.value.decode("utf-8"))
