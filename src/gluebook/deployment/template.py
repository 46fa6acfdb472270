"""The CloudFormation template as YAML says it, its short forms (`!Ref`) spelled out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gluebook.errors import ConfigurationError


def parse_template(template: Path) -> dict[str, Any]:
    """Raises ConfigurationError if the template can't be read."""
    from awscli.customizations.cloudformation.yamlhelper import yaml_parse  # slow to import

    try:
        parsed = yaml_parse(template.read_text(encoding="utf-8"))
        return {"Parameters": {}, **parsed, "Resources": dict(parsed["Resources"])}
    except Exception as error:  # noqa: BLE001 - whatever a YAML parser raises
        raise ConfigurationError(f"{template} is no template: {error}") from None
