"""CloudFormation: moto's API, and everything that a template says created.

moto silently skips the resource types that it does not know, loses properties of others, and still says
CREATE_COMPLETE. With these patches its CloudFormation creates, changes and deletes the resource types in
`localaws.cloudformation.resources` through their services' own APIs, and refuses whatever else a template contains,
by name. The server must answer requests in several threads: during a deployment it sends requests to itself.
"""

from __future__ import annotations

from localaws.cloudformation.resources import all_types
from localaws.cloudformation.runner import Runner
from localaws.cloudformation.stacks import stack_patches
from localaws.cloudformation.warehouses import Namespace, Workgroup, namespaces, workgroups
from localaws.endpoint import Endpoint
from localaws.patches import Patches

__all__ = ["Namespace", "Workgroup", "namespaces", "patches", "workgroups"]


def patches(endpoint: Endpoint) -> Patches:
    """What is changed in moto's CloudFormation, so that it creates resources at `endpoint`."""
    return stack_patches(Runner(all_types(), endpoint))
