"""GlueContext for scripts that use plain Spark."""

from __future__ import annotations

from typing import Any


class GlueContext:
    """Wraps a SparkContext. AWS docs: "GlueContext class". DynamicFrames are not part of this stand-in."""

    def __init__(self, sparkContext: Any, **options: Any) -> None:  # noqa: N803, ARG002 - AWS's names
        from pyspark.sql import SparkSession

        self._context = sparkContext
        self.spark_session = SparkSession(sparkContext)

    def get_logger(self) -> Any:
        """Spark's own logger (debug, info, warn, error), in the JVM."""
        return self._context._jvm.org.apache.log4j.LogManager.getLogger("glue")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotImplementedError(
            f"GlueContext.{name}: the laptop's GlueContext has spark_session and get_logger"
        )
