"""Deploys a plan: creates, changes, replaces, deletes; rolls everything back if one resource fails.

AWS docs: "Stack failure options", "Update behaviors of stack resources".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.cloudformation.plan import Plan
from localaws.cloudformation.resource import Change, Existing, Made, Place, ResourceType, TemplateError
from localaws.errors import LocalAwsError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """A resource of a deployed stack."""

    logical_id: str
    kind: ResourceType
    properties: Mapping[str, Any]  # resolved, its name included
    named: bool  # by the template, not by CloudFormation
    retained: bool
    made: Made
    identity: object = field(default_factory=object)  # a replacement gets another


@dataclass(frozen=True)
class Step:
    """Something that happened to one resource: CREATE_COMPLETE, UPDATE_FAILED ... and why."""

    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str | None = None


class ResourceFailed(LocalAwsError):
    """A resource could not be created or changed; what was done before is rolled back."""

    def __init__(self, logical_id: str, reason: str, clean: bool) -> None:
        super().__init__(f"The following resource(s) failed: [{logical_id}]. {reason}")
        self.clean = clean  # False: undoing failed as well


class Engine:
    """Carries out plans in one stack, reporting each step."""

    def __init__(
        self,
        types: Mapping[str, ResourceType],
        place: Callable[[str], Place],
        report: Callable[[Step], None],
    ) -> None:
        self._types = types
        self._place = place
        self._report = report

    def deploy(
        self, plan: Plan, before: Mapping[str, Record]
    ) -> tuple[dict[str, Record], dict[str, dict[str, str]]]:
        """Make the stack what `plan` says, starting from the records `before`.

        Returns (the records now, the outputs as {name: {"Value": .., "Description"?: .., "Export"?: ..}}).
        Raises ResourceFailed after undoing every step.
        """
        after: dict[str, Record] = {}
        undo: list[Callable[[], None]] = []
        logical_id = "Outputs"
        try:
            for name in plan.order:
                logical_id = name
                self._deploy_resource(plan, logical_id, before.get(logical_id), after, undo)
            logical_id = "Outputs"
            outputs = _outputs(plan, after)
        except Exception as failure:
            reason = _reason(failure)
            raise ResourceFailed(logical_id, reason, self._roll_back(undo)) from failure
        self._clean_up(before, after)
        return after, outputs

    def delete(self, records: Mapping[str, Record]) -> dict[str, Record]:
        """Delete the resources, dependents first. Returns those that could not be deleted.

        DeletionPolicy is ignored here: a deleted stack leaves nothing on the laptop.
        """
        gone = [record.logical_id for record in reversed(list(records.values())) if self._delete(record)]
        return {name: record for name, record in records.items() if name not in gone}

    def _deploy_resource(
        self,
        plan: Plan,
        logical_id: str,
        old: Record | None,
        after: dict[str, Record],
        undo: list[Callable[[], None]],
    ) -> None:
        resource = plan.template.resources[logical_id]
        kind = self._types[resource.type_name]
        scope = plan.scope({name: record.made for name, record in after.items()})
        try:
            if old and old.kind is not kind:
                raise TemplateError(f"Update of resource type is not permitted: was {old.kind.type_name}")
            properties = scope.resolve(resource.properties)
            wanted = self._wanted(kind, logical_id, properties, old, resource.retained)
            if old:
                change = Change(old.made, old.properties, wanted.properties)
                if not change.changed:
                    after[logical_id] = replace(old, retained=resource.retained)
                    return
                if not kind.replaces(change):
                    after[logical_id] = self._update(old, wanted, change, undo)
                    return
                wanted = self._renamed(old, wanted)
            after[logical_id] = self._create(wanted, undo)
        except Exception as failure:
            verb, physical = ("UPDATE", old.made.ref) if old else ("CREATE", "")
            self._report_step(logical_id, physical, kind, f"{verb}_FAILED", _reason(failure))
            raise

    def _wanted(
        self,
        kind: ResourceType,
        logical_id: str,
        properties: dict[str, Any],
        old: Record | None,
        retained: bool,
    ) -> Record:
        named = kind.name_property is None or kind.name_property in properties
        if not named and kind.name_property:
            kept = old.properties.get(kind.name_property) if old and not old.named else None
            name = kept or self._place(logical_id).generated_name(kind.name_limit, kind.name_lower)
            properties = {**properties, kind.name_property: name}
        return Record(logical_id, kind, properties, named, retained, Made(""))

    def _renamed(self, old: Record, wanted: Record) -> Record:
        """For a replacement, which exists beside the old resource for a while: it needs another name."""
        key = wanted.kind.name_property
        if key is None or not wanted.kind.name_unique or old.properties[key] != wanted.properties[key]:
            return wanted
        if wanted.named:
            raise TemplateError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {wanted.properties[key]} and update the stack again."
            )
        place = self._place(wanted.logical_id)
        name = place.generated_name(wanted.kind.name_limit, wanted.kind.name_lower)
        return replace(wanted, properties={**wanted.properties, key: name})

    def _create(self, wanted: Record, undo: list[Callable[[], None]]) -> Record:
        self._report_step(wanted.logical_id, "", wanted.kind, "CREATE_IN_PROGRESS")
        made = wanted.kind.create(self._place(wanted.logical_id), wanted.properties)
        record = replace(wanted, made=made)
        undo.append(lambda: self._undo_create(record))
        self._report_step(record.logical_id, made.ref, record.kind, "CREATE_COMPLETE")
        return record

    def _update(self, old: Record, wanted: Record, change: Change, undo: list[Callable[[], None]]) -> Record:
        place = self._place(old.logical_id)
        old.kind.check(change)
        self._report_step(old.logical_id, old.made.ref, old.kind, "UPDATE_IN_PROGRESS")
        back = Change(old.made, change.new, change.old)
        # Registered first: an update that fails half-way may have changed something.
        undo.append(lambda: self._undo_update(old, back))
        made = old.kind.update(place, change)
        self._report_step(old.logical_id, made.ref, old.kind, "UPDATE_COMPLETE")
        return replace(wanted, made=made, identity=old.identity)

    def _undo_create(self, record: Record) -> None:
        if not self._delete(record):
            raise LocalAwsError(f"{record.logical_id} could not be deleted")

    def _undo_update(self, old: Record, back: Change) -> None:
        old.kind.update(self._place(old.logical_id), back)
        self._report_step(old.logical_id, old.made.ref, old.kind, "UPDATE_COMPLETE")

    def _roll_back(self, undo: list[Callable[[], None]]) -> bool:
        clean = True
        for step in reversed(undo):
            try:
                step()
            except Exception:
                log.exception("A step of the rollback failed")
                clean = False
        return clean

    def _clean_up(self, before: Mapping[str, Record], after: Mapping[str, Record]) -> None:
        for record in reversed(list(before.values())):
            now = after.get(record.logical_id)
            replaced = now is None or now.identity is not record.identity
            if replaced and record.retained:
                self._report_step(record.logical_id, record.made.ref, record.kind, "DELETE_SKIPPED")
            elif replaced:
                self._delete(record)

    def _delete(self, record: Record) -> bool:
        place = self._place(record.logical_id)
        self._report_step(record.logical_id, record.made.ref, record.kind, "DELETE_IN_PROGRESS")
        try:
            record.kind.delete(place, Existing(record.made, record.properties))
        except Exception as failure:  # noqa: BLE001  it is reported, and the others are deleted
            reason = _reason(failure)
            log.warning("%s (%s) could not be deleted: %s", record.logical_id, record.made.ref, reason)
            self._report_step(record.logical_id, record.made.ref, record.kind, "DELETE_FAILED", reason)
            return False
        self._report_step(record.logical_id, record.made.ref, record.kind, "DELETE_COMPLETE")
        return True

    def _report_step(
        self, logical_id: str, physical_id: str, kind: ResourceType, status: str, reason: str | None = None
    ) -> None:
        self._report(Step(logical_id, physical_id, kind.type_name, status, reason))


def _outputs(plan: Plan, after: Mapping[str, Record]) -> dict[str, dict[str, str]]:
    scope = plan.scope({name: record.made for name, record in after.items()})
    outputs = {}
    for name, output in plan.template.outputs.items():
        if "Condition" not in output or scope.holds(output["Condition"]):
            resolved = scope.resolve({key: value for key, value in output.items() if key != "Condition"})
            export = resolved.pop("Export", None)
            outputs[name] = {key: str(value) for key, value in resolved.items()}
            if export:
                if export["Name"] in plan.exports:
                    raise TemplateError(f"Export with name {export['Name']} is already exported")
                outputs[name]["Export"] = str(export["Name"])
    return outputs


def _reason(failure: Exception) -> str:
    if isinstance(failure, ClientError | BotoCoreError | LocalAwsError):
        return str(failure)
    log.error("A resource failed unexpectedly", exc_info=failure)
    return f"Internal failure: {type(failure).__name__}: {failure}"
