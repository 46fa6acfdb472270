"""The command line. Exit codes: 0 success, 1 problems in the data or the chain, 2 wrong usage, 130 Ctrl-C.

`screens` renders what people read, `laptop` runs AWS on this machine.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from gluebook.cli import screens
from gluebook.cli.commands import LazyGroup
from gluebook.errors import ConfigurationError, GluebookError
from localaws.errors import LocalAwsError

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    callback=lambda: None,
)

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
