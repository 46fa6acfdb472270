"""The command line. Exit codes: 0 all is well, 1 data or chain are not, 2 wrong usage, 130 Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from gluebook.cli import (
    build_commands,
    cost_command,
    iam_command,
    lab_command,
    lineage_command,
    logs_command,
    notebook_commands,
    operate,
    recover,
    rejects_command,
    report_command,
    run_commands,
    screens,
)
from gluebook.errors import ConfigurationError, GluebookError
from localaws.errors import LocalAwsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

# In the order in which the help shows them.
app.command("try")(run_commands.try_files)
app.command()(run_commands.demo)
app.command()(run_commands.sample)
app.command()(run_commands.up)
app.command()(operate.upload)
app.command()(operate.status)
app.command()(operate.query)
app.command()(logs_command.logs)
app.command()(lineage_command.lineage)
app.command()(rejects_command.rejects)
app.command()(recover.replay)
app.command()(recover.backfill)
app.command()(recover.reconcile)
app.command()(report_command.report)
app.command()(cost_command.cost)
app.command("run", cls=notebook_commands.WithParameters)(notebook_commands.run)
app.command()(notebook_commands.lint)
app.command()(notebook_commands.studio)
app.command()(notebook_commands.kernel)
app.command()(lab_command.lab)
app.command()(build_commands.export)
app.command("build")(build_commands.build_artefacts)
app.add_typer(iam_command.app, name="iam")

# typer carries its own click and doesn't name the base of its usage errors.
_WrongUsage: Any = typer.BadParameter.__bases__[0]


_ENDING = (signal.SIGINT, signal.SIGTERM)


def _end_on_signals() -> None:
    """SIGINT and SIGTERM interrupt this process whatever it inherits: what a script starts with & ignores SIGINT."""
    for number in _ENDING:
        signal.signal(number, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _interrupt(_signal: int, _frame: object) -> None:
    # make forwards a SIGTERM that has reached us too: the second one must not end the clean-up half-way.
    for number in _ENDING:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; errors that are meant for people are shown without a traceback."""
    # The laptop's AWS has its own logs, for those who want to look into it: LOCALAWS_LOG=INFO.
    wanted = os.environ.get("LOCALAWS_LOG", "").upper()
    if wanted:
        logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("localaws").setLevel(wanted or "CRITICAL")
    # What the steps log, the commands say in their own words.
    logging.getLogger("gluebook").setLevel(wanted or "CRITICAL")
    logging.getLogger("urllib3").setLevel(wanted or "ERROR")
    _end_on_signals()
    try:
        sys.exit(app(standalone_mode=False, prog_name="gluebook") or 0)
    except _WrongUsage as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        screens.err.print("interrupted")
        sys.exit(130)
    except ConfigurationError as error:
        screens.err.print(f"[red]{screens.plain(str(error), lines=True)}[/]", soft_wrap=True)
        sys.exit(2)
    except (GluebookError, LocalAwsError, ClientError, BotoCoreError, OSError) as error:
        screens.err.print(f"[red]{screens.plain(str(error), lines=True)}[/]", soft_wrap=True)
        sys.exit(1)
