"""`gluebook lab`: notebooks in a browser, AWS on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import options, screens
from gluebook.deployment.build import project_root
from gluebook.deployment.laptop import running_laptop
from gluebook.errors import ConfigurationError


def lab(
    notebooks: Annotated[
        Path | None, typer.Argument(help="Open this folder; the default is the project's notebooks.")
    ] = None,
    port: options.PORT = 0,
    browser: Annotated[bool, typer.Option(help="Open JupyterLab in a browser.")] = True,
    jobs: Annotated[
        bool, typer.Option(help="Let the Glue jobs run as well; they claim files before a notebook can.")
    ] = False,
) -> None:
    """Run JupyterLab with the project's kernel and AWS on this machine, until Ctrl-C.

    Example: gluebook lab --no-browser --port 8888
    """
    from gluebook.cli.laptop.jupyterlab import jupyterlab
    from gluebook.notebook.kernelspec import install, installed

    folder = notebooks or project_root() / "notebooks"
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}")
    if not installed():
        install()
    with _aws_for_notebooks(jobs), jupyterlab(folder, port=port, browser=browser) as running:
        try:
            screens.out.print(
                f"JupyterLab is at {running.address} ; Ctrl-C stops it.", soft_wrap=True, highlight=False
            )
            running.process.wait()
        except KeyboardInterrupt:
            screens.out.print("stopping")


@contextmanager
def _aws_for_notebooks(jobs: bool) -> Iterator[None]:
    """The laptop AWS that is up; else a temporary one, with generated files pending in it."""
    from gluebook.cli.demo import send
    from gluebook.cli.laptop import standing_laptop
    from gluebook.cli.laptop.jupyterlab import hold_jobs
    from gluebook.sample import Request, generate

    if running_laptop() is not None:
        screens.out.print("Notebooks use the laptop AWS that is up.")
        yield
        return
    with standing_laptop(cold=not jobs) as running:
        if not jobs:
            hold_jobs(running.deployment)
        made = generate(Request(tickets=150, log_lines=1500, days=1))
        send(made, running)
        screens.out.print(f"AWS is up, and {len(made.files)} generated files are uploaded. To upload more:")
        screens.out.print("  gluebook upload FILE --dataset support_tickets --source servicenow")
        if not jobs:
            screens.out.print(
                "No Glue job runs: files stay PENDING until you run a notebook of notebooks/jobs."
            )
        yield
