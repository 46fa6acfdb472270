"""Database users and roles: who a caller is in the database, and what stands for them in PostgreSQL.

AWS docs: "GetCredentials" (Amazon Redshift Serverless API): temporary credentials are those of a database user, made
when it is first needed, that has nothing but what PUBLIC has. Its name is `IAMR:` and the IAM role's name (Amazon
Bedrock User Guide, "Allow your Amazon Bedrock Knowledge Bases service role to access your data store", creates such a
user in advance), or `IAM:` and the IAM user's. So a role that is deleted and made again under its name is the same
database user. "Default database user permissions" (Database Developer Guide): PUBLIC has CREATE and USAGE on the
schema public; a user owns what it creates, and others need grants.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from localaws.redshift.sql.functions import COMPAT_SCHEMA

USER, ROLE = "user", "role"
# The system views that are known here, with the columns that are.
CATALOG_VIEWS = frozenset({"PG_USER", "SVV_ROLES"})


@dataclass(frozen=True)
class Principal:
    """A database user or role by Redshift's name for it; `kind` is USER or ROLE."""

    kind: str
    name: str


def database_user(role: str | None, arn: str) -> str:
    """The database user of a caller: an IAM role by its name, or an IAM user (or the account's root) by its ARN."""
    if role is not None:
        return f"IAMR:{role}"
    name = arn.rpartition("/")[2]
    # Not documented: how the query editor shows the root's connection.
    return "IAM:RootIdentity" if name == arn else f"IAM:{name}"


def postgres_role(database: str, name: str) -> str:
    """The PostgreSQL role of a database's user or role: named after both, as roles there are the whole server's."""
    return f"{database[:42]}_{hashlib.sha256(name.encode()).hexdigest()[:20]}"


# AWS docs: "System permissions for RBAC": CREATE USER and CREATE ROLE are for superusers (or those they let). "CREATE
# ROLE": a role's name can't be a user's. "SVV_ROLES": superusers see all of them, others those that they have.
INSTALL = rf"""
grant usage on schema {COMPAT_SCHEMA} to public;
grant create, usage on schema public to public;

create table {COMPAT_SCHEMA}.principals (name varchar primary key, kind varchar not null, role name not null unique);
create view {COMPAT_SCHEMA}.pg_user as
  select p.name as usename, r.rolsuper as usesuper
  from {COMPAT_SCHEMA}.principals p join pg_roles r on r.rolname = p.role where p.kind = '{USER}';
create view {COMPAT_SCHEMA}.svv_roles as
  select p.name as role_name from {COMPAT_SCHEMA}.principals p
  where p.kind = '{ROLE}' and pg_has_role(session_user, p.role, 'member');
grant select on {COMPAT_SCHEMA}.pg_user, {COMPAT_SCHEMA}.svv_roles to public;

create function {COMPAT_SCHEMA}.is_known(wanted_kind varchar, wanted varchar) returns boolean
language sql stable security definer
return exists (select from {COMPAT_SCHEMA}.principals p where p.kind = wanted_kind and p.name = wanted);

create procedure {COMPAT_SCHEMA}.create_principal(new_name varchar, new_kind varchar, new_role name)
language plpgsql security definer as $$
begin
  if not (select rolsuper from pg_roles where rolname = session_user) then
    raise exception using errcode = 'insufficient_privilege',
      message = format('permission denied to create %s', new_kind);
  end if;
  insert into {COMPAT_SCHEMA}.principals values (new_name, new_kind, new_role);
  execute format('create role %I', new_role);
exception when unique_violation then
  raise exception using errcode = 'duplicate_object', message = format('%s "%s" already exists', new_kind, new_name);
end $$;
"""
