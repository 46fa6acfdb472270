"""Parse the CloudFormation template, with short forms (`!Ref`) expanded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gluebook.errors import ConfigurationError


def parse_template(template: Path) -> dict[str, Any]:
    """Parse a template. Raises ConfigurationError if it is unreadable."""
    from awscli.customizations.cloudformation.yamlhelper import yaml_parse  # slow to import

    try:
        parsed = yaml_parse(template.read_text(encoding="utf-8"))
        return {"Parameters": {}, **parsed, "Resources": dict(parsed["Resources"])}
    except Exception as error:  # noqa: BLE001 - whatever a YAML parser raises
        raise ConfigurationError(f"cannot parse template {template}: {error}") from None
