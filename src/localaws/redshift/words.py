"""Words that mean something to Redshift or PostgreSQL, and what to say of those that aren't supported."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words in `text`."""
    return frozenset(text.split())


_NO = "isn't supported by Redshift"
_HERE = "is Redshift SQL that isn't supported here"

# Words refused in an expression or query unless they stand after a dot or AS; where the word is a usual column
# name too, only when one of the given words or symbols follows.
REFUSED_WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "LATERAL": ((), f"LATERAL {_NO}"),
    "RETURNING": ((), f"RETURNING {_NO}"),
    "ONLY": ((), f"ONLY {_NO}"),
    "SYMMETRIC": ((), f"BETWEEN SYMMETRIC {_NO}"),
    "TABLESAMPLE": ((), f"TABLESAMPLE {_NO}"),
    "OVERLAPS": ((), f"OVERLAPS {_NO}"),
    "FETCH": (("FIRST", "NEXT"), f"FETCH FIRST {_NO}; use LIMIT"),
    "FOR": (("UPDATE", "SHARE", "NO", "KEY"), f"SELECT .. FOR UPDATE {_NO}; use LOCK"),
    "OVERRIDING": (("SYSTEM", "USER"), f"INSERT .. OVERRIDING {_NO}"),
    "GROUPS": (("BETWEEN", "UNBOUNDED", "CURRENT"), f"a GROUPS frame {_NO}; use ROWS"),
    "RANGE": (("BETWEEN", "UNBOUNDED", "CURRENT"), f"a RANGE frame {_NO}; use ROWS"),
    "FILTER": (("(",), f"FILTER (WHERE ..) {_NO}; use CASE within the aggregate"),
    "ARRAY": (("(", "["), f"ARRAY {_HERE}"),
    "ANY": (("(",), f"ANY (..) {_HERE}; use IN"),
    "SOME": (("(",), f"SOME (..) {_HERE}; use IN"),
    "CURRENT_TIMESTAMP": (
        (),
        "CURRENT_TIMESTAMP is a deprecated leader-node function; use GETDATE() or SYSDATE",
    ),
    "CURRENT_TIME": ((), "CURRENT_TIME is a deprecated leader-node function; use GETDATE() or SYSDATE"),
    "LOCALTIME": ((), "LOCALTIME is a deprecated leader-node function; use GETDATE() or SYSDATE"),
    "LOCALTIMESTAMP": ((), f"LOCALTIMESTAMP {_NO}; use GETDATE() or SYSDATE"),
    "CURRENT_USER": ((), f"CURRENT_USER {_HERE}"),
    "SESSION_USER": ((), f"SESSION_USER {_HERE}"),
    "USER": ((), f"USER {_HERE}"),
    "QUALIFY": ((), f"QUALIFY {_HERE}; filter the window function's column in an outer query"),
    "APPROXIMATE": ((), f"APPROXIMATE {_HERE}"),
    "MINUS": ((), f"MINUS {_HERE}; use EXCEPT"),
    "COLLATE": ((), f"COLLATE {_HERE}"),
    "RECURSIVE": ((), f"WITH RECURSIVE {_HERE}"),
    "ISNULL": ((), f"ISNULL {_HERE}; use IS NULL"),
    "NOTNULL": ((), f"NOTNULL {_HERE}; use IS NOT NULL"),
    "PIVOT": ((), f"PIVOT {_HERE}"),
    "UNPIVOT": ((), f"UNPIVOT {_HERE}"),
    "UNNEST": ((), f"UNNEST {_HERE}"),
    "CONNECT": (("BY",), f"CONNECT BY {_HERE}"),
    "EXCLUDE": (("(",), f"EXCLUDE {_HERE}; name the columns"),
    "IGNORE": (("NULLS",), f"IGNORE NULLS {_HERE}"),
    "RESPECT": (("NULLS",), f"RESPECT NULLS {_HERE}"),
}

# These may stand before a parenthesis without being a function's name.
KEYWORDS = word_set(
    "ALL AND AS ASC BETWEEN BY CASE CROSS DELETE DESC DISTINCT ELSE END ESCAPE EXCEPT EXISTS FALSE FROM FULL"
    " GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR"
    " ORDER OUTER OVER PARTITION RIGHT SELECT SET SIMILAR THEN TO TRUE UNION UPDATE USING VALUES WHEN WHERE WITH"
) | {"GROUP BY", "ORDER BY", "PARTITION BY", "SIMILAR TO"}
# Of those, the ones that are also functions: LEFT(..), RIGHT(..).
FUNCTION_KEYWORDS = frozenset({"LEFT", "RIGHT"})

SYSTEM_PREFIXES = ("PG_", "STL_", "STV_", "SVL_", "SVV_", "SVCS_", "SYS_", "INFORMATION_SCHEMA")

# AWS docs: "Reserved words" in the Amazon Redshift Database Developer Guide. PostgreSQL takes many of them as names.
RESERVED = word_set(
    "AES128 AES256 ALL ALLOWOVERWRITE ANALYSE ANALYZE AND ANY ARRAY AS ASC AUTHORIZATION AZ64 BACKUP"
    " BETWEEN BINARY BLANKSASNULL BOTH BYTEDICT BZIP2 CASE CAST CHECK COLLATE COLUMN CONNECT"
    " CONSTRAINT CREATE CREDENTIALS CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER"
    " CURRENT_USER_ID DEFAULT DEFERRABLE DEFLATE DEFRAG DELTA DELTA32K DESC DISABLE DISTINCT DO ELSE"
    " EMPTYASNULL ENABLE ENCODE ENCRYPT ENCRYPTION END EXCEPT EXPLICIT FALSE FOR FOREIGN FREEZE FROM"
    " FULL GLOBALDICT256 GLOBALDICT64K GRANT GROUP GZIP HAVING IDENTITY IGNORE ILIKE IN INITIALLY"
    " INNER INTERSECT INTERVAL INTO IS ISNULL JOIN LANGUAGE LEADING LEFT LIKE LIMIT LOCALTIME"
    " LOCALTIMESTAMP LUN LUNS LZO LZOP MINUS MOSTLY16 MOSTLY32 MOSTLY8 NATURAL NEW NOT NOTNULL NULL"
    " NULLS OFF OFFLINE OFFSET OID OLD ON ONLY OPEN OR ORDER OUTER OVERLAPS PARALLEL PARTITION"
    " PERCENT PERMISSIONS PIVOT PLACING PRIMARY RAW READRATIO RECOVER REFERENCES REJECTLOG RESORT"
    " RESPECT RESTORE RIGHT SELECT SESSION_USER SIMILAR SNAPSHOT SOME SYSDATE SYSTEM TABLE TAG TDES"
    " TEXT255 TEXT32K THEN TIMESTAMP TO TOP TRAILING TRUE TRUNCATECOLUMNS UNION UNIQUE UNNEST UNPIVOT"
    " USER USING VERBOSE WALLET WHEN WHERE WITH WITHOUT"
)
