"""`gluebook up`: keep a laptop AWS with the pipeline running."""

from __future__ import annotations

import time

import typer

from gluebook.cli import options, screens
from gluebook.cli.screens import refusals

_POLL_SECONDS = 1.0


def up(port: options.PORT = 0, cold: options.COLD = False) -> None:
    """Run AWS on this machine with the pipeline deployed, until Ctrl-C.

    Exits with 1 if a deployed role was refused a request.

    Example: gluebook up --port 4566
    """
    from gluebook.cli.laptop import standing_laptop

    with standing_laptop(port=port, cold=cold) as running:
        url = running.aws.endpoint.url
        watch = refusals.RefusalWatch(running.aws.report)
        try:
            screens.out.print(f"AWS is up at [bold]{url}[/]; Ctrl-C stops it. In another terminal:")
            screens.out.print("  gluebook upload FILE --dataset support_tickets --source servicenow")
            screens.out.print("  gluebook status")
            screens.out.print('  gluebook query "select count(*) from support_tickets"')
            while True:
                time.sleep(_POLL_SECONDS)
                watch.check()
        except KeyboardInterrupt:
            screens.out.print("stopping")
        refused = refusals.refusals(running.aws.report())
    refusals.show(refused)
    if refused:
        raise typer.Exit(1)
