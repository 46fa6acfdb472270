"""What is refused without a grant: of the recorded requests, and on a deployed chain."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping

from gluebook.cli.laptop import Laptop, laptop
from gluebook.cli.laptop.scenario import PARAMETERS, play
from gluebook.cli.screens.refusals import refusals
from gluebook.errors import GluebookError
from grants.deployed import Deployed, deployed
from grants.removals import refused_without, without
from grants.template import Granted
from localaws.iam import Allowed, Denied, UsageReport
from localaws.iam.globs import matches
from localaws.iam.statements import Grant

_PATIENCE_SECONDS = 1200


def missed(here: Deployed, recording: Iterable[Allowed]) -> dict[Granted, list[Allowed]]:
    """For each grant: the recorded requests that are refused without it."""
    every = list(recording)
    return {
        granted: refused_without(
            grant, here.roles[role], here.documents[role, grant.policy], every, here.resource_policy
        )
        for (role, grant), granted in here.grants.items()
    }


def reported(granted: Granted, refused: Iterable[Allowed]) -> list[str]:
    """What a person reads of it: the same lines as at the end of `try`, `demo`, `up` and `status`."""
    denied = tuple(
        Denied(granted.role_name, one.need.action, one.need.resource, one.caller.session, 1, "")
        for one in refused
    )
    return refusals(UsageReport(denied=denied))


def chain_without(granted: Granted) -> list[str]:
    """Play the scenario on a laptop of its own whose role lacks the grant: the lines that name what was refused.

    It ends as soon as the refusal is seen. Empty if nothing needs the grant.
    """
    with laptop(lambda stage: None, parameters=PARAMETERS) as running:
        role, grant = _remove(running, granted)

        def named() -> tuple[Denied, ...]:
            return tuple(one for one in running.aws.report().denied if _is_of(one, role, grant))

        # The scenario may fail half-way; only the refusal counts.
        with contextlib.suppress(GluebookError):
            play(running, lambda act: None, _PATIENCE_SECONDS, enough=lambda: bool(named()))
        return refusals(UsageReport(denied=named()))


def _remove(running: Laptop, granted: Granted) -> tuple[str, Grant]:
    here = deployed(running)
    role, grant = next(key for key, value in here.grants.items() if value == granted)
    document: Mapping[str, object] = without(here.documents[role, grant.policy], grant)
    running.aws.endpoint.client("iam").put_role_policy(
        RoleName=role, PolicyName=grant.policy, PolicyDocument=json.dumps(document)
    )
    return role, grant


def _is_of(one: Denied, role: str, grant: Grant) -> bool:
    return (
        one.role == role
        and matches(grant.action, one.action, ignore_case=True)
        and matches(grant.resource, one.resource)
    )
