"""`python -m chaos.witness ...`: pytest with a report of the executed sources and of the errors that ended actors.

An invocation or job run that dies does not fail a test; only lost rows do. So the mutation runner must know whether
the code fails as intended or does not work at all.
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
    """A plugin of pytest: every test's report gets `sources`, and `died` for each actor that died."""

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
