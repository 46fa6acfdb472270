"""What a deployment will do, decided before anything is created: values, conditions, and the order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from localaws.cloudformation import parameters
from localaws.cloudformation.expressions import PSEUDO, Scope, references
from localaws.cloudformation.resource import Made, ResourceType, TemplateError
from localaws.cloudformation.template import Resource, Template


@dataclass(frozen=True)
class Plan:
    """A checked template with its parameters' values; `order` lists what exists, dependencies first."""

    template: Template
    chosen: Mapping[str, str]  # parameters, as texts
    names: Mapping[str, Any]  # what Ref gives for parameters and pseudo parameters
    exports: Mapping[str, str]
    order: tuple[str, ...]

    def scope(self, made: Mapping[str, Made]) -> Scope:
        """What expressions may refer to, given the resources `made` so far."""
        return Scope(self.names, self.template.mappings, self.template.conditions, self.exports, made)


def make(
    template: Template,
    given: Mapping[str, str],
    pseudo: Mapping[str, Any],
    exports: Mapping[str, str],
    types: Mapping[str, ResourceType],
) -> Plan:
    """The plan for deploying `template` with the `given` parameters.

    Raises TemplateError for a reference to what isn't there, an attribute the type doesn't have, an
    undefined condition, a circular dependency, or a wrong parameter.
    """
    chosen = parameters.choose(template.parameters, given)
    values = {name: parameters.value_of(template.parameters[name], text) for name, text in chosen.items()}
    names = {**pseudo, **values}
    scope = Scope(names, template.mappings, template.conditions, exports, {})
    for condition in template.conditions:
        scope.holds(condition)
    for resource in template.resources.values():
        _check_references(template, f"resource {resource.logical_id}", resource.properties, types)
        for dependency in resource.depends_on:
            if dependency not in template.resources:
                raise TemplateError(
                    f"Template format error: Unresolved resource dependencies [{dependency}] "
                    f"in DependsOn of {resource.logical_id}"
                )
    for name, output in template.outputs.items():
        _check_references(template, f"output {name}", output, types)
    existing = {
        name: resource
        for name, resource in template.resources.items()
        if resource.condition is None or scope.holds(resource.condition)
    }
    return Plan(template, chosen, names, exports, _order(existing))


def _check_references(
    template: Template, where: str, expression: Any, types: Mapping[str, ResourceType]
) -> None:
    for reference in references(expression):
        if reference.attribute is None and (
            reference.name in PSEUDO or reference.name in template.parameters
        ):
            continue
        if reference.name not in template.resources:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{reference.name}] in {where}"
            )
        type_name = template.resources[reference.name].type_name
        if reference.attribute is not None and reference.attribute not in types[type_name].attributes:
            raise TemplateError(
                f"Template error: resource {reference.name} ({type_name}) does not support attribute type "
                f"{reference.attribute} in Fn::GetAtt ({where})"
            )


def _order(resources: Mapping[str, Resource]) -> tuple[str, ...]:
    needs = {
        name: ({reference.name for reference in references(resource.properties)} | set(resource.depends_on))
        & resources.keys()
        for name, resource in resources.items()
    }
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise TemplateError(f"Circular dependency between resources: [{circle}]") from error
