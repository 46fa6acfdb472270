"""The command line. Exit codes: 0 success, 1 problems in the data or the chain, 2 wrong usage, 130 Ctrl-C.

Each command is the function of its name in the module of its name (`try` in `try_`). `screens` renders what people
read, `laptop` runs AWS on this machine.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from gluebook.cli import iam, screens
from gluebook.cli.backfill import backfill
from gluebook.cli.build import build
from gluebook.cli.cost import cost
from gluebook.cli.demo import demo
from gluebook.cli.export import export
from gluebook.cli.kernel import kernel
from gluebook.cli.lab import lab
from gluebook.cli.lineage import lineage
from gluebook.cli.lint import lint
from gluebook.cli.logs import logs
from gluebook.cli.query import query
from gluebook.cli.reconcile import reconcile
from gluebook.cli.rejects import rejects
from gluebook.cli.replay import replay
from gluebook.cli.report import report
from gluebook.cli.run import WithParameters, run
from gluebook.cli.sample import sample
from gluebook.cli.status import status
from gluebook.cli.studio import studio
from gluebook.cli.try_ import try_
from gluebook.cli.up import up
from gluebook.cli.upload import upload
from gluebook.errors import ConfigurationError, GluebookError
from localaws.errors import LocalAwsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

# By heading of the help, in its order.
_COMMANDS: Mapping[str, tuple[Callable[..., None], ...]] = {
    "Run the pipeline on this machine": (try_, demo, sample, up, lab),
    "Work with a deployed pipeline": (upload, status, query, logs, rejects, lineage, report),
    "Repair": (replay, backfill, reconcile),
    "Notebooks": (run, lint, export, studio, kernel),
    "Deployment": (build, cost),
}
for _heading, _functions in _COMMANDS.items():
    for _function in _functions:
        app.command(
            _function.__name__.rstrip("_"),
            cls=WithParameters if _function is run else None,
            rich_help_panel=_heading,
        )(_function)
app.add_typer(iam.app, name="iam", rich_help_panel="Deployment")

# typer carries its own click and doesn't name the base of its usage errors.
_WrongUsage: Any = typer.BadParameter.__bases__[0]


_ENDING = (signal.SIGINT, signal.SIGTERM)


def _end_on_signals() -> None:
    """Let SIGINT and SIGTERM interrupt this process, whatever it inherits: a script started with & ignores SIGINT."""
    for number in _ENDING:
        signal.signal(number, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _interrupt(_signal: int, _frame: object) -> None:
    # make forwards a SIGTERM that has reached us too: the second one must not end the clean-up half-way.
    for number in _ENDING:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; expected errors are shown without a traceback."""
    # The laptop's AWS has its own logs: LOCALAWS_LOG=INFO shows them.
    wanted = os.environ.get("LOCALAWS_LOG", "").upper()
    if wanted:
        logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("localaws").setLevel(wanted or "CRITICAL")
    # The commands print what an operator needs of it.
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
        screens.show_error(str(error))
        sys.exit(2)
    except (GluebookError, LocalAwsError, ClientError, BotoCoreError, OSError) as error:
        screens.show_error(str(error))
        sys.exit(1)
