"""All probes, in turn: the cheap ones first, then those that need the stack."""

from __future__ import annotations

from collections.abc import Iterator

from verify_aws import dynamodb, events, glue, redshift, s3, spark, statements
from verify_aws.kit import Place
from verify_aws.stack import deploy

_ALONE = {"s3": s3, "dynamodb": dynamodb, "eventbridge": events}
# The first statement of all is one of the probes.
_WITH_STACK = {"redshift": (statements, redshift), "glue": (glue, spark)}
SERVICES = (*_ALONE, *_WITH_STACK)


def ask(place: Place, *services: str) -> Iterator[tuple[str, str]]:
    """(probe, answer) of every probe of these services; of all if none is named."""
    wanted = services or SERVICES
    for name, module in _ALONE.items():
        if name in wanted:
            yield from module.probes(place)
    if any(name in wanted for name in _WITH_STACK):
        deployed = deploy(place)
        for name, modules in _WITH_STACK.items():
            if name in wanted:
                for probing in modules:
                    yield from probing.probes(deployed)
        if {*_WITH_STACK} <= {*wanted}:
            # While Glue's jobs ran, the warehouse had nothing to do.
            yield from statements.after_a_pause(deployed)
