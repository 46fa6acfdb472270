"""What a source is: how files are cut, how records become fields, and how fields become the contract's columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from gluebook.contracts import PROVENANCE, Contract, contract
from gluebook.errors import ConfigurationError
from gluebook.sources.blanks import BLANKS
from gluebook.sources.csv_fields import csv_fields
from gluebook.sources.fields import Parser, repeated
from gluebook.sources.framing import Layout
from gluebook.sources.times import problem_of_pattern

# Filled by the job, from where the record stood.
_FILLED = ("source", *(column.name for column in PROVENANCE))


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
    time_patterns  Spark datetime patterns tried in order, after ISO 8601; times without an offset are UTC
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

    def __post_init__(self) -> None:
        """Raises ConfigurationError if what is given can't work, naming the field and what would be right."""
        _refuse_invalid(self)

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


# -- what can be wrong with a source --------------------------------------------------------------------------


def _refuse_invalid(source: Source) -> None:
    faults = [fault for check in _CHECKS for fault in check(source)]
    if faults:
        raise ConfigurationError(f"source {source.contract.name}/{source.name}: {'; '.join(faults)}")


def _columns(source: Source) -> Iterator[str]:
    if not source.renames:
        yield "renames is empty: name the contract column that each source column becomes"
    for name in source.columns:
        if name != name.strip(BLANKS) or not name or "`" in name:
            yield f"column {name!r} can't be one: its name is blank, has blanks around it or holds a `"
        elif name.startswith("_") or name == "dt":
            yield f"column {name!r} is one of the job's own; let `parse` call it something else"
    for name in repeated(source.columns):
        yield f"column {name!r} stands in more than one of renames, left_out and private; it can be in one"


def _targets(source: Source) -> Iterator[str]:
    for given_by, targets in (("renames", source.renames.values()), ("derive", source.derive)):
        for name in targets:
            if name in _FILLED:
                yield f"{given_by} gives {name}, which the job fills itself; take it out"
            elif name not in source.contract.names:
                yield f"{given_by} gives {name}, a column that {_known(source.contract.name, source.contract.names)}"
    for name in repeated(source.targets):
        yield f"{name} is given more than once by renames and derive; one of them may give it"


def _choices(source: Source) -> Iterator[str]:
    enumerated = {c.name: c.allowed for c in source.contract.columns if c.allowed}
    needed = [name for name in source.renames.values() if name in enumerated]
    for name in needed:
        if not source.choices.get(name):
            yield f"choices lacks {name}: say which text means which of {', '.join(enumerated[name])}"
    for name, meanings in source.choices.items():
        if name not in needed:
            yield f"choices has {name}, which no column becomes that the contract enumerates; take it out"
            continue
        for text, value in meanings.items():
            if text != text.lower().strip(BLANKS) or not text:
                right = text.lower().strip(BLANKS)
                yield f"choices of {name}: {text!r} never matches; texts are in lower case and trimmed: {right!r}"
            if value not in enumerated[name]:
                yield f"choices of {name}: {text!r} means {value!r}, which is none of {', '.join(enumerated[name])}"


def _people(source: Source) -> Iterator[str]:
    for name in source.prose:
        if name not in source.renames:
            yield f"prose has {name!r}, which is no key of renames"
        elif name not in source.texts:
            yield f"prose has {name!r}, which becomes {source.renames[name]}: that is no free text"
    if source.prose and not (source.persons or source.left_out):
        yield (
            "prose without a person: whom it may name is known from a column that becomes one of "
            f"{', '.join(source.contract.personal) or 'no column of the contract'}, or is in left_out"
        )


def _layout(source: Source) -> Iterator[str]:
    if source.layout.framing != "csv" and source.layout.required:
        yield "layout.required is for csv, whose files have a header; take it out"
    if source.parse is not csv_fields:
        return
    for name in source.layout.required:
        if name not in source.columns:
            yield f"layout.required has {name!r}, a column that {_known('the source', source.columns)}"
    for old, new in source.renames.items():
        column = next((c for c in source.contract.columns if c.name == new), None)
        if column is not None and not column.nullable and old not in source.layout.required:
            yield f"layout.required lacks {old!r}: without {new} every record is a reject"


def _texts(source: Source) -> Iterator[str]:
    for marker in source.null_markers:
        if marker != marker.strip(BLANKS) or not marker:
            yield f"null_markers has {marker!r}: values are trimmed first, and the empty one is null anyway"
    for pattern in source.time_patterns:
        if fault := problem_of_pattern(pattern):
            yield f"time_patterns has {pattern!r}: {fault}"


_CHECKS: tuple[Callable[[Source], Iterator[str]], ...] = (
    _columns,
    _targets,
    _choices,
    _people,
    _layout,
    _texts,
)


def _known(whose: str, names: Collection[str]) -> str:
    return f"{whose} lacks; it has {', '.join(names)}"
