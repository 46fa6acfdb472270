"""The project's Jupyter kernel: IPython with what AWS Glue's notebooks have, on this machine.

An IPython extension, loaded by the kernel's own command line (`kernelspec.py`). In its cells

* every magic of AWS Glue is there: it says that it is for AWS Glue, and is noted in `RECORDED`; `%%sql` runs;
* a magic that fails, or that there isn't, fails its cell, which IPython's own don't;
* `spark` and `sc` are made when a cell first asks for them; boto3 and awswrangler find the laptop AWS that is up;
* parameters that are empty get what the deployed job is given, as AWS Glue gives it to the job.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from gluebook.errors import NotebookError
from gluebook.laptop import JOB_OUTPUTS, Known, known_laptop
from gluebook.notebook.glue_magics import CELL_MAGICS, LINE_MAGICS, wrong_value
from gluebook.notebook.magics import parse
from gluebook.notebook.names import names_in
from gluebook.notebook.parameters import parse_parameters

_ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(frozen=True)
class Recorded:
    """A magic that was called: without percent signs, with what stood behind it and, of a cell magic, below it."""

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
    shell.register_magic_function(_sql, "cell", "sql")
    from IPython.core.error import UsageError

    shell.set_custom_exc((UsageError,), _loudly)
    shell.events.register("pre_run_cell", lambda info: _before(shell, info.raw_cell))
    shell.events.register("post_run_cell", lambda result: _after(shell, result))


def _no_op(name: str) -> Any:
    def magic(arguments: str, cell: str = "") -> None:
        from IPython.core.error import UsageError

        if wrong := wrong_value(name, arguments, cell):
            raise UsageError(f"%{name}: {wrong}")
        RECORDED.append(Recorded(name, arguments, cell))
        print(f"for AWS Glue only: {'%%' if cell else '%'}{name} {arguments}".rstrip())  # noqa: T201

    return magic


def _sql(arguments: str, cell: str) -> None:
    from gluebook.runtime import spark_session

    RECORDED.append(Recorded("sql", arguments, cell))
    spark_session().sql(cell).show()


def _loudly(shell: Any, kind: type[BaseException], error: BaseException, _trace: Any, **_: Any) -> list[str]:
    """IPython prints what is wrong with a magic and goes on; here the cell fails, as any other would."""
    told = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, told)
    return told


def _before(shell: Any, source: str) -> None:
    """What the cell asks for is there when it runs."""
    _find_laptop()
    try:
        needed = names_in(parse(source)[0]).needed
    except SyntaxError:
        return  # the cell itself will say so
    if {"spark", "sc"} & needed.keys() - shell.user_ns.keys():
        from gluebook.runtime import spark_session

        shell.user_ns["spark"] = spark_session()
        shell.user_ns["sc"] = shell.user_ns["spark"].sparkContext


def _find_laptop() -> Known | None:
    """Point this process at the laptop AWS that is up, unless it has been pointed somewhere already."""
    known = known_laptop()
    if known is None:
        return None
    if _ENDPOINT not in os.environ:
        os.environ.update(known.environment)
    return known if os.environ[_ENDPOINT] == known.environment[_ENDPOINT] else None


def _after(shell: Any, result: Any) -> None:
    """Fill in the parameters that the cell has left empty, if it was the parameters cell."""
    try:
        parameters = parse_parameters(result.info.raw_cell, "this cell")
    except NotebookError:
        return
    empty = [p.name for p in parameters if shell.user_ns.get(p.name) == ""]
    known = _find_laptop() if empty and result.success else None
    if known is None:
        return
    deployed = deployed_arguments(known.outputs, str(shell.user_ns.get("dataset", "")))
    for name in empty:
        if name in deployed:
            shell.user_ns[name] = deployed[name]
            print(f'{name} = "{deployed[name]}", as the deployed job has it')  # noqa: T201


def deployed_arguments(outputs: dict[str, str], dataset: str) -> dict[str, str]:
    """What the deployed job of `dataset` is given, by parameter; without a dataset, what all jobs are given alike.

    `outputs`: the stack's. Raises ClientError if Glue doesn't know the job.
    """
    import boto3

    glue = boto3.session.Session().client("glue")
    names = [JOB_OUTPUTS[dataset]] if dataset in JOB_OUTPUTS else JOB_OUTPUTS.values()
    found = [glue.get_job(JobName=outputs[name])["Job"]["DefaultArguments"] for name in names]
    first, *others = ({flag.removeprefix("--"): value for flag, value in one.items()} for one in found)
    return {name: value for name, value in first.items() if all(o.get(name) == value for o in others)}
