"""The PostgreSQL that serves as Redshift's engine: the wheel's server, or a database in an existing one."""

from __future__ import annotations

import contextlib
import logging
import secrets

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from localaws.errors import LocalAwsError
from localaws.redshift.postgres.binaries import MIN_MAJOR
from localaws.redshift.postgres.server import Server

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_SECONDS = 30
_PREFIX = "localaws"


class Postgres:
    """A running PostgreSQL. `uri` is a libpq connection string with the password in it.

    Use `start`, and `stop` when done, or as a context manager.
    """

    def __init__(self, uri: str, server: Server | None, prefix: str | None) -> None:
        self.uri = uri
        self._server = server
        self._prefix = prefix

    @classmethod
    def start(cls, uri: str | None = None) -> Postgres:
        """Starts the wheel's server, or creates a temporary database in the PostgreSQL >= 15 at `uri`.

        The wheel's server listens on 127.0.0.1 only, with a password (SCRAM), and ends with this process even if
        that is killed. Raises LocalAwsError, saying what to do.
        """
        if uri is not None:
            return cls._in_existing(uri)
        server = Server.start()
        return cls(server.uri, server, None)

    @classmethod
    def _in_existing(cls, uri: str) -> Postgres:
        name = f"{_PREFIX}_{secrets.token_hex(6)}"
        try:
            with psycopg.connect(
                uri, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_SECONDS
            ) as connection:
                version = connection.info.server_version // 10000
                if version < MIN_MAJOR:
                    raise LocalAwsError(
                        f"the PostgreSQL given has version {version}: {MIN_MAJOR} or newer is needed"
                    )
                (superuser,) = connection.execute(
                    "select rolsuper from pg_roles where rolname = session_user"
                ).fetchone() or (False,)
                if not superuser:
                    raise LocalAwsError(
                        f"the PostgreSQL user at {_place(uri)} is no superuser: one is needed, to stand for each of "
                        "Redshift's database users in turn"
                    )
                connection.execute(
                    sql.SQL("create database {} template template0").format(sql.Identifier(name))
                )
        except psycopg.Error as error:
            host = _place(uri)
            raise LocalAwsError(
                f"can't use the PostgreSQL at {host}: {error}; give the URI of one where databases may be created"
            ) from error
        return cls(make_conninfo(uri, dbname=name), None, name)

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Postgres({_place(self.uri)})"

    def crash(self) -> None:
        """Kill -9 the server with all its processes, mid-statement, and start it again: same port, same data.

        What was committed is there afterwards, what wasn't is not. Data API statements that were running FAIL with
        a lost connection; those that are submitted meanwhile wait. Raises LocalAwsError, also for a PostgreSQL
        that was given by URI: it isn't ours to kill.
        """
        if self._server is None:
            raise LocalAwsError(
                "only the laptop's own PostgreSQL can be killed, not one that was given by URI"
            )
        self._server.crash()

    def stop(self) -> None:
        """Ends the server, or drops what was created in a given one. Repeatable."""
        server, prefix, self._server, self._prefix = self._server, self._prefix, None, None
        if server is not None:
            server.stop()
        if prefix is not None:
            _drop_databases(self.uri, prefix)


def _place(uri: str) -> str:
    """Host, port and database, without user and password."""
    with contextlib.suppress(psycopg.Error):
        parts = conninfo_to_dict(uri)
        return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
    return "the URI given"


def _drop_databases(uri: str, prefix: str) -> None:
    """Drops the databases whose names begin with `prefix`, connections to them included, and their users' roles."""
    for maintenance in ("postgres", "template1"):
        try:
            with psycopg.connect(make_conninfo(uri, dbname=maintenance), autocommit=True) as connection:
                found = connection.execute(
                    "select datname from pg_database where starts_with(datname::text, %s)", (prefix,)
                ).fetchall()
                for (name,) in found:
                    connection.execute(
                        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
                    )
                roles = connection.execute(
                    "select rolname from pg_roles where starts_with(rolname::text, %s)", (f"{prefix}_",)
                ).fetchall()
                for (name,) in roles:
                    connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
                return
        except psycopg.OperationalError as error:
            _log.warning("can't drop databases %s* from %s: %s", prefix, maintenance, error)
