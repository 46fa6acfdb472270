"""Every command explains itself: a sentence per option, an example that parses. The README shows the same."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from docs_tables import cli_commands
from gluebook.cli import app as module
from gluebook.cli.app import app

# typer carries its own click, whose types have no public name.
ROOT: Any = typer.main.get_command(app)
CLI = Path(module.__file__).parent
# So that no summary needs a second line.
WIDE = {**os.environ, "COLUMNS": "200", "TERMINAL_WIDTH": "200"}


COMMANDS = dict(cli_commands(ROOT))
EACH = pytest.mark.parametrize("words", COMMANDS)


@EACH
def test_a_command_has_a_summary_in_sentences(words: str) -> None:
    summary, _, _ = COMMANDS[words].help.partition("Example: ")
    assert re.fullmatch(r"[A-Z].*\.", summary.strip(), re.S)


@EACH
def test_each_option_and_argument_is_explained_in_a_sentence(words: str) -> None:
    for parameter in COMMANDS[words].params:
        assert re.fullmatch(r"[A-Z].* .*\.", parameter.help or "", re.S), f"{words}: {parameter.name}"


@EACH
def test_the_example_of_a_command_parses(words: str) -> None:
    [example] = re.findall(r"^Example: (.+)$", COMMANDS[words].help, re.M)
    assert example.startswith(words)
    context, command = parsed(shlex.split(example)[1:])
    assert command is COMMANDS[words]
    assert context.params.keys() == {parameter.name for parameter in command.params} - {"help"}


def test_an_example_with_an_option_that_there_is_not_does_not_parse() -> None:
    with pytest.raises(module._WrongUsage, match="No such option"):
        parsed(["status", "--failde"])


def test_each_command_is_in_the_file_of_its_name() -> None:
    names = {words.split()[1] for words in COMMANDS}
    shared = {"__init__", "app", "commands", "deployment", "options"}
    assert {path.stem.rstrip("_") for path in CLI.glob("*.py") if path.stem not in shared} == names


def test_the_help_of_all_commands_imports_none_of_them() -> None:
    program = """
import sys
from gluebook.cli import main
try:
    main()
finally:
    print(*(name for name in sys.modules if name.startswith(("gluebook.cli.", "boto3", "moto", "pyarrow", "pandas"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True, env=WIDE
    )
    for words in COMMANDS:
        name = words.split()[1]
        assert re.search(rf"^│ {name} +{re.escape(first_line(name))}", done.stdout, re.M)
    imported = done.stdout.splitlines()[-1].split()
    assert set(imported) == {"gluebook.cli.app", "gluebook.cli.commands", "gluebook.cli.screens"}


def test_no_command_is_imported_with_the_laptop() -> None:
    modules = ", ".join(f"gluebook.cli.{path.stem}" for path in CLI.glob("*.py") if path.stem != "__init__")
    program = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"moto", "localaws.stack", "pyspark", "pandas"} & {*done.stdout.split()}


def first_line(name: str) -> str:
    """What the help of all commands says of one."""
    return str(ROOT.commands[name].help.split("\n\n")[0].replace("\n", " "))


def parsed(arguments: list[str]) -> tuple[Any, Any]:
    """The context and command that these words come to; nothing is run. Raises click's UsageError."""
    command, context = ROOT, None
    name = "gluebook"
    while True:
        context = command.make_context(name, arguments, parent=context)
        if not hasattr(command, "commands"):
            return context, command
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
