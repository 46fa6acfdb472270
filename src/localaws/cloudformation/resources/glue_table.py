"""AWS::Glue::Table: a table that the template describes, beside those that crawlers find."""

from __future__ import annotations

from ..resource import Change, Existing, Made, Place, Properties, ResourceType, TemplateError
from ..shapes import call


class Table(ResourceType):
    """A table of the Data Catalog. `Ref` is its name."""

    type_name = "AWS::Glue::Table"
    not_implemented = frozenset({"OpenTableFormatInput"})
    needed = frozenset({"TableInput"})

    def create(self, at: Place, properties: Properties) -> Made:
        if str(properties["CatalogId"]) != at.account:
            raise TemplateError(f"CatalogId: the laptop has one account, {at.account}")
        name = _name(properties) or at.generated_name(255, lower=True)
        call(at.client("glue"), "CreateTable", _request(properties, name))
        return Made(name)

    def update(self, at: Place, change: Change) -> Made:
        # AWS docs: UpdateTable overwrites the whole definition.
        call(at.client("glue"), "UpdateTable", _request(change.new, change.made.ref))
        return change.made

    def delete(self, at: Place, existing: Existing) -> None:
        database = existing.properties["DatabaseName"]
        at.client("glue").delete_table(DatabaseName=database, Name=existing.made.ref)


def _name(properties: Properties) -> str:
    return str(properties.get("Name") or properties["TableInput"].get("Name") or "")


def _request(properties: Properties, name: str) -> dict[str, object]:
    return {
        "DatabaseName": properties["DatabaseName"],
        "TableInput": {**properties["TableInput"], "Name": name},
    }
