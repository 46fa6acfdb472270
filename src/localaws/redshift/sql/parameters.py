"""ExecuteStatement's named parameters, put into the statement as strings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from localaws.redshift.errors import RedshiftError
from localaws.redshift.sql.tokens import Tokens, literal


def bind(text: str, values: Mapping[str, str]) -> str:
    """`text` with every :name replaced by its value as a string literal.

    AWS docs, "Running SQL statements with parameters": all values are strings, which take the type that the place
    needs. Raises RedshiftError for a name without a value or a value without a name.
    """
    if not values:
        return text
    used: set[str] = set()
    parts, copied = [], 0
    for colon, name in pairwise(Tokens(text).all):
        written = text[name.start : name.end + 1]
        if (
            colon.text != ":"
            or name.start != colon.end + 1
            or not (written[0].isalpha() or written[0] == "_")
        ):
            continue
        if written not in values:
            raise RedshiftError(f"Parameter {written} has no value in Parameters")
        used.add(written)
        parts += [text[copied : colon.start], literal(values[written])]
        copied = name.end + 1
    if unused := sorted(values.keys() - used):
        raise RedshiftError(f"Parameters list contains unused parameters. Unused parameters: {unused}")
    return "".join([*parts, text[copied:]])
