"""Runs deployments of moto's stacks: status, events, outputs and exports follow what happens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.cloudformation import models

from localaws.cloudformation import parameters
from localaws.cloudformation import plan as plans
from localaws.cloudformation import template as templates
from localaws.cloudformation.engine import Engine, ResourceFailed, Step
from localaws.cloudformation.resource import Place, ResourceType
from localaws.cloudformation.state import Outputs
from localaws.endpoint import Endpoint

log = logging.getLogger(__name__)

# A deployment is answered when it ends, or after this time. AWS answers immediately; but the AWS CLI polls
# immediately and then only every 30 seconds, and its requests time out after 60.
ANSWER_WITHIN_SECONDS = 40.0


class Runner:
    """Deploys and deletes stacks through `endpoint`."""

    def __init__(self, types: Mapping[str, ResourceType], endpoint: Endpoint) -> None:
        self._types = types
        self._endpoint = endpoint
        self._one_at_a_time = threading.Lock()

    def plan(self, backend: Any, stack: Any, template: str, given: Mapping[str, str]) -> plans.Plan:
        """The checked plan of deploying `template` as `stack`. Raises TemplateError."""
        pseudo = {
            "AWS::AccountId": backend.account_id,
            "AWS::Region": backend.region_name,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": stack.stack_id,
            "AWS::StackName": stack.name,
            "AWS::NotificationARNs": stack.notification_arns,
        }
        exports = {
            export.name: export.value
            for export in backend.exports.values()
            if export.exporting_stack_id != stack.stack_id
        }
        return plans.make(templates.read(template, self._types), given, pseudo, exports, self._types)

    def start(self, backend: Any, stack: Any, plan: plans.Plan, template: str, verb: str) -> None:
        """Deploy; returns when the deployment has ended, or after ANSWER_WITHIN_SECONDS.

        `verb` is CREATE or UPDATE; the stack's status and events show the outcome, as on AWS.
        """
        stack.status = f"{verb}_IN_PROGRESS"
        stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
        stack.template, stack.template_dict = template, plan.template.source
        stack.description = plan.template.source.get("Description")
        work = threading.Thread(
            target=self._deploy, args=(backend, stack, plan, verb), name=f"deploy {stack.name}", daemon=True
        )
        work.start()
        work.join(ANSWER_WITHIN_SECONDS)

    def delete(self, backend: Any, stack: Any) -> None:
        """Delete the stack and everything in it; DELETE_FAILED, with reasons in the events, if some stay."""
        with self._one_at_a_time:
            stack.status = "DELETE_IN_PROGRESS"
            stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
            left = self._engine(stack).delete(stack.resource_map.records)
            stack.resource_map.records = left
            if left:
                _close(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: {list(left)}")
                return
            _publish_exports(backend, stack, Outputs(stack.stack_id, {}))
            _close(stack, "DELETE_COMPLETE", None)
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)

    def _deploy(self, backend: Any, stack: Any, plan: plans.Plan, verb: str) -> None:
        state = stack.resource_map
        with self._one_at_a_time:
            try:
                state.records, outputs = self._engine(stack).deploy(plan, state.records)
            except ResourceFailed as failure:
                log.error("Stack %s: %s", stack.name, failure)
                rolled_back = "ROLLBACK" if verb == "CREATE" else "UPDATE_ROLLBACK"
                # In this order, so that the reason precedes the rollback, as on AWS.
                stack._add_stack_event(f"{verb}_FAILED", resource_status_reason=str(failure))
                _close(stack, f"{rolled_back}_{'COMPLETE' if failure.clean else 'FAILED'}", str(failure))
                return
            state.remember(plan, parameters.hidden(plan.template.parameters))
            stack.parameters = dict(plan.chosen)
            _publish_exports(backend, stack, Outputs(stack.stack_id, outputs))
            _close(stack, f"{verb}_COMPLETE", None)

    def _engine(self, stack: Any) -> Engine:
        endpoint = replace(self._endpoint, account=stack.account_id, region=stack.region_name)

        def place(logical_id: str) -> Place:
            return Place(endpoint, stack.name, logical_id)

        return Engine(self._types, place, lambda step: stack.events.append(_event(stack, step)))


def _publish_exports(backend: Any, stack: Any, outputs: Outputs) -> None:
    for export in stack.output_map.exports:
        backend.exports.pop(export.name, None)
    stack.output_map = outputs
    backend.exports.update({export.name: export for export in outputs.exports})


def _close(stack: Any, status: str, reason: str | None) -> None:
    stack._add_stack_event(status, resource_status_reason=reason)
    stack.stack_status_reason = reason
    stack.status = status


def _event(stack: Any, step: Step) -> Any:
    return models.Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=step.logical_id,
        physical_resource_id=step.physical_id,
        resource_type=step.type_name,
        resource_status=step.status,
        resource_status_reason=step.reason,
        resource_properties=None,
    )
