"""Logs: one JSON object per line, whatever is logged and wherever it runs."""

from __future__ import annotations

import json
import logging
import sys
import time

import pytest

from gluebook.aws.structured_logs import JsonLines, configure


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("gluebook.x", logging.WARNING, __file__, 1, message, args, info)
    made.created, made.msecs = 1_767_608_100.0456, 45.6
    return made


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_record_is_one_line_of_json_with_the_time_in_utc(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        line = JsonLines().format(record("%d files\nof %s", 3, "März"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2026-01-05T10:15:00.045Z",
        "level": "WARNING",
        "logger": "gluebook.x",
        "message": "3 files\nof März",
    }


def test_a_traceback_stays_on_the_line() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        line = JsonLines().format(record("it failed", error=error))
    assert "\n" not in line
    assert "ValueError: no such thing" in json.loads(line)["error"]
    assert json.loads(line)["message"] == "it failed"


def test_configuring_twice_logs_once(
    gluebook_logger: logging.Logger, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    configure()
    configure()
    logging.getLogger("gluebook.steps").info("swept")
    logging.getLogger("gluebook.steps").debug("not asked for")
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["message"] for line in err.splitlines()] == ["swept"]
    # AWS Lambda has a handler of its own at the root, which would log it once more.
    assert caplog.records == []


def test_logs_of_others_are_left_alone(gluebook_logger: logging.Logger) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    configure()
    assert (list(root.handlers), root.level) == before
    assert gluebook_logger.handlers[0].stream is sys.stderr  # type: ignore[attr-defined]
