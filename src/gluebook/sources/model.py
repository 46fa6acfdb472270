"""What a source is: its file layout, and how its columns become the contract's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gluebook.contracts import Contract
from gluebook.sources.framing import Layout


@dataclass(frozen=True)
class Source:
    """One system's file layout feeding a dataset.

    renames        source column -> contract column
    null_markers   texts that stand for "nothing here", besides the empty one
    time_patterns  Spark datetime patterns tried in order, after ISO 8601; times without a zone are UTC
    choices        contract column -> {lower-case text: contract value}; a text that isn't there is unknown
    left_out       source columns that hold a person and that the contract has no column for
    private        source columns that tell of a person what nobody needs; they don't stay in quarantine either
    prose          source columns in which people write sentences, and so may be named
    inside         columns that stand inside another one, such as a key of JSON in a CSV field -> the file's column
    """

    name: str
    contract: Contract
    layout: Layout
    renames: Mapping[str, str]
    null_markers: tuple[str, ...] = ()
    time_patterns: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    inside: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are known once a record has been read."""
        return tuple(dict.fromkeys((*self.layout.columns, *self.inside, *self.renames)))

    @property
    def persons(self) -> tuple[str, ...]:
        """Source columns that become a keyed hash."""
        return tuple(old for old, new in self.renames.items() if self.contract.column(new).personal)

    @property
    def texts(self) -> tuple[str, ...]:
        """Source columns whose text is taken over as it is, and may hold anything."""
        targets = {old: self.contract.column(new) for old, new in self.renames.items()}
        return tuple(old for old, new in targets.items() if new.is_free_text)
