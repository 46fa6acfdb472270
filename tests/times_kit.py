"""Times as systems write them, and what each must be read as: for Spark and for the explore notebooks alike."""

from __future__ import annotations

from datetime import date, datetime

_AT = datetime(2016, 2, 29, 1, 16)
_AT_5 = datetime(2016, 2, 29, 1, 16, 5)

# A text -> the moment in UTC, or None if it is unreadable. By a comment: what it was read as before.
ISO_TIMES: dict[str, datetime | None] = {
    "2016-02-29T01:16:05": _AT_5,
    "2016-02-29 01:16:05": _AT_5,
    "2016-02-29 01:16": _AT,
    "2016-02-29T01:16Z": _AT,  # unreadable
    "2016-02-29T03:16+02": _AT,  # unreadable
    "2016-02-29T03:16+0200": _AT,  # unreadable
    "2016-02-29T03:16+02:00": _AT,  # unreadable
    "2016-02-28T20:16:05-0500": _AT_5,
    "2016-02-28 20:16:05 -0500": _AT_5,
    "2016-02-29T01:16:05 Z": _AT_5,
    "2016-02-29T01:16:05-00:00": _AT_5,
    "2016-02-28T07:16:05-18:00": _AT_5,
    "2016-02-29T01:16:05.5Z": datetime(2016, 2, 29, 1, 16, 5, 500_000),
    "2016-02-29T01:16:05,123Z": datetime(2016, 2, 29, 1, 16, 5, 123_000),  # unreadable
    "2016-02-29T01:16:05.123456789012+00:00": datetime(2016, 2, 29, 1, 16, 5, 123_456),
    "0001-01-01T00:00:00": datetime(1, 1, 1),
    "9999-12-31T23:59:59.999999": datetime(9999, 12, 31, 23, 59, 59, 999_999),
    # Names of zones: EST and MST are read by Java's old table, BST as Bangladesh, IST as India.
    **dict.fromkeys(
        f"2016-02-29 01:16:05{zone}"
        for zone in (
            *(" BST", " PST", " EST", " MST", " CST", " IST", " MIT", " CEST", " EDT", " UTC", " GMT", "UTC"),
            *(" Europe/Paris", "[Europe/Paris]", " GMT+1", "GMT+01:00", "UTC+1", " A", "z"),
            # Offsets that are none, or that no place has.
            *(
                "+25:00",
                "+18:01",
                "+02:60",
                "+2",
                " -5",
                "+020",
                "+01:00:00",
                "+ 02:00",
                "  Z",
                "Z Z",
                "ZZ",
                "+",
            ),
        )
    ),
    # Days, hours, minutes and seconds that there are not.
    "2015-02-29T10:00:00": None,
    "2016-04-31T10:00:00": None,
    "2016-13-01T10:00:00": None,
    "0000-00-00 00:00:00": None,
    "0000-01-01 00:00:00": None,  # the year 0
    "2016-02-29T24:00:00": None,
    "2016-02-29T10:60": None,
    "2016-12-31T23:59:60Z": None,
    # A moment that is out of range in UTC.
    "0001-01-01T00:00:00+05:00": None,  # the year 0
    "9999-12-31T23:59:59-05:00": None,  # the year 10000, which ended the job
    # What else ISO 8601 has, and what looks like it.
    "20160229T011605Z": None,
    "2016-060T01:16:05Z": None,
    "2016-W09-1T01:16:05Z": None,
    "+12016-02-29T01:16:05Z": None,
    "2016-02-29T01": None,
    "2016-02-29T01:16.5": None,
    "2016-02-29 01:16:05.": None,
    "2016-02-29": None,
    "2016-02": None,
    "2016-2-9 1:6": None,
    "2016-02-29 1:16": None,
    "2016-02-29  01:16": None,
    "2016-02-29t01:16": None,
    "2016/02/29 01:16": None,
    "2016-02-29 01:16:05 PM": None,
    "\u0662\u0660\u0661\u0666-02-29 01:16": None,
    "01:16": None,
    "1456708560": None,
}

