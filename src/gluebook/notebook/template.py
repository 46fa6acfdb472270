"""The Glue job of a notebook in the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluebook.deployment.template import parse_template

# Magic of a Glue session: property of a Glue job.
SESSION_PROPERTIES = {
    "glue_version": "GlueVersion",
    "worker_type": "WorkerType",
    "number_of_workers": "NumberOfWorkers",
}


@dataclass(frozen=True)
class JobResource:
    """An AWS::Glue::Job of the template.

    `session`: what a session must say to be like the job, by magic. `arguments`: DefaultArguments without their
    dashes, without those of Glue's own (which hold dashes); None where only the deployed stack knows the value.
    """

    session: Mapping[str, str]
    arguments: Mapping[str, str | None]


def job_resource(template: Path, script: str) -> JobResource | None:
    """The job of `template` whose script is called `script`; None if there is none.

    Raises ConfigurationError if the template can't be read.
    """
    parsed = parse_template(template)
    for resource in parsed["Resources"].values():
        properties = resource.get("Properties", {})
        location = properties.get("Command", {}).get("ScriptLocation", "")
        if resource["Type"] == "AWS::Glue::Job" and str(location).rpartition("/")[2] == script:
            return _job(properties, parsed["Parameters"])
    return None


def _job(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> JobResource:
    values = {
        magic: _value(properties.get(wanted), parameters) for magic, wanted in SESSION_PROPERTIES.items()
    }
    arguments = {flag.removeprefix("--"): value for flag, value in properties["DefaultArguments"].items()}
    return JobResource(
        {magic: value for magic, value in values.items() if value is not None},
        {flag: _value(value, parameters) for flag, value in arguments.items() if "-" not in flag},
    )


def _value(value: Any, parameters: Mapping[str, Any]) -> str | None:
    """A literal, or the default of the referenced parameter; None for what is only known once deployed."""
    if isinstance(value, Mapping):
        default = parameters.get(str(value.get("Ref")), {}).get("Default")
        return None if default is None else str(default)
    return None if value is None else str(value)
