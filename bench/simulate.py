"""A million files and 10 TB a day, simulated: how long they take, what it costs, and what breaks first.

Example: python -m bench.simulate --files 100000 --bytes 1TB --arrivals business --set NumberOfWorkers=10

The product's own functions, claims, ledger, counts and publishing run on a simulated clock; rows and bytes are
numbers.
Exits with 1 if a file is unaccounted for. `--write` simulates the scenarios of docs/scale.md and writes its tables.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from dataclasses import fields, replace
from typing import Any, NoReturn

from rich.console import Console

from bench.simulation import page, report
from bench.simulation.arrivals import PATTERNS
from bench.simulation.options import Options
from bench.simulation.outcome import figures
from bench.simulation.world import World
from gluebook.contracts import CONTRACTS
from gluebook.errors import ConfigurationError

_UNITS = {"MB": 1.0, "GB": 1e3, "TB": 1e6}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(MB|GB|TB)")


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        if given.write:
            page.write(lambda line: print(line, file=sys.stderr))
            return 0
        options = _options(given)
        world = World(options)
        world.play()
        found = figures(world)
    except ConfigurationError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if given.json:
        print(json.dumps(report.to_json(options, found), indent=1))
    else:
        report.show(options, found, Console())
    return 0 if found.accounted else 1


def _options(given: argparse.Namespace) -> Options:
    named = {each.name for each in fields(Options)}
    chosen = {name: value for name, value in vars(given).items() if name in named and value is not None}
    parameters = dict(given.set)
    if given.workers:
        parameters["NumberOfWorkers"] = str(given.workers)
    limits = {name: _positive(value, f"--limit {name}") for name, value in given.limit}
    return replace(Options(), **{**chosen, "parameters": parameters, "limits": limits})


def _positive(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is a number, not {text!r}") from None
    if not 0 < value < float("inf"):
        raise ConfigurationError(f"{name} is above 0, not {text}")
    return value


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m bench.simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Options()

    def add(name: str, kind: Any, text: str, **more: Any) -> None:
        dest = more.pop("dest", name.strip("-").replace("-", "_"))
        shown = getattr(default, dest, None)
        parser.add_argument(
            name, type=kind, dest=dest, help=text + (f"; {shown}" if shown is not None else ""), **more
        )

    add("--files", _whole, "files a day")
    add("--bytes", _amount, "raw bytes a day, such as 10GB or 1TB; in megabytes", dest="size")
    add("--arrivals", str, f"when they arrive: {', '.join(PATTERNS)}", choices=list(PATTERNS))
    add("--datasets", _datasets, "datasets that get the files, with commas between")
    add("--workers", _whole, "workers of a job run, short for --set NumberOfWorkers=N")
    add("--concurrency", _whole, "invocations of the admit function at once; the template's")
    add("--batch-size", _whole, "messages of a delivery to it; the template's")
    add("--start-up", _seconds, "seconds of a run beside its files")
    add("--megabytes-per-vcpu", _above, "raw megabytes a vCPU takes in a second, measured by `make bench`")
    add("--file-seconds", _seconds, "seconds of a vCPU for each file beside its bytes")
    add("--statement-seconds", _seconds, "seconds of a statement beside its bytes")
    add("--load-megabytes", _above, "raw megabytes a load takes in a second with the template's BaseCapacity")
    add("--event-seconds", _seconds, "seconds until an event is delivered")
    add("--ledger-seconds", _seconds, "seconds of a request to DynamoDB")
    add("--store-seconds", _seconds, "seconds of a request to S3")
    add("--dead-runs", _share, "share of job runs that die")
    add("--failed-loads", _share, "share of loads that the warehouse's state refuses")
    add("--lost-events", _share, "share of events of Glue and the Data API that are lost")
    add("--bad-files", _share, "share of files that cannot be read")
    add(
        "--parcels",
        _whole,
        "file versions that are simulated at most; with more files each stands for several",
    )
    add("--most-days", _above, "days after which the simulation ends, whatever still waits")
    add("--seed", int, "of all chances")
    pair: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME=VALUE"}
    parser.add_argument("--set", type=_pair, help="a template parameter; may be repeated", **pair)
    parser.add_argument(
        "--limit", type=_pair, help="a limit by its name in the output, such as statements=200", **pair
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--write", action="store_true", help="simulate the scenarios of docs/scale.md and write it"
    )
    return parser


def _refused(text: str, what: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{what}, not {text!r}")


def _whole(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise _refused(text, "a whole number above 0")
    return int(text)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _refused(text, what) from None
    if not 0 <= value < float("inf"):
        raise _refused(text, what)
    return value


def _seconds(text: str) -> float:
    return _number(text, "a number of seconds")


def _above(text: str) -> float:
    value = _number(text, "a number above 0")
    if not value:
        raise _refused(text, "a number above 0")
    return value


def _share(text: str) -> float:
    value = _number(text, "a share below 1")
    if value >= 1:
        raise _refused(text, "a share below 1")
    return value


def _amount(text: str) -> float:
    match = _AMOUNT.fullmatch(text)
    if match is None or not float(match[1]):
        raise _refused(text, "an amount such as 500MB, 10GB or 1TB")
    return float(match[1]) * _UNITS[match[2]]


def _datasets(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if unknown := [name for name in names if name not in CONTRACTS]:
        raise argparse.ArgumentTypeError(f"no dataset {', '.join(unknown)}; there are {', '.join(CONTRACTS)}")
    return names


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise _refused(text, "NAME=VALUE")
    return name, value


if __name__ == "__main__":
    # A shell that runs this in the background lets it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
