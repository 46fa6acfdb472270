"""What people see on a terminal: text that others wrote is shown, and steers nothing."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress, TextColumn

from gluebook.aws.structured_logs import JsonLines
from gluebook.cli import options, screens
from gluebook.cli.screens import _Terminal, files_table, plain, rows_table
from gluebook.core.model import Counts
from gluebook.core.statements import Rows
from gluebook.core.text import printable
from gluebook.operations.status import FileStatus

CLI = Path(screens.__file__).parents[1]
NASTY = "app_logs/mongod/dt=2026-01-05/\x1b[2J\x1b]0;t\x07\x9b31m\r\n[red]\u202egol"
STEERING = ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\r", "\u202e")


def on_a_terminal(*things: object) -> str:
    """What a terminal gets."""
    file = io.StringIO()
    console = _Terminal(file=file, force_terminal=True, color_system="truecolor", width=400)
    for thing in things:
        console.print(thing)
    return file.getvalue()


def a_status(key: str) -> FileStatus:
    return FileStatus(
        key=key,
        version_id="v",
        dataset="app_logs",
        source="mongod",
        state="FAILED",
        reason=f"because of {key}",
        batch_id=None,
        registered_at="2026-01-05T10:00:00.000Z",
        counts=Counts(),
        loaded=0,
        reject_reasons={},
    )


def test_a_key_in_a_table_is_shown_whole_on_one_line_and_steers_nothing() -> None:
    seen = on_a_terminal(files_table((a_status(NASTY),), "files"))
    assert not [one for one in STEERING if one in seen]
    assert r"\u001b[2J\u001b]0;t\u0007\u009b31m\r\n[red]\u202egol" in seen
    assert "\x1b[31mFAILED" in seen  # colours are the console's own


def test_the_result_of_a_query_steers_nothing_either() -> None:
    seen = on_a_terminal(rows_table("select 1", Rows(("a[b]",), [(NASTY,)])))
    assert not [one for one in STEERING if one in seen]
    assert "[red]" in seen


def test_unprintable_text_is_escaped_on_its_way_to_the_terminal() -> None:
    seen = on_a_terminal("[bold]state[/] \x1b[2J\x9b", Progress.get_default_columns()[0])
    assert "\x1b[2J" not in seen
    assert "\x9b" not in seen
    file = io.StringIO()
    console = _Terminal(file=file, force_terminal=True, width=200)
    with Progress(TextColumn("{task.description}"), console=console) as progress:
        progress.add_task("at \x1b[5m\x9b")
    assert "\x1b[5m" not in file.getvalue()
    assert "\x1b[?25l" in file.getvalue()  # the cursor is hidden by the console itself


def test_json_for_machines_holds_the_same_text_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    options.print_json({"key": NASTY, "name": "März"})
    written = capsys.readouterr().out
    assert json.loads(written) == {"key": NASTY, "name": "März"}
    assert "März" in written
    assert not [one for one in STEERING if one in written]


def test_a_line_of_the_log_is_one_line_and_steers_nothing() -> None:
    record = logging.LogRecord("gluebook", logging.INFO, "", 0, "%s is FAILED", (NASTY,), None)
    line = JsonLines().format(record)
    assert json.loads(line)["message"] == f"{NASTY} is FAILED"
    assert "\n" not in line
    assert not [one for one in STEERING if one in line]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_shown_without_anything_that_cannot_be_seen(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()
    assert "\x1b" not in plain(text, lines=True)
    quoted = json.dumps(text, ensure_ascii=False)
    assert json.loads(printable(quoted)) == text


def test_every_screen_goes_through_the_one_place_that_cleans_text() -> None:
    modules = {str(path.relative_to(CLI)): path.read_text(encoding="utf-8") for path in CLI.rglob("*.py")}
    assert [name for name, text in modules.items() if "rich.markup" in text] == ["screens/__init__.py"]
    assert [name for name, text in modules.items() if "import Console" in text] == ["screens/__init__.py"]
