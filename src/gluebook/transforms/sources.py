"""Every source there is, by dataset and name."""

from __future__ import annotations

from gluebook.errors import ConfigurationError
from gluebook.transforms.containers import CONTAINERS
from gluebook.transforms.helpdesk import HELPDESK
from gluebook.transforms.mongod import MONGOD
from gluebook.transforms.servicenow import SERVICENOW
from gluebook.transforms.source import Source

SOURCES = {
    (source.contract.name, source.name): source for source in (SERVICENOW, HELPDESK, MONGOD, CONTAINERS)
}


def source(dataset: str, name: str) -> Source:
    """The source `name` of `dataset`. Raises ConfigurationError naming the known ones."""
    try:
        return SOURCES[dataset, name]
    except KeyError:
        known = ", ".join(f"{d}/{s}" for d, s in SOURCES)
        raise ConfigurationError(f"no source {dataset}/{name}; there are {known}") from None
