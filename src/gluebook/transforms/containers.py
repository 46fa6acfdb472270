"""Container logs as a collector exports them: CSV, in it Docker's JSON, in that what the program wrote.

A program writes a line: JSON of one shape or another, or text. Docker wraps it as `{"log", "stream", "time"}`; the
collector adds the pod and the trace and writes CSV.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.sources.app_logs.containers import CONTAINERS
from gluebook.transforms.reading import first_problem, read_json, without_nul

# Where programs that write JSON put what they have to say; the first that is there counts.
_SEVERITY_KEYS = ("severity", "level")
_MESSAGE_KEYS = ("message", "msg")
_TIME_KEYS = ("timestamp", "time", "ts")
# A Java program's text: clock, level, class and line (or a dash), message. The clock is local time: of no use.
_LEVEL_WORDS = "TRACE|DEBUG|INFO|WARN|ERROR|FATAL"
_TEXT = rf"(?s)^\d{{2}}:\d{{2}}:\d{{2}}[.,]\d+ +({_LEVEL_WORDS}) +(?:- |(\S+)#([1-9]\d*) )?(.*)$"
_LEVEL, _CLASS, _LINE, _REST = 1, 2, 3, 4
# What Kubernetes appends to the name of a Deployment, DaemonSet or StatefulSet to name its pods: made-up parts have
# no vowels, so that they are no words (k8s.io/apimachinery/pkg/util/rand).
_MADE_UP = "bcdfghjklmnpqrstvwxz2456789"
_POD_SUFFIX = rf"((-[{_MADE_UP}]{{6,10}})?-[{_MADE_UP}]{{5}}|-\d+)$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
# A line that doesn't say how severe it is was written by a program that has no levels.
_DEFAULT_LEVEL = "info"


def unwrap(records: DataFrame) -> DataFrame:
    """Read what stands inside the column `Log`: Docker's JSON, and in it the program's JSON or text.

    Shape: one row per record, the input's columns plus those of `CONTAINERS.inside`, as text, and `workload`, the
    pod's name without what Kubernetes appends to it (the container's if there is no pod). A `Log` that isn't
    exactly one JSON object with a `log` gets the problem `malformed_record`.

    time      when Docker took the line, in UTC: the one clock that is right in every record. TimeUnixNano may be
              that of Go's zero time, in the year 1754; Timestamp has no zone there
    severity  the program's word for it; `info` where it has none
    class     of programs that write text, the class that logged
    message   without the trace and span ids that it begins with, if they are those of the columns
    fields    JSON text: the program's own, where it says more than time, severity and message; of text, the line
              of the class
    """
    docker = records.withColumn("_docker", read_json("Log", "struct<log: string, time: string>"))
    line = docker.withColumns(
        {
            "time": without_nul(F.col("_docker.time")),
            "_line": F.regexp_replace(without_nul(F.col("_docker.log")), r"[\r\n]+$", ""),
            "_problem": first_problem(F.col("_docker.log").isNull()),
        }
    )
    read = line.withColumn("_json", read_json("_line", "map<string, string>"))
    said = read.withColumns(
        {
            "severity": F.coalesce(_first(_SEVERITY_KEYS), _of_text(_LEVEL), F.lit(_DEFAULT_LEVEL)),
            "class": _of_text(_CLASS),
            "_said": F.coalesce(_first(_MESSAGE_KEYS), _of_text(_REST), F.col("_line")),
            "fields": F.when(_says_more(), F.col("_line")).otherwise(_line_number()),
            "workload": F.coalesce(
                _name(F.regexp_replace("PodName", _POD_SUFFIX, "")), _name(F.col("Container"))
            ),
        }
    )
    columns = [*records.columns, *CONTAINERS.inside, "workload"]
    return said.withColumn("message", _without_ids(F.col("_said"))).select(*columns)


def _first(keys: tuple[str, ...]) -> Column:
    values = (without_nul(F.try_element_at("_json", F.lit(key))) for key in keys)
    return F.coalesce(*(F.nullif(F.trim(value), F.lit("")) for value in values))


def _of_text(part: int) -> Column:
    """A part of a line that is laid out as text; null where it isn't, or the part is missing."""
    return F.when(F.col("_json").isNull(), F.nullif(F.regexp_extract("_line", _TEXT, part), F.lit("")))


def _says_more() -> Column:
    plain = F.array(*map(F.lit, (*_SEVERITY_KEYS, *_MESSAGE_KEYS, *_TIME_KEYS)))
    return F.size(F.array_except(F.map_keys("_json"), plain)) > 0


def _line_number() -> Column:
    number = _of_text(_LINE)
    return F.when(number.isNotNull(), F.concat(F.lit('{"line":'), number, F.lit("}")))


def _name(text: Column) -> Column:
    """The text if it is a name as Kubernetes gives them and a service may have."""
    return F.when(text.rlike(_NAME), text)


def _without_ids(message: Column) -> Column:
    ids = F.concat(F.lit("TraceID: "), F.col("TraceID"), F.lit(" SpanID: "), F.col("SpanID"), F.lit(" "))
    leads = F.coalesce(message.startswith(ids), F.lit(False))
    return F.when(leads, F.substr(message, F.length(ids) + 1)).otherwise(message)
