"""CREATE USER, CREATE ROLE, GRANT and REVOKE.

AWS docs: "CREATE USER", "CREATE ROLE", "GRANT" and "REVOKE" in the Amazon Redshift Database Developer Guide. Known
are SELECT, INSERT, UPDATE and DELETE on tables, USAGE and CREATE on schemas, and roles. The rest is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.sql.functions import COMPAT_SCHEMA
from localaws.redshift.sql.tokens import Tokens, quoted
from localaws.redshift.users import ROLE, USER, Principal

RoleName = Callable[[str], str]
_ON_TABLES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_ON_SCHEMAS = frozenset({"USAGE", "CREATE"})
_OTHER_OBJECTS = frozenset({"ALL", "DATABASE", "FUNCTION", "PROCEDURE", "LANGUAGE", "DATASHARE", "MODEL"})
_KNOWN = "SELECT, INSERT, UPDATE, DELETE ON [TABLE] .., USAGE, CREATE ON SCHEMA .. and ROLE .."


def create_principal(tokens: Tokens, role_name: RoleName) -> str:
    """What to run for CREATE USER "name" [WITH] PASSWORD DISABLE, or CREATE ROLE name."""
    tokens.expect("CREATE")
    kind = tokens.next_word().lower()
    name = _principal_name(tokens)
    if kind == USER:
        tokens.take("WITH")
        if not tokens.take("PASSWORD", "DISABLE"):
            raise UnsupportedSql("CREATE USER is supported as CREATE USER .. PASSWORD DISABLE")
    _end(tokens, f"CREATE {kind.upper()}")
    values = ", ".join("'" + text.replace("'", "''") + "'" for text in (name, kind, role_name(name)))
    return f"call {COMPAT_SCHEMA}.create_principal({values})"


def grant_or_revoke(tokens: Tokens, role_name: RoleName) -> tuple[str, tuple[Principal, ...]]:
    """What to run for GRANT .. TO or REVOKE .. FROM, and who is named in it, all of whom must exist."""
    verb = tokens.next_word()
    towards = {"GRANT": "TO", "REVOKE": "FROM"}[verb]
    named: list[Principal] = []

    def principal(kind: str) -> str:
        named.append(Principal(kind, _principal_name(tokens)))
        return quoted(role_name(named[-1].name))

    def grantee() -> str:
        if tokens.word == "GROUP":
            raise UnsupportedSql("groups aren't supported here; use a role")
        if tokens.take("PUBLIC"):
            return "public"
        return principal(ROLE if tokens.take("ROLE") else USER)

    of_roles = tokens.take("ROLE")
    what = ", ".join(tokens.csv(partial(principal, ROLE))) if of_roles else _privileges(tokens, verb)
    tokens.expect(towards)
    grantees = ", ".join(tokens.csv(grantee))
    _end(tokens, verb)
    return f"{verb} {what} {towards} {grantees}", tuple(named)


def _privileges(tokens: Tokens, verb: str) -> str:
    """Privileges ON tables or schemas, which must fit each other."""
    privileges = tokens.csv(tokens.next_word)
    on = tokens.take("ON")
    on_schema = on and tokens.take("SCHEMA")
    if not on or not set(privileges) <= (_ON_SCHEMAS if on_schema else _ON_TABLES):
        what = f" ON {'SCHEMA' if on_schema else tokens.raw.upper()}" if on else ""
        raise UnsupportedSql(f"{verb} {', '.join(privileges)}{what} isn't supported here: only {_KNOWN}")
    if tokens.word in _OTHER_OBJECTS:
        raise UnsupportedSql(f"{verb} .. ON {tokens.word} isn't supported here")
    tokens.take("TABLE")
    objects = ", ".join(tokens.csv(tokens.table))
    return f"{', '.join(privileges)} ON {'SCHEMA' if on_schema else 'TABLE'} {objects}"


def _principal_name(tokens: Tokens) -> str:
    """A user's or role's name. Within quotes it keeps its case: `IAMR:Loader` is one."""
    name = tokens.name(folded=False)
    if name.lower() == "public":
        raise RedshiftError(f'role name "{name}" is reserved')
    return name


def _end(tokens: Tokens, statement: str) -> None:
    if not tokens.ended:
        raise UnsupportedSql(f"{statement} .. {tokens.raw.upper()} isn't supported here")
