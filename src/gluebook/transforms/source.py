"""What a source is: its file layout, and how its columns become the contract's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gluebook.datasets import Contract
from gluebook.framing import Layout


@dataclass(frozen=True)
class Source:
    """One system's file layout feeding a dataset.

    renames        source column -> contract column
    null_markers   texts that stand for "nothing here", besides the empty one
    time_patterns  Spark datetime patterns tried in order, after ISO 8601; times without a zone are UTC
    choices        contract column -> {lower-case text: contract value}; a text that isn't there is unknown
    """

    name: str
    contract: Contract
    layout: Layout
    renames: Mapping[str, str]
    null_markers: tuple[str, ...] = ()
    time_patterns: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
