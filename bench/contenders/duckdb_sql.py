"""The same steps as SQL in DuckDB: about as fast as this machine can do them."""

from __future__ import annotations

import os
from typing import Any

import duckdb

from bench.loading import load as load
from bench.task import EMAIL, JWT, MASK, TOKEN, Counts, Field, Task

_TYPES = {"integer": "integer", "bigint": "bigint"}
# A character that no line holds: the CSV reader then gives whole lines, in parallel.
_NOWHERE = "\x1f"


def job(task: Task) -> Counts:
    """Raw files to Parquet."""
    with duckdb.connect(str(task.folder / "work.duckdb"), config={"threads": os.cpu_count() or 2}) as db:
        db.execute("set preserve_insertion_order = false; set timezone = 'UTC'; set memory_limit = '4GB'")
        malformed = (_read_lines if task.is_log else _read_csv)(db, task)
        valid = " and ".join(f"{name} is not null" for name in task.required)
        db.execute(f"create table typed as {_typed_logs(task) if task.is_log else _typed_tickets(task)}")
        read, rejects = _numbers(db, f"select count(*), count(*) filter (not ({valid})) from typed")
        task.parquet.mkdir()
        # All copies of a record are the same row.
        db.execute(
            f"copy (select * from typed where {valid} qualify row_number() over (partition by {task.identity}) = 1) "
            f"to '{task.parquet / 'rows.parquet'}' (format parquet)"
        )
        (kept,) = _numbers(db, f"select count(*) from '{task.parquet / 'rows.parquet'}'")
    return Counts(read + malformed, kept, read - rejects - kept, rejects + malformed)


def _numbers(db: Any, sql: str) -> tuple[int, ...]:
    found: tuple[int, ...] = db.execute(sql).fetchone()
    return found


def _files(task: Task) -> str:
    return "[" + ", ".join(_quoted(str(path)) for path in task.files) + "]"


def _read_lines(db: Any, task: Task) -> int:
    db.execute(
        f"create view lines as select line from read_csv({_files(task)}, columns = {{'line': 'varchar'}}, "
        f"delim = '{_NOWHERE}', quote = '', escape = '', header = false, auto_detect = false, "
        "max_line_size = 1048576) where trim(line) <> ''"
    )
    return 0


def _read_csv(db: Any, task: Task) -> int:
    """Returns the number of malformed records, which DuckDB keeps aside."""
    columns = ", ".join(f"{_quoted(name)}: 'varchar'" for name in task.columns)
    db.execute(
        f"create table lines as select * from read_csv({_files(task)}, columns = {{{columns}}}, header = true, "
        "auto_detect = false, delim = ',', quote = '\"', nullstr = '?', store_rejects = true)"
    )
    return _numbers(db, "select count(distinct (file_id, line)) from reject_errors")[0]


def _typed_logs(task: Task) -> str:
    levels = next(each.choices for each in task.fields if each.target == "level")
    return f"""
        with members as (
            select line, if(json_valid(line), line, null) as j from lines
        ), texts as (
            select line, json_extract_string(j, '$.t."$date"') as t, json_extract_string(j, '$.s') as s,
                json_extract_string(j, '$.c') as c, json_extract_string(j, '$.ctx') as ctx,
                json_extract_string(j, '$.id') as id, json_extract_string(j, '$.msg') as msg,
                json_extract(j, '$.attr')::varchar as attr,
                json_extract_string(j, '$.attr.durationMillis') as duration
            from members
        )
        select sha256(line) as log_id, try_cast(t as timestamptz)::timestamp as occurred_at,
            {_chosen("s", levels)} as level, {_text("c")} as component, {_text("ctx")} as context,
            try_cast(id as bigint) as event_code, try_cast(duration as bigint) as duration_ms,
            {_masked(_text("msg"))} as message, {_masked(_text("attr"))} as attributes
        from texts"""


def _typed_tickets(task: Task) -> str:
    typed = ", ".join(f"{_typed(each, task)} as {each.target}" for each in task.fields)
    whole = ", ".join(f"coalesce({name}, '?')" for name in task.columns)
    minutes = "if(resolved_at >= opened_at, date_sub('minute', opened_at, resolved_at), null)"
    return (
        f"select *, {minutes} as minutes_to_resolve "
        f"from (select {typed}, sha256(concat_ws(',', {whole})) as _row_hash from lines)"
    )


def _typed(field: Field, task: Task) -> str:
    text = _text(field.source)
    if field.choices:
        return _chosen(text, field.choices)
    if field.personal:
        return f"left(sha256({_quoted(task.pseudonym_key)} || {text}), 32)"
    if field.type in _TYPES:
        return f"try_cast({text} as {_TYPES[field.type]})"
    if field.type == "boolean":
        return f"try_cast({text} as boolean)"
    if field.type == "timestamp":
        return f"try_strptime({text}, ['%-d/%-m/%Y %H:%M', '%-d/%-m/%Y %H:%M:%S'])"
    return _masked(text)


def _text(sql: str) -> str:
    return f"nullif(trim({sql}), '')"


def _chosen(sql: str, choices: Any) -> str:
    pairs = " ".join(f"when {_quoted(text)} then {_quoted(value)}" for text, value in choices.items())
    return f"case lower({sql}) {pairs} end"


def _masked(sql: str) -> str:
    for pattern, mask in ((EMAIL, MASK), (TOKEN, rf"\1\2{MASK}"), (JWT, MASK)):
        sql = f"regexp_replace({sql}, {_quoted(pattern)}, {_quoted(mask)}, 'g')"
    return sql


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
