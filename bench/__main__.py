"""`make bench`: Gluebook and other ways to do the same work, in turn, on the same input.

Example: make bench BENCH="--input mongod --rows 100000 --repeat 1 --only ours,duckdb"

Writes bench/results/*.json and docs/performance.md, unless --only leaves contenders out. Exits with 1 if a contender
fails, or if two of them don't agree on the rows; with 2 if the real lines that the input is made of are not there.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench import page
from bench.agreement import differences
from bench.contenders import CONTENDERS
from bench.inputs import INPUTS, NoRealData, make
from bench.results import FOLDER, Machine, Result, figures, machine, versions
from bench.running import ROOT, ContenderFailed, Measured, measure, python_of

_LOCKS = {name: ROOT / f"requirements-bench-{name}.lock" for name in ("dlt", "duckdb")}
_console = Console()
_errors = Console(stderr=True)


class Disagree(Exception):
    """Contenders differ in their rows; the message lists where."""


def main(given: argparse.Namespace) -> int:
    """Run what was asked for; the exit status."""
    contenders = given.only or list(CONTENDERS)
    missing = [
        str(python_of(CONTENDERS[name])) for name in contenders if not python_of(CONTENDERS[name]).exists()
    ]
    if missing:
        _errors.print(f"there is no {', '.join(missing)}: `make bench` sets it up")
        return 2
    # Before the first repetition, which is a load of its own.
    before = machine()
    try:
        for name in given.input or list(INPUTS):
            for records in [given.rows] if given.rows else INPUTS[name].sizes:
                result = compare(name, records, contenders, given.repeat, before)
                _console.print(page.table(result))
                if contenders == list(CONTENDERS):
                    FOLDER.mkdir(exist_ok=True)
                    _console.print(f"written: {result.write(FOLDER).relative_to(ROOT)}")
                    page.write()
    except NoRealData as error:
        _errors.print(str(error))
        return 2
    except (ContenderFailed, Disagree) as error:
        _errors.print(str(error), markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def compare(name: str, records: int, contenders: list[str], repetitions: int, before: Machine) -> Result:
    """All contenders in turn, `repetitions` times. Raises NoRealData, ContenderFailed, Disagree."""
    with tempfile.TemporaryDirectory(prefix="gluebook-bench-input-") as folder:
        files = make(name, records, Path(folder))
        runs: dict[str, list[Measured]] = {contender: [] for contender in contenders}
        for number in range(1, repetitions + 1):
            for contender in contenders:
                _console.print(
                    f"{name}, {records:,} records, {number} of {repetitions}: {contender} ", end=""
                )
                done = measure(contender, name, files)
                _console.print(f"{done.outcome.job:.1f} + {done.outcome.load:.1f} s")
                runs[contender].append(done)
            _must_agree({contender: done[-1] for contender, done in runs.items()})
        first = runs[contenders[0]][0].outcome.counts
        return Result(
            input=name,
            records=records,
            files=len(files),
            raw_bytes=sum(path.stat().st_size for path in files),
            repetitions=repetitions,
            counts=asdict(first),
            machine=before,
            versions=versions(_LOCKS),
            figures={contender: figures(contender, done) for contender, done in runs.items()},
        )


def _must_agree(last: dict[str, Measured]) -> None:
    found = differences({name: (done.outcome.counts, done.agreed) for name, done in last.items()})
    if found:
        raise Disagree("the contenders' rows differ:\n  " + "\n  ".join(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--input", type=_names(INPUTS), help=f"of {', '.join(INPUTS)}; the default is all")
    parser.add_argument("--rows", type=int, help="records in each input; the default is the full run's")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, 3 by default")
    parser.add_argument(
        "--only", type=_names(CONTENDERS), help=f"of {', '.join(CONTENDERS)}; nothing is written then"
    )
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        given = text.split(",")
        if unknown := [name for name in given if name not in known]:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(known)}")
        return given

    return names


if __name__ == "__main__":
    # A shell that runs this in the background lets it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(_arguments()))
