"""The command lab: notebooks in a browser, AWS on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gluebook.cli import screens
from gluebook.deployment.build import project_root
from gluebook.deployment.laptop import running_laptop
from gluebook.errors import ConfigurationError


def lab(
    notebooks: Annotated[
        Path | None, typer.Argument(help="Folder to work in; the project's notebooks if not given.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of JupyterLab; a free one if 0.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    jobs: Annotated[
        bool, typer.Option(help="Let the Glue jobs run too, which take what arrives before a notebook can.")
    ] = False,
) -> None:
    """JupyterLab with the project's kernel and AWS on this machine, until Ctrl-C."""
    from gluebook.cli.lab import jupyterlab
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
    """The laptop AWS that is up, as it is; else one of our own, with made-up files pending in it."""
    from gluebook.cli import demo
    from gluebook.cli.lab import hold_jobs
    from gluebook.cli.laptop import standing_laptop
    from gluebook.sample import generate

    if running_laptop() is not None:
        screens.out.print("Notebooks work with the laptop AWS that is up.")
        yield
        return
    with standing_laptop() as running:
        if not jobs:
            hold_jobs(running.deployment)
        made = generate(tickets=150, log_lines=1500, days=1)
        demo.send(made, running)
        screens.out.print(
            f"AWS is up, and {len(made.files)} made-up files have been uploaded; for more of them:"
        )
        screens.out.print("  gluebook upload FILE --dataset support_tickets --source servicenow")
        if not jobs:
            screens.out.print(
                "No Glue job runs: what arrives is pending until a notebook of notebooks/jobs is run."
            )
        yield
