"""Structured logs: one JSON object per line, with time, level, logger and message."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from gluebook.core.text import printable
from gluebook.core.timestamps import utc_timestamp


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; a traceback goes into `error`."""
        line = {
            "at": utc_timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return printable(json.dumps(line, ensure_ascii=False))


def configure(level: int = logging.INFO) -> None:
    """Send Gluebook's own logs to stderr as JSON lines; harmless to repeat."""
    logger = logging.getLogger("gluebook")
    if not any(isinstance(handler.formatter, JsonLines) for handler in logger.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(level)
