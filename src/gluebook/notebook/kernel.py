"""The project's Jupyter kernel: IPython with the magics of AWS Glue's notebooks, on this machine.

An IPython extension, loaded by the kernel's own command line (`kernelspec.py`). In its cells

* every magic of AWS Glue is there: it says that it is for AWS Glue, and is noted in `RECORDED`; `%%sql` runs;
* a magic that fails or is unknown fails its cell, unlike in IPython;
* `spark` and `sc` are created on first use; boto3 and awswrangler find the laptop AWS that is up;
* parameters that are empty get what the deployed job is given, as AWS Glue gives it to the job.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gluebook.deployment.laptop import RunningLaptop, running_laptop
from gluebook.errors import ConfigurationError, NotebookError
from gluebook.notebook.deployed import filled, notebook_defaults
from gluebook.notebook.glue_magics import CELL_MAGICS, LINE_MAGICS, SHOWING_MAGICS, wrong_value
from gluebook.notebook.magics import parse
from gluebook.notebook.names import names_in
from gluebook.notebook.parameters import Parameter, parse_parameters

_ENDPOINT = "AWS_ENDPOINT_URL"
_NO_LAPTOP = "No laptop AWS is up. Start one with `gluebook up`, then run this cell again."


@dataclass(frozen=True)
class Recorded:
    """A call of a magic: its name without percent signs, its arguments, and the cell below a cell magic."""

    name: str
    arguments: str
    cell: str = ""


RECORDED: list[Recorded] = []


def load_ipython_extension(shell: Any) -> None:
    """Make an IPython shell the project's kernel. Called by IPython."""
    for name in LINE_MAGICS:
        shell.register_magic_function(_no_op(name), "line", name)
    for name in CELL_MAGICS - {"sql"}:
        shell.register_magic_function(_no_op(name), "cell", name)
    for name in SHOWING_MAGICS:
        shell.register_magic_function(_showing(shell, name), "line", name)
    shell.register_magic_function(_sql, "cell", "sql")
    from IPython.core.error import UsageError

    shell.set_custom_exc((UsageError,), _loudly)
    shell.system_raise_on_error = True  # a shell call that fails fails its cell too
    laptop = _Laptop()
    shell.events.register("pre_run_cell", lambda info: _before(shell, laptop, info.raw_cell))
    shell.events.register("post_run_cell", lambda result: _after(shell, laptop, result))


def _no_op(name: str) -> Any:
    def magic(arguments: str, cell: str = "") -> None:
        from IPython.core.error import UsageError

        if wrong := wrong_value(name, arguments, cell):
            raise UsageError(f"%{name}: {wrong}")
        RECORDED.append(Recorded(name, arguments, cell))
        _say(f"for AWS Glue only: {'%%' if cell else '%'}{name} {arguments}".rstrip())

    return magic


def _showing(shell: Any, name: str) -> Any:
    """`%matplot plt`, `%plotly figure`: AWS Glue shows no plot without them; here they show it too."""

    def magic(arguments: str) -> None:
        RECORDED.append(Recorded(name, arguments))
        shown = shell.ev(arguments)
        if name == "matplot":
            shown.show()
        else:
            from IPython.display import display

            display(shown)

    return magic


def _sql(arguments: str, cell: str) -> None:
    from gluebook.job.runtime import spark_session

    RECORDED.append(Recorded("sql", arguments, cell))
    spark_session().sql(cell).show()


def _loudly(shell: Any, kind: type[BaseException], error: BaseException, _trace: Any, **_: Any) -> list[str]:
    """Fail the cell if a magic fails; IPython only prints the error and goes on."""
    shown = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, shown)
    return shown


class _Laptop:
    """The laptop AWS of this kernel: the one that is up when a cell runs."""

    def __init__(self) -> None:
        self._entered: str | None = None
        self._shown = False

    def find(self) -> RunningLaptop | None:
        """The laptop AWS that this process uses, unless AWS_ENDPOINT_URL names another endpoint."""
        known = running_laptop()
        if known is None:
            return None
        url = known.environment[_ENDPOINT]
        if os.environ.get(_ENDPOINT) in (None, self._entered) and self._entered != url:
            known.enter()
            self._entered, self._shown = url, False
            if boto3 := sys.modules.get("boto3"):  # its own session remembers whom it was before
                vars(boto3)["DEFAULT_SESSION"] = None
        return known if os.environ.get(_ENDPOINT) == url else None

    def missed(self, error: BaseException | None) -> None:
        """Show, once, how to start one if a cell failed without one."""
        if self._shown or not isinstance(error, BotoCoreError | ClientError | ConfigurationError):
            return
        if running_laptop() is None and os.environ.get(_ENDPOINT) in (None, self._entered):
            self._shown = True
            _say(_NO_LAPTOP)


def _before(shell: Any, laptop: _Laptop, source: str) -> None:
    """Provide what the cell uses before it runs."""
    laptop.find()
    missing = {"spark", "sc"} & _needed(source) - shell.user_ns.keys()
    if missing:
        from gluebook.job.runtime import spark_session

        spark = spark_session()
        shell.user_ns.update({name: spark if name == "spark" else spark.sparkContext for name in missing})


def _needed(source: str) -> set[str]:
    """The names that a cell and its magics (`%%time`, `%time`) read."""
    try:
        tree, magics = parse(source)
    except SyntaxError:
        return set()  # the cell itself will say so
    within = [text for magic in magics for text in (magic.arguments, magic.cell) if text]
    return {*names_in(tree).needed, *(name for text in within for name in _needed(text))}


def _after(shell: Any, laptop: _Laptop, result: Any) -> None:
    """Fill in the empty parameters after the parameters cell."""
    if not result.success:
        laptop.missed(result.error_in_exec)
        return
    try:
        parameters = parse_parameters(result.info.raw_cell, "this cell")
    except NotebookError:
        return
    known = laptop.find() if _of_a_job_or_report(parameters) else None
    if known is None:
        return
    from gluebook.aws.sessions import new_session  # kernels start without boto3

    dataset = str(shell.user_ns.get("dataset", ""))
    try:
        given = notebook_defaults(new_session().client("glue"), known.outputs, dataset)
    except (BotoCoreError, ClientError) as error:
        _say(f"The empty parameters can't be taken from the deployed job: {error}")
        return
    found = filled(parameters, shell.user_ns, given)
    shell.user_ns.update(found)
    if found:
        _say(
            "Empty parameters, taken from the deployed job: "
            + ", ".join(f"{k}={v!r}" for k, v in found.items())
        )


def _of_a_job_or_report(parameters: Sequence[Parameter]) -> bool:
    """Whether these are parameters of jobs, and not other variables written in the same way."""
    named = {parameter.name for parameter in parameters}
    return bool(named & {"dataset", "lake_bucket"}) and any(p.default == "" for p in parameters)


def _say(text: str) -> None:
    print(text)  # noqa: T201
