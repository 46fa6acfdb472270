"""CREATE USER, CREATE ROLE, GRANT and REVOKE.

AWS docs: "CREATE USER", "CREATE ROLE", "GRANT" and "REVOKE" in the Amazon Redshift Database Developer Guide. Known
are SELECT, INSERT, UPDATE and DELETE on tables, USAGE and CREATE on schemas, and roles. The rest is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.functions import COMPAT_SCHEMA
from localaws.redshift.sql.names import parse_names, quoted
from localaws.redshift.sql.tokens import Sql
from localaws.redshift.users import ROLE, USER, Principal

RoleName = Callable[[str], str]
_ON_TABLES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_ON_SCHEMAS = frozenset({"USAGE", "CREATE"})
_KNOWN = "SELECT, INSERT, UPDATE, DELETE ON [TABLE] .., USAGE, CREATE ON SCHEMA .. and ROLE .."


def create_principal(sql: Sql, role_name: RoleName) -> str:
    """What to run for CREATE USER "name" [WITH] PASSWORD DISABLE, or CREATE ROLE name."""
    kind = sql.word(1).lower()
    name, index = _principal_name(sql, 2)
    if kind == USER:
        index += sql.word(index) == "WITH"
        if not sql.phrase(index, "PASSWORD", "DISABLE"):
            raise UnsupportedSql("CREATE USER is supported as CREATE USER .. PASSWORD DISABLE")
        index += 2
    if index != len(sql):
        raise UnsupportedSql(f"CREATE {kind.upper()} .. {sql.raw(index).upper()} isn't supported here")
    values = ", ".join("'" + text.replace("'", "''") + "'" for text in (name, kind, role_name(name)))
    return f"call {COMPAT_SCHEMA}.create_principal({values})"


def grant_or_revoke(sql: Sql, role_name: RoleName) -> tuple[Principal, ...]:
    """Rewrites GRANT .. TO or REVOKE .. FROM; returns who is named, all of whom must exist."""
    verb = sql.word(0)
    towards = "TO" if verb == "GRANT" else "FROM"
    if sql.word(1) == "ROLE":
        sql.delete(1, 1)
        named, index = _roles(sql, 2, role_name)
    else:
        named, index = [], _objects(sql, _privileges(sql, verb), verb)
    index = sql.expect(index, towards)
    while True:
        index = _grantee(sql, index, role_name, named)
        if sql.raw(index) != ",":
            break
        index += 1
    if index != len(sql):
        raise UnsupportedSql(f"{verb} .. {sql.raw(index).upper()} isn't supported here")
    return tuple(named)


def _privileges(sql: Sql, verb: str) -> int:
    """The index of ON, after the privileges; they must fit what is after it."""
    index, privileges = 1, set()
    while True:
        privileges.add(sql.word(index))
        index += 1
        if sql.raw(index) != ",":
            break
        index += 1
    on_schema = sql.word(index + 1) == "SCHEMA"
    if sql.word(index) != "ON" or not privileges <= (_ON_SCHEMAS if on_schema else _ON_TABLES):
        what = f" ON {sql.raw(index + 1).upper()}" if sql.word(index) == "ON" else ""
        raise UnsupportedSql(
            f"{verb} {', '.join(sorted(privileges))}{what} isn't supported here: only {_KNOWN}"
        )
    return index


def _objects(sql: Sql, on: int, verb: str) -> int:
    """The index after the tables or schemas; `on`: the index of ON."""
    if sql.word(on + 1) in ("ALL", "DATABASE", "FUNCTION", "PROCEDURE", "LANGUAGE", "DATASHARE", "MODEL"):
        raise UnsupportedSql(f"{verb} .. ON {sql.raw(on + 1).upper()} isn't supported here")
    _, index = parse_names(sql, on + 1 + (sql.word(on + 1) in ("TABLE", "SCHEMA")))
    return index


def _roles(sql: Sql, index: int, role_name: RoleName) -> tuple[list[Principal], int]:
    named: list[Principal] = []
    while True:
        name, after = _principal_name(sql, index)
        sql.replace(index, index, quoted(role_name(name)))
        named.append(Principal(ROLE, name))
        if sql.raw(after) != ",":
            return named, after
        index = after + 1


def _grantee(sql: Sql, index: int, role_name: RoleName, named: list[Principal]) -> int:
    """PUBLIC, a user, or ROLE and a role; adds who it is to `named`, and returns the index after it."""
    if sql.word(index) == "GROUP":
        raise UnsupportedSql("groups aren't supported here; use a role")
    if sql.word(index) == "PUBLIC":
        return index + 1
    kind = ROLE if sql.word(index) == "ROLE" else USER
    first = index
    name, index = _principal_name(sql, index + (kind == ROLE))
    sql.replace(first, index - 1, quoted(role_name(name)))
    named.append(Principal(kind, name))
    return index


def _principal_name(sql: Sql, index: int) -> tuple[str, int]:
    """A user's or role's name. Within quotes it keeps its case: `IAMR:Loader` is one."""
    if not sql.is_name(index):
        raise sql.syntax_error(index)
    token = sql.tokens[index]
    name = token.value if token.is_quoted else token.raw.lower()
    if name.lower() == "public":
        raise RedshiftError(f'role name "{name}" is reserved')
    return name, index + 1
