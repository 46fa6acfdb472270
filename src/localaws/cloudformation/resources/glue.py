"""AWS::Glue::Job, Crawler, Database and Table."""

from __future__ import annotations

from typing import Any

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError, without
from ..shapes import call, retag


class Job(ResourceType):
    """`Ref` is the job's name. A changed job keeps its runs."""

    type_name = "AWS::Glue::Job"
    name_property = "Name"
    name_limit = 255

    def create(self, at: Place, properties: Properties) -> Made:
        glue, name = at.client("glue"), properties["Name"]
        # The laptop's Glue would overwrite a job of that name, its runs included.
        if name in glue.list_jobs(MaxResults=1000)["JobNames"]:
            raise TemplateError(f"Job {name} already exists")
        call(glue, "CreateJob", dict(properties))
        return Made(name)

    def update(self, at: Place, change: Change) -> Made:
        glue = at.client("glue")
        # AWS docs: UpdateJob overwrites the whole definition.
        job = without(change.new, "Name", "Tags")
        call(glue, "UpdateJob", {"JobName": change.made.ref, "JobUpdate": job})
        retag(glue, _arn(at, "job", change.made.ref), change)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        glue = at.client("glue")
        _untag(glue, _arn(at, "job", existing.made.ref), existing)
        glue.delete_job(JobName=existing.made.ref)


_CRAWLER_DEFAULTS: dict[str, Any] = {
    "Classifiers": [],
    "Configuration": "",
    "CrawlerSecurityConfiguration": "",
    "DatabaseName": "",
    "Description": "",
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
    "Schedule": "",
    "SchemaChangePolicy": {
        "UpdateBehavior": "UPDATE_IN_DATABASE",
        "DeleteBehavior": "DEPRECATE_IN_DATABASE",
    },
    "TablePrefix": "",
}


class Crawler(ResourceType):
    """`Ref` is the crawler's name."""

    type_name = "AWS::Glue::Crawler"
    not_implemented = frozenset({"LakeFormationConfiguration"})
    name_property = "Name"
    name_limit = 255

    def create(self, at: Place, properties: Properties) -> Made:
        call(at.client("glue"), "CreateCrawler", _crawler(properties))
        return Made(properties["Name"])

    def update(self, at: Place, change: Change) -> Made:
        glue = at.client("glue")
        # AWS docs: UpdateCrawler does not change what is not given.
        defaults = {name: _CRAWLER_DEFAULTS[name] for name in change.changed if name in _CRAWLER_DEFAULTS}
        call(glue, "UpdateCrawler", {**defaults, **without(_crawler(change.new), "Tags")})
        retag(glue, _arn(at, "crawler", change.made.ref), change)
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        glue = at.client("glue")
        _untag(glue, _arn(at, "crawler", existing.made.ref), existing)
        glue.delete_crawler(Name=existing.made.ref)


def _crawler(properties: Properties) -> dict[str, Any]:
    wanted = dict(properties)
    if "Schedule" in wanted:
        schedule = wanted["Schedule"]
        if set(schedule) != {"ScheduleExpression"}:
            raise TemplateError("Schedule: only ScheduleExpression is known")
        wanted["Schedule"] = schedule["ScheduleExpression"]
    return wanted


class Database(ResourceType):
    """A database of the Data Catalog. `Ref` is its name."""

    type_name = "AWS::Glue::Database"
    deletes = ("glue", "DeleteDatabase", "Name")
    replacing = frozenset({"CatalogId"})

    def create(self, at: Place, properties: Properties) -> Made:
        _check_catalog(at, properties)
        name = properties.get("DatabaseName") or properties["DatabaseInput"].get("Name")
        name = name or at.generated_name(255, lower=True)
        call(at.client("glue"), "CreateDatabase", {"DatabaseInput": _input(properties, name)})
        return Made(name)

    def check(self, change: Change) -> None:
        super().check(change)
        old, new = (it["DatabaseInput"].get("Name") for it in (change.old, change.new))
        if old != new:
            raise TemplateError("DatabaseInput.Name can't be changed: rename the resource as well")

    def update(self, at: Place, change: Change) -> Made:
        request = {"Name": change.made.ref, "DatabaseInput": _input(change.new, change.made.ref)}
        call(at.client("glue"), "UpdateDatabase", request)
        return change.made


class Table(ResourceType):
    """A table of the Data Catalog that the template describes, beside those that crawlers find. `Ref` is its name."""

    type_name = "AWS::Glue::Table"
    not_implemented = frozenset({"OpenTableFormatInput"})
    needed = frozenset({"TableInput"})

    def create(self, at: Place, properties: Properties) -> Made:
        _check_catalog(at, properties)
        name = (
            properties.get("Name")
            or properties["TableInput"].get("Name")
            or at.generated_name(255, lower=True)
        )
        call(at.client("glue"), "CreateTable", _table(properties, name))
        return Made(name)

    def update(self, at: Place, change: Change) -> Made:
        # AWS docs: UpdateTable overwrites the whole definition.
        call(at.client("glue"), "UpdateTable", _table(change.new, change.made.ref))
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        at.client("glue").delete_table(
            DatabaseName=existing.properties["DatabaseName"], Name=existing.made.ref
        )


def _table(properties: Properties, name: str) -> dict[str, object]:
    return {
        "DatabaseName": properties["DatabaseName"],
        "TableInput": {**properties["TableInput"], "Name": name},
    }


def _check_catalog(at: Place, properties: Properties) -> None:
    if str(properties["CatalogId"]) != at.account:
        raise TemplateError(f"CatalogId: the laptop has one account, {at.account}")


# What the laptop's catalog keeps; the rest would be lost.
_KEPT = {
    "CreateTableDefaultPermissions",
    "Description",
    "LocationUri",
    "Name",
    "Parameters",
    "TargetDatabase",
}


def _input(properties: Properties, name: str) -> dict[str, Any]:
    unknown = sorted(set(properties["DatabaseInput"]) - _KEPT)
    if unknown:
        raise TemplateError(f"Encountered unsupported property {', '.join(unknown)} in DatabaseInput")
    return {**properties["DatabaseInput"], "Name": name}


def _arn(at: Place, kind: str, name: str) -> str:
    return f"arn:aws:glue:{at.region}:{at.account}:{kind}/{name}"


def _untag(glue: Any, arn: str, existing: Existing) -> None:
    # The laptop's Glue would give the tags to the next resource of that name.
    retag(glue, arn, Change(existing.made, existing.properties, {}))
