"""infra/pipeline.yaml as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def pipeline_template() -> dict[str, Any]:
    """The template, with what !Sub holds as it is written."""
    text = (Path(__file__).parents[1] / "infra" / "pipeline.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=_Plain)
    return loaded


class _Plain(yaml.SafeLoader):
    """CloudFormation's short forms as plain values."""


_Plain.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node)
    ),
)
