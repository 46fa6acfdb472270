"""`python -m verify_aws [--endpoint aws|laptop] [--only SERVICE ...]`: exit 0 if every answer is the expected one."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from verify_aws.answers import Compared, compare, write_differences
from verify_aws.ask import SERVICES, ask
from verify_aws.kit import Place
from verify_aws.laptop import on_laptop

out = Console(width=None if sys.stdout.isatty() else 160)


def main(words: list[str]) -> int:
    """Ask, compare, print; on AWS, keep the differences."""
    parser = argparse.ArgumentParser(prog="verify_aws", description="Ask AWS, or the laptop, and compare.")
    parser.add_argument("--endpoint", choices=["aws", "laptop"], default="aws")
    parser.add_argument("--only", nargs="+", choices=SERVICES, default=list(SERVICES), metavar="SERVICE")
    chosen = parser.parse_args(words)
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    laptop = chosen.endpoint == "laptop"
    try:
        with on_laptop() if laptop else _on_aws() as place:
            found = dict(ask(place, *chosen.only))
            figures = place.measured
    except (ClientError, BotoCoreError, TimeoutError) as error:
        sys.stderr.write(f"the probes ended with an error: {error}\n")
        return 1
    every = compare(found, laptop=laptop, measured=figures)
    compared = [one for one in every if one.probe.partition(":")[0] in chosen.only]
    asked = [one for one in compared if one.asked]
    wrong = [one for one in asked if not one.agrees]
    out.print(_table(compared, chosen.endpoint))
    out.print(
        f"{len(asked) - len(wrong)} of {len(asked)} answers are as expected; "
        f"{len(compared) - len(asked)} probes were not asked."
    )
    if not laptop and {*chosen.only} == {*SERVICES}:
        write_differences(compared)
    return 1 if wrong else 0


@contextmanager
def _on_aws() -> Iterator[Place]:
    place = Place(boto3.Session().region_name or "us-east-1")
    sys.stderr.write(
        f"asking account {place.account} in {place.region}; everything made is called {place.name}*, costs less "
        "than a dollar and is removed at the end, also after Ctrl-C\n"
    )
    with place.cleaning:
        yield place


def _table(compared: list[Compared], endpoint: str) -> Table:
    table = Table(title=f"what {endpoint} answers", title_justify="left")
    for name in ("probe", "expected", "found", "measured", "source"):
        table.add_column(name, overflow="fold")
    for one in compared:
        style = "" if one.agrees else "red" if one.asked else "yellow"
        table.add_row(one.probe, one.expected, one.found, one.measured, one.source, style=style)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
