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

from localaws.stack import LocalAws
from verify_aws.answers import Compared, compare, write_differences
from verify_aws.ask import SERVICES, ask
from verify_aws.kit import Place

out = Console(width=None if sys.stdout.isatty() else 160)


@contextmanager
def laptop_place(aws: LocalAws) -> Iterator[Place]:
    """The probes' place on a laptop AWS; what they made is gone afterwards."""
    variables = aws.endpoint.environment()
    keys = {
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
    place = Place(variables["AWS_DEFAULT_REGION"], aws.endpoint.url, keys)
    with place.cleaning:
        yield place


def main(words: list[str]) -> int:
    """Ask, compare, print; on AWS, keep the differences."""
    parser = argparse.ArgumentParser(prog="verify_aws", description="Ask AWS, or the laptop, and compare.")
    parser.add_argument("--endpoint", choices=["aws", "laptop"], default="aws")
    parser.add_argument("--only", nargs="+", choices=SERVICES, default=list(SERVICES), metavar="SERVICE")
    chosen = parser.parse_args(words)
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    laptop = chosen.endpoint == "laptop"
    try:
        found = _on_laptop(chosen.only) if laptop else _on_aws(chosen.only)
    except (ClientError, BotoCoreError, TimeoutError) as error:
        sys.stderr.write(f"the probes came to no end: {error}\n")
        return 1
    compared = [one for one in compare(found, laptop=laptop) if one.probe.partition(":")[0] in chosen.only]
    out.print(_table(compared, chosen.endpoint))
    wrong = [one for one in compared if not one.agrees]
    out.print(f"{len(compared) - len(wrong)} of {len(compared)} answers are as expected.")
    if not laptop and {*chosen.only} == {*SERVICES}:
        write_differences(compared)
    return 1 if wrong else 0


def _on_laptop(only: list[str]) -> dict[str, str]:
    with LocalAws(schedule_speed=None) as aws, laptop_place(aws) as place:
        return dict(ask(place, *only))


def _on_aws(only: list[str]) -> dict[str, str]:
    place = Place(boto3.Session().region_name or "us-east-1")
    sys.stderr.write(
        f"asking account {place.account} in {place.region}; everything made is called {place.name}*, costs less "
        "than a dollar and is removed at the end, also after Ctrl-C\n"
    )
    with place.cleaning:
        return dict(ask(place, *only))


def _table(compared: list[Compared], endpoint: str) -> Table:
    table = Table(title=f"what {endpoint} answers", title_justify="left")
    for name in ("probe", "expected", "found", "source"):
        table.add_column(name, overflow="fold")
    for one in compared:
        style = "" if one.agrees else "red"
        table.add_row(one.probe, one.expected, one.found, one.source, style=style)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
