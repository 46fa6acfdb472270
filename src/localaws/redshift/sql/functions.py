"""Which functions may be called, and under which name PostgreSQL has what Redshift means.

A function is taken over unchanged only if both engines have it with the same meaning for every argument; where they
differ, a function of the schema `redshift` (see compat.py) stands for it; anything else is refused by its name.
"""

from __future__ import annotations

from localaws.redshift.errors import UnsupportedSql
from localaws.redshift.sql.words import word_set

COMPAT_SCHEMA = "redshift"

# The same in both engines.
SAME = word_set(
    # aggregates
    "COUNT SUM MIN MAX BOOL_AND BOOL_OR STDDEV_SAMP STDDEV_POP STDDEV VAR_SAMP VAR_POP VARIANCE"
    # window functions
    " ROW_NUMBER RANK DENSE_RANK PERCENT_RANK CUME_DIST NTILE LAG LEAD FIRST_VALUE LAST_VALUE NTH_VALUE"
    # conditionals; GREATEST and LEAST ignore nulls in both
    " COALESCE NULLIF GREATEST LEAST"
    # strings, in characters
    " LOWER UPPER TRIM BTRIM LTRIM RTRIM LPAD RPAD LENGTH CHAR_LENGTH CHARACTER_LENGTH OCTET_LENGTH SUBSTRING"
    " POSITION STRPOS LEFT RIGHT REPLACE REPEAT REVERSE SPLIT_PART TRANSLATE INITCAP MD5 CHR"
    # numbers
    " ABS ROUND FLOOR CEIL CEILING TRUNC SIGN MOD POWER SQRT EXP LN"
    # dates; formats are read alike
    " TO_CHAR TO_DATE TO_TIMESTAMP"
)

# The same meaning under another name.
RENAMED = {
    "NVL": "coalesce",
    "LEN": "length",
    "TEXTLEN": "length",
    "CHARINDEX": f"{COMPAT_SCHEMA}.charindex",
    "CONCAT": f"{COMPAT_SCHEMA}.concat",
    "AVG": f"{COMPAT_SCHEMA}.avg",
    "GETDATE": f"{COMPAT_SCHEMA}.getdate",
    "REGEXP_REPLACE": f"{COMPAT_SCHEMA}.regexp_replace",
    "JSON_PARSE": f"{COMPAT_SCHEMA}.json_parse",
    "SHA2": f"{COMPAT_SCHEMA}.sha2",
}

# How many arguments, where PostgreSQL's own message would not do or another count means something else there.
ARGUMENTS = {
    "AVG": (1,),
    "CHARINDEX": (2,),
    "CONCAT": (2,),
    "DATEADD": (3,),
    "DATEDIFF": (3,),
    "GETDATE": (0,),
    "LISTAGG": (1, 2),
    "REGEXP_REPLACE": (2, 3),
    "SHA2": (2,),
}

# Window functions that need a frame when their window is ordered. AWS docs: "Window function syntax summary".
NEED_FRAME = word_set(
    "COUNT SUM MIN MAX AVG BOOL_AND BOOL_OR STDDEV_SAMP STDDEV_POP STDDEV VAR_SAMP VAR_POP VARIANCE FIRST_VALUE"
    " LAST_VALUE NTH_VALUE"
)

_LEADER_NODE = "is a deprecated leader-node function; use GETDATE() or SYSDATE"
_NOT_HERE = "is Redshift SQL that isn't supported here"
# Why a common function, or a name that is one without parentheses, is refused.
REFUSED = {
    "CURRENT_TIMESTAMP": _LEADER_NODE,
    "CURRENT_TIME": _LEADER_NODE,
    "LOCALTIME": _LEADER_NODE,
    "LOCALTIMESTAMP": "isn't supported by Redshift; use GETDATE() or SYSDATE",
    "CURRENT_USER": _NOT_HERE,
    "SESSION_USER": _NOT_HERE,
    "USER": _NOT_HERE,
    "ANY": f"{_NOT_HERE}; use IN",
    "SOME": f"{_NOT_HERE}; use IN",
    "GENERATE_SERIES": "runs on Redshift's leader node only and can't be used with tables",
    "NOW": _LEADER_NODE,
    "AGE": "is a deprecated leader-node function; use DATEDIFF",
    "SUBSTR": "runs on Redshift's leader node only; use SUBSTRING",
    "LOG": "runs on Redshift's leader node only, as base 10",
    "STRING_AGG": "isn't a Redshift function; use LISTAGG",
    "ARRAY_AGG": "isn't a Redshift function; use LISTAGG",
    "TO_JSONB": "isn't a Redshift function; use JSON_PARSE",
    "GEN_RANDOM_UUID": "isn't a Redshift function",
    "DATE_PART": "returns other types and fractions there; use EXTRACT",
}

# Rewritten with their arguments; see queries.py.
_OWN_RULE = word_set("DATEADD DATEDIFF DATE_TRUNC LISTAGG")


def known_function(name: str) -> None:
    """Raises UnsupportedSql unless the function is known."""
    word = name.upper()
    if word in REFUSED:
        raise UnsupportedSql(f"function {word}() {REFUSED[word]}")
    if word not in SAME | RENAMED.keys() | _OWN_RULE:
        raise UnsupportedSql(f"function {word}() isn't supported: it isn't known to mean the same here")


_PART_NAMES = {
    "year": "year years yr yrs y",
    "quarter": "quarter quarters qtr qtrs",
    "month": "month months mon mons",
    "week": "week weeks w",
    "day": "day days d",
    "hour": "hour hours hr hrs h",
    "minute": "minute minutes min mins m",
    "second": "second seconds sec secs s",
    "millisecond": "millisecond milliseconds msec msecs msecond mseconds millisec millisecs millisecon ms",
    "microsecond": "microsecond microseconds microsec microsecs microsecond usecond useconds us usec usecs",
}
# Redshift's names of date parts. AWS docs: "Date parts for date or timestamp functions".
DATE_PARTS = {alias: part for part, aliases in _PART_NAMES.items() for alias in aliases.split()}
# Where a week begins for DATEDIFF isn't documented.
DATEDIFF_PARTS = frozenset(DATE_PARTS.values()) - {"week"}
DATEADD_PARTS = frozenset(DATE_PARTS.values())
# EXTRACT returns whole numbers on Redshift; the engines differ in fractions of seconds.
EXTRACT_PARTS = word_set("epoch year quarter month week day dow doy hour minute second")
DATE_TRUNC_PARTS = frozenset({"year", "quarter", "month", "week", "day", "hour", "minute", "second"})