# By the patterns of ServiceNow.
DAY_FIRST_TIMES: dict[str, datetime | None] = {
    "29/2/2016 01:16": _AT,
    "29/2/2016 1:16": _AT,
    "29/02/2016 01:16:05": _AT_5,
    "29-2-2016 01:16": _AT,
    "29-02-2016 1:16:05": _AT_5,
    "5/1/2026 10:00": datetime(2026, 1, 5, 10),
    "05-01-2026 10:00": datetime(2026, 1, 5, 10),
    **dict.fromkeys(
        (
            *("29/2-2016 01:16", "29.2.2016 01:16", "2/29/2016 01:16", "29/2/16 01:16", "29/2/2015 01:16"),
            *("31/4/2016 10:00", "29/2/2016", "29/2/2016T01:16", "29/2/2016  01:16", "29/2/2016 24:00"),
            *("29/2/2016 01:16 PM", "29/2/2016 1:16:5", "29/Feb/2016 01:16", "29/2/+2016 01:16", "tomorrow"),
            *("29/2/0000 01:16", "29/2/12016 01:16", "29/2/+12016 01:16", "31/12/2016 23:59:60"),
        )
    ),
}

# Patterns that mean what they say: a pattern, a text -> the moment. `05-01-2026` was 1 May under M/d/yyyy, and
# what has dashes never matched a pattern with dashes.
PATTERN_TIMES: dict[tuple[str, str], datetime | None] = {
    ("M/d/yyyy", "05-01-2026"): None,
    ("M/d/yyyy", "05/01/2026"): datetime(2026, 5, 1),
    ("dd-MM-yyyy", "05-01-2026"): datetime(2026, 1, 5),
    ("dd-MM-yyyy", "5-1-2026"): None,
    ("dd-MM-yyyy", "05/01/2026"): None,
    ("M-d-yyyy", "05-01-2026"): datetime(2026, 5, 1),
    ("d/M/yyyy h:mm a", "29/2/2016 1:16 PM"): datetime(2016, 2, 29, 13, 16),
    ("dd/MMM/yyyy:HH:mm:ss XX", "10/Oct/2000:23:55:36 -0700"): datetime(2000, 10, 11, 6, 55, 36),
    ("yyyyMMdd'T'HHmmssX", "20160229T031605+02"): _AT_5,
    ("d/M/yyyy H:mm:ss[.SSS]", "29/2/2016 1:16:05.5"): datetime(2016, 2, 29, 1, 16, 5, 500_000),
}

# A date is the day that is written.
DAYS: dict[tuple[str, str], date | None] = {
    ("", "2016-02-29"): date(2016, 2, 29),
    ("", "2016-02-29T23:16:05-05:00"): date(2016, 2, 29),  # 1 March
    ("", "2016-02-29 01:16+02:00"): date(2016, 2, 29),  # unreadable
    ("", "9999-12-31T23:59:59-05:00"): date(9999, 12, 31),
    ("", "0001-01-01"): date(1, 1, 1),
    ("", "0000-01-01"): None,
    ("", "2015-02-29"): None,
    ("", "2016-02-29 BST"): None,
    ("", "2016-02-29Z"): None,
    ("", "2016-02"): None,
    ("d/M/yyyy", "29/2/2016"): date(2016, 2, 29),
    ("d/M/yyyy", "29-2-2016"): None,
    ("dd/MMM/yyyy:HH:mm:ss XX", "10/Oct/2000:23:55:36 -0700"): date(2000, 10, 10),  # 11 October
    ("dd/MMM/yyyy:HH:mm:ss XX", "31/Sep/2000:23:55:36 -0700"): None,
    ("dd/MMM/yyyy:HH:mm:ss XX", "10/10/2000"): None,
}
