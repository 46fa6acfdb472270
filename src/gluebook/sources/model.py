"""What a source is: how files are cut, how records become fields, and how fields become the contract's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gluebook.contracts import Contract, contract
from gluebook.sources.csv_fields import csv_fields
from gluebook.sources.fields import Parser
from gluebook.sources.framing import Layout


def identity(module: str) -> tuple[str, Contract]:
    """The name and the contract of the source in `<...>.<dataset>.<name>`. Raises ConfigurationError."""
    *_, dataset, name = module.split(".")
    return name, contract(dataset)


@dataclass(frozen=True)
class Source:
    """One system's files feeding a dataset. A source column is a field of its records.

    layout         how a file is cut into records
    parse          how a record becomes fields, in plain Python; CSV by the names in the header unless said otherwise
    renames        source column -> contract column
    null_markers   texts that stand for "nothing here", besides the empty one
    time_patterns  Spark datetime patterns tried in order, after ISO 8601; times without a zone are UTC
    choices        contract column -> {lower-case text: contract value}; a text that isn't there is unknown
    left_out       source columns that hold a person and that the contract has no column for
    private        source columns that tell of a person what nobody needs; they don't stay in quarantine either
    prose          source columns in which people write sentences, and so may be named
    derive         contract column -> Spark SQL over the renamed and typed columns, `source` and `dt`: what only this
                   source can tell
    """

    name: str
    contract: Contract
    layout: Layout
    renames: Mapping[str, str]
    parse: Parser = csv_fields
    null_markers: tuple[str, ...] = ()
    time_patterns: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    derive: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """All source columns that are read; others that the parser gives are left out."""
        return (*self.renames, *self.left_out, *self.private)

    @property
    def targets(self) -> tuple[str, ...]:
        """The contract columns that this source has."""
        return (*self.renames.values(), *self.derive)

    @property
    def persons(self) -> tuple[str, ...]:
        """Source columns that become a keyed hash."""
        return tuple(old for old, new in self.renames.items() if self.contract.column(new).personal)

    @property
    def texts(self) -> tuple[str, ...]:
        """Source columns whose text is taken over as it is, and may hold anything."""
        targets = {old: self.contract.column(new) for old, new in self.renames.items()}
        return tuple(old for old, new in targets.items() if new.is_free_text)
