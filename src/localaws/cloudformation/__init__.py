"""CloudFormation on a laptop: moto's API, with everything a template says really created.

moto 5.2.5 silently skips the resource types it doesn't know and loses properties of others, and still
says CREATE_COMPLETE. After `teach` its CloudFormation creates, changes and deletes the resource types
in `localaws.cloudformation.resources` through their services' own APIs, and refuses whatever else a
template contains, by name. The server must answer requests in several threads: while it deploys it
asks itself.
"""

from __future__ import annotations

from functools import cache

import moto

from localaws.cloudformation import mends, refusals, stacks
from localaws.cloudformation.objects import ObjectCreated, listen_to_objects, store
from localaws.cloudformation.resources import all_types
from localaws.cloudformation.runner import Runner
from localaws.cloudformation.silence import silence_moto
from localaws.cloudformation.warehouses import Namespace, Workgroup, namespaces, workgroups
from localaws.endpoint import Endpoint
from localaws.errors import NotSupported

__all__ = [
    "Namespace",
    "ObjectCreated",
    "Workgroup",
    "listen_to_objects",
    "namespaces",
    "silence_moto",
    "store",
    "teach",
    "workgroups",
]

MOTO = "5.2.5"  # whose internals this package knows

_current: list[Endpoint] = []


def teach(endpoint: Endpoint) -> None:
    """Have moto, in this process, create stacks' resources at `endpoint`, and keep silent otherwise.

    May be called again: from then on resources are made at the new endpoint (moto's state belongs to
    the process, not to a server). Raises NotSupported if moto isn't the version that is known.
    """
    if moto.__version__ != MOTO:
        raise NotSupported(
            f"localaws reaches into moto's internals and knows those of {MOTO}, "
            f"but moto {moto.__version__} is installed; install moto=={MOTO}"
        )
    _current[:] = [endpoint]
    _install()


@cache
def _install() -> None:
    silence_moto()
    mends.install()
    refusals.install()
    stacks.install(Runner(all_types(), lambda: _current[0]))
