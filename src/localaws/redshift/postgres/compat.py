"""Redshift's functions that PostgreSQL lacks or defines otherwise; installed once per database."""

from __future__ import annotations

from typing import Any

import psycopg

from localaws.redshift import users

# All in a schema of their own and called by their full names, so that nothing of PostgreSQL's is shadowed.
_SQL = r"""
create schema redshift;

-- AWS docs: GETDATE is the start of the statement, in whole seconds; SYSDATE that of the transaction.
create function redshift.getdate() returns timestamp language sql stable
return date_trunc('second', statement_timestamp() at time zone 'UTC');
create function redshift.sysdate() returns timestamp language sql stable
return transaction_timestamp() at time zone 'UTC';

create function redshift.boundary(part text, at timestamp) returns bigint language sql immutable strict
return case part
  when 'year' then extract(year from at)
  when 'quarter' then extract(year from at) * 4 + extract(quarter from at)
  when 'month' then extract(year from at) * 12 + extract(month from at)
  when 'day' then at::date - date '2000-01-01'
  when 'hour' then floor(extract(epoch from at) / 3600)
  when 'minute' then floor(extract(epoch from at) / 60)
  when 'second' then floor(extract(epoch from at))
  when 'millisecond' then floor(extract(epoch from at) * 1000)
  when 'microsecond' then extract(epoch from at) * 1000000
end;
-- AWS docs: DATEDIFF counts the boundaries that are crossed.
create function redshift.datediff(part text, since timestamp, until timestamp) returns bigint
language sql immutable strict return redshift.boundary(part, until) - redshift.boundary(part, since);

create function redshift.dateadd(part text, number bigint, at timestamp) returns timestamp
language sql immutable strict return at + number * case part
  when 'year' then interval '1 year'
  when 'quarter' then interval '3 months'
  when 'month' then interval '1 month'
  when 'week' then interval '1 week'
  when 'day' then interval '1 day'
  when 'hour' then interval '1 hour'
  when 'minute' then interval '1 minute'
  when 'second' then interval '1 second'
  when 'millisecond' then interval '1 millisecond'
  when 'microsecond' then interval '1 microsecond'
end;

-- PostgreSQL makes a TIMESTAMPTZ of a DATE.
create function redshift.date_trunc(part text, at timestamp) returns timestamp language sql immutable strict
return pg_catalog.date_trunc(part, at);
create function redshift.date_trunc(part text, at timestamptz) returns timestamptz language sql stable strict
return pg_catalog.date_trunc(part, at);
create function redshift.date_trunc(part text, at date) returns timestamp language sql immutable strict
return pg_catalog.date_trunc(part, at::timestamp);
create function redshift.whole(value numeric) returns bigint language sql immutable strict
return floor(value)::bigint;

-- NULL if either is NULL; PostgreSQL's leaves NULLs out.
create function redshift.concat(a varchar, b varchar) returns varchar language sql immutable return a || b;
create function redshift.charindex(part varchar, whole varchar) returns integer language sql immutable strict
return strpos(whole, part);
-- Every occurrence; PostgreSQL's replaces the first.
create function redshift.regexp_replace(source varchar, pattern varchar, replacement varchar default '')
returns varchar language sql immutable strict return pg_catalog.regexp_replace(source, pattern, replacement, 'g');

create function redshift.sha2(value varchar, bits integer) returns varchar language plpgsql immutable strict as $$
declare input bytea := convert_to(value, 'UTF8');
begin
  return encode(case bits when 224 then sha224(input) when 384 then sha384(input) when 512 then sha512(input)
                          when 256 then sha256(input) when 0 then sha256(input) end, 'hex');
end $$;

-- Redshift cuts at a character's end within n bytes. A UTF-8 character begins at a byte that isn't 10xxxxxx.
create function redshift.varchar_bytes(value varchar, bytes integer) returns varchar
language plpgsql immutable strict parallel safe as $$
declare
  input bytea;
  stop integer := bytes;
begin
  if octet_length(value) <= bytes then return value; end if;
  input := convert_to(value, 'UTF8');
  while stop > 0 and (get_byte(input, stop) & 192) = 128 loop stop := stop - 1; end loop;
  return convert_from(substring(input from 1 for stop), 'UTF8');
end $$;

-- JSON_PARSE reads JSON; a cast to SUPER makes a JSON string of a string.
create function redshift.json_parse(value varchar) returns jsonb language sql immutable strict return value::jsonb;
create function redshift.to_super(value varchar) returns jsonb language sql immutable strict
return to_jsonb(value::text);
create function redshift.to_super(value anyelement) returns jsonb language sql immutable strict
as $$ select to_jsonb(value) $$;

-- AVG of whole numbers is a whole number on Redshift.
create function redshift.avg_whole(state numeric[]) returns bigint language sql immutable strict
return case when state[2] = 0 then null else trunc(state[1] / state[2])::bigint end;
create aggregate redshift.avg(double precision)
  (sfunc = float8_accum, stype = float8[], initcond = '{0,0,0}', finalfunc = float8_avg);
create function redshift.avg_refused(state boolean, value numeric) returns boolean language plpgsql immutable as $$
begin
  raise exception using errcode = 'feature_not_supported',
    message = 'AVG of a DECIMAL isn''t supported here: its scale differs; cast the value to FLOAT8';
end $$;
create function redshift.avg_none(state boolean) returns numeric language sql immutable return null::numeric;
create aggregate redshift.avg(numeric)
  (sfunc = redshift.avg_refused, stype = boolean, finalfunc = redshift.avg_none);

-- VARCHAR(n) and CHAR(n) count bytes: one check per column that has none yet.
create procedure redshift.limit_bytes(relation regclass) language plpgsql as $$
declare
  found record;
begin
  for found in
    select a.attname, a.attnum, a.atttypmod - 4 as bytes, format('bytes_%s', a.attnum) as constraint_name
    from pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.atttypmod > 4
      and a.atttypid in ('varchar'::regtype, 'bpchar'::regtype)
      and not exists (select from pg_constraint c
                      where c.conrelid = relation and c.conname = format('bytes_%s', a.attnum))
  loop
    execute format('alter table %s add constraint %I check (octet_length(%I) <= %s)',
                   relation, found.constraint_name, found.attname, found.bytes);
  end loop;
end $$;

-- Redshift joins rows by a hash of the DISTKEY and reads one column of many; PostgreSQL would read whole rows.
create procedure redshift.distribute(relation regclass, key name) language plpgsql as $$
begin
  if not exists (select from pg_index where indrelid = relation) then
    execute format('create index on %s using hash (%I)', relation, key);
  end if;
end $$;
"""

_AVG = """
create function redshift.avg_next(state numeric[], value {whole}) returns numeric[] language sql immutable strict
return array[state[1] + value, state[2] + 1];
create aggregate redshift.avg({whole})
  (sfunc = redshift.avg_next, stype = numeric[], initcond = '{{0,0}}', finalfunc = redshift.avg_whole);
"""

BYTES_CONSTRAINT = "bytes_"


def install(connection: psycopg.Connection[Any]) -> None:
    """Creates the functions, and what users need, in the connection's database, which must not have them yet."""
    connection.execute(_SQL.encode())
    for whole in ("bigint", "integer", "smallint"):
        connection.execute(_AVG.format(whole=whole).encode())
    connection.execute(users.INSTALL.encode())
