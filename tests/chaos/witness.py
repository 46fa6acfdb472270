"""`python -m chaos.witness ...`: pytest, which also tells in its report which sources it ran, and who died of what.

An invocation or a job run that dies is no failure to a test, only the rows that are lost by it. So whoever breaks
the code on purpose must know whether it was broken as intended, or so that nothing works any more.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from unittest import mock

import psycopg
import pytest

import chaos
import gluebook
from chaos.redshift import Redshift, StatementFailed
from chaos.world import World

SOURCES, DIED = "sources", "died"
# Class 42 of SQLSTATE: the statement itself is wrong. PostgreSQL docs, "PostgreSQL Error Codes".
_WRONG_SQL = "42"


class Witness:
    """A plugin of pytest: every test's report gets `sources` and, as often as somebody died, `died`."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        item.user_properties += [(SOURCES, str(package.__file__)) for package in (gluebook, chaos)]
        died: list[str] = []
        transaction, close = Redshift.transaction, World.close

        def told(world: World) -> None:
            died.extend(world.errors)
            close(world)

        def run(*values: object, **named: object) -> object:
            try:
                return transaction(*values, **named)  # type: ignore[arg-type]
            except StatementFailed as failed:
                cause = failed.__cause__
                if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith(_WRONG_SQL):
                    died.append(f"statement 0: {type(cause).__name__}: {cause}")
                raise

        with mock.patch.object(World, "close", told), mock.patch.object(Redshift, "transaction", run):
            try:
                yield
            finally:
                item.user_properties += [(DIED, text) for text in died]


if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:], plugins=[Witness()]))
