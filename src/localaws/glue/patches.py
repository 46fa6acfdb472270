"""What is changed in moto's Glue: UpdateJob and UpdateCrawler, which it lacks, and settings that CreateJob drops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import FakeJob
from moto.glue.responses import GlueResponse

from localaws.patches import Patches, add, around

_FIXED = {"Name", "CreatedOn", "LastModifiedOn", "Tags"}
_JOB_DEFAULTS: dict[str, Any] = {"DefaultArguments": {}, "ExecutionProperty": {}, "ExecutionClass": "STANDARD"}


def _create_job(create: Callable[[Any], Any], response: Any) -> Any:
    answer = create(response)
    _keep(response.glue_backend.get_job(response.parameters["Name"]), response.parameters)
    return answer


def _show_job(as_dict: Callable[[Any], dict[str, Any]], job: Any) -> dict[str, Any]:
    return {**as_dict(job), **getattr(job, "kept", {})}


def _keep(job: Any, wanted: Mapping[str, Any]) -> None:
    """Keep the members that moto has no attribute for, such as JobRunQueuingEnabled."""
    job.kept = {
        name: value
        for name, value in wanted.items()
        if name not in _FIXED and not hasattr(job, xform_name(name))
    }


def _update_job(response: Any) -> Any:
    """AWS docs: UpdateJob overwrites the whole definition, so what is not given falls back to its default."""
    name, wanted = response.parameters["JobName"], response.parameters["JobUpdate"]
    job = response.glue_backend.get_job(name)
    job.kept = {}
    for member in set(job.as_dict()) - _FIXED:
        default = _JOB_DEFAULTS.get(member)
        value = wanted.get(member, dict(default) if isinstance(default, dict) else default)
        setattr(job, xform_name(member), value)
    _keep(job, wanted)
    job.last_modified_on = _now(job.last_modified_on)
    return ActionResult({"JobName": name})


def _update_crawler(response: Any) -> Any:
    """AWS docs: UpdateCrawler leaves what is not given as it is."""
    crawler = response.glue_backend.get_crawler(response.parameters["Name"])
    for member, value in response.parameters.items():
        if member != "Name":
            setattr(crawler, xform_name(member), value)
    crawler.version += 1
    crawler.last_updated = _now(crawler.last_updated)
    return EmptyResult()


def _now(like: Any) -> Any:
    # Naive or aware, as moto's own times of this kind are.
    return type(like).now(like.tzinfo) if like.tzinfo else type(like).utcnow()


PATCHES = Patches(
    around(GlueResponse, "create_job", _create_job),
    around(FakeJob, "as_dict", _show_job),
    add(GlueResponse, "update_job", _update_job),
    add(GlueResponse, "update_crawler", _update_crawler),
)
