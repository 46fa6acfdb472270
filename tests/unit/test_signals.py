"""The command line ends on SIGINT and SIGTERM, whatever it inherits, and finishes cleaning up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from process_kit import deaf, running

# A command that cleans up, and is told a second time while it does.
PROGRAM = """
import signal
from gluebook.cli import app, up

def lasting():
    try:
        print("ready", flush=True)
        signal.pause()
    finally:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        print("cleaned up", flush=True)

up.up = lasting
app.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_inherits_ignored_signals_ends_on_them_and_cleans_up(number: signal.Signals) -> None:
    with running(deaf([sys.executable, "-c", PROGRAM, "up"]), os.environ) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == "cleaned up\n"
        assert process.wait(60) == 130


def test_tests_that_a_script_starts_in_the_background_can_be_interrupted() -> None:
    program = """
import signal, rings
rings.RINGS = ()  # it has no place for any ring, and starts none
assert rings.main([]) == 2
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with running(deaf([sys.executable, "-c", program]), environment) as process:
        assert process.stdout and process.stdout.read() == "True\n"


def test_the_module_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gluebook", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "reconcile" in done.stdout
