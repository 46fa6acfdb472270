"""`gluebook query`: run SQL in the warehouse."""

from __future__ import annotations

from typing import Annotated

import typer

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect


def query(
    sql: Annotated[str, typer.Argument(help="Run this SQL statement.")],
    as_json: options.JSON = False,
) -> None:
    """Run one SQL statement in the warehouse and show its rows.

    Example: gluebook query "select status, count(*) from support_tickets group by status"
    """
    rows = connect().warehouse.query(sql)
    if as_json:
        options.print_json(
            {"sql": sql, "columns": list(rows.columns), "rows": [list(row) for row in rows.rows]}
        )
    else:
        screens.out.print(screens.rows_table(sql, rows))
