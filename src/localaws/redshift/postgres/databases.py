"""One PostgreSQL database for each database of each workgroup, created at its first use."""

from __future__ import annotations

import hashlib
import threading

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from localaws.redshift.postgres import compat
from localaws.redshift.postgres.connecting import connect
from localaws.redshift.users import USER, postgres_role


class Databases:
    """Where workgroups' databases are. Their names begin with that of the database in `uri`."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._ready: set[str] = set()
        self._users: set[tuple[str, str]] = set()

    def conninfo(self, workgroup: str, database: str) -> str:
        """The connection string of a workgroup's database, which exists on return. Raises psycopg.Error."""
        name = self._name(workgroup, database)
        with self._lock:
            if name not in self._ready:
                self._create(name)
                self._ready.add(name)
        return make_conninfo(self._uri, dbname=name)

    def role_name(self, workgroup: str, database: str, name: str) -> str:
        """PostgreSQL's name of a user or role of a workgroup's database."""
        return postgres_role(self._name(workgroup, database), name)

    def log_in(self, workgroup: str, database: str, user: str, *, superuser: bool) -> str:
        """The PostgreSQL role of a user of a workgroup's database, created at its first use. Raises psycopg.Error."""
        conninfo, role = self.conninfo(workgroup, database), self.role_name(workgroup, database, user)
        with self._lock:
            if (conninfo, user) not in self._users:
                _ensure_user(conninfo, user, role, superuser=superuser)
                self._users.add((conninfo, user))
        return role

    def _name(self, workgroup: str, database: str) -> str:
        prefix = str(conninfo_to_dict(self._uri).get("dbname") or "localaws")
        digest = hashlib.sha256(f"{workgroup}/{database}".encode()).hexdigest()[:12]
        return f"{prefix[:48]}_{digest}"

    def _create(self, name: str) -> None:
        with connect(self._uri, autocommit=True) as connection:
            exists = connection.execute("select from pg_database where datname = %s", (name,)).fetchone()
            if exists is None:
                connection.execute(
                    sql.SQL("create database {} template template0").format(sql.Identifier(name))
                )
        with connect(make_conninfo(self._uri, dbname=name)) as connection:
            if connection.execute("select to_regnamespace('redshift') is null").fetchone() == (True,):
                compat.install(connection)


def _ensure_user(conninfo: str, user: str, role: str, *, superuser: bool) -> None:
    with connect(conninfo) as connection:
        found = connection.execute("select from redshift.principals where name = %s", (user,)).fetchone()
        if found is None:
            connection.execute("call redshift.create_principal(%s, %s, %s)", (user, USER, role))
        if superuser:
            connection.execute(sql.SQL("alter role {} superuser").format(sql.Identifier(role)))
