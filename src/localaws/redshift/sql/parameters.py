"""ExecuteStatement's named parameters, put into the statement as strings."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.redshift.errors import RedshiftError
from localaws.redshift.sql.tokens import Sql


def bind(text: str, values: Mapping[str, str]) -> str:
    """`text` with every :name replaced by its value as a string literal.

    AWS docs, "Running SQL statements with parameters": all values are strings, which take the type that the place
    needs. Raises RedshiftError for a name without a value or a value without a name.
    """
    if not values:
        return text
    sql = Sql(text)
    used: set[str] = set()
    for index, token in enumerate(sql.tokens[:-1]):
        name = sql.tokens[index + 1]
        if token.raw != ":" or not name.is_word or name.start != token.end:
            continue
        if name.raw not in values:
            raise RedshiftError(f"Parameter {name.raw} has no value in Parameters")
        used.add(name.raw)
        sql.replace(index, index + 1, literal(values[name.raw]))
    if unused := sorted(values.keys() - used):
        raise RedshiftError(f"Parameters list contains unused parameters. Unused parameters: {unused}")
    return sql.render()


def literal(value: str) -> str:
    """A string literal as Redshift reads it: quotes doubled, backslashes too."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
