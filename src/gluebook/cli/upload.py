"""`gluebook upload`: put files into the raw bucket."""

from __future__ import annotations

from gluebook.cli import options, screens
from gluebook.cli.deployment import connect, existing


def upload(
    files: options.FILES,
    dataset: options.DATASET,
    source: options.SOURCE,
    dt: options.DATE = None,
    as_json: options.JSON = False,
) -> None:
    """Put FILES into the raw bucket under keys that follow the convention; the chain processes them.

    Example: gluebook upload incidents.csv --dataset support_tickets --source servicenow
    """
    deployment = connect()
    paths, arrival = existing(files), options.arrival(dt)
    keys = [deployment.upload(path, dataset, source, arrival) for path in paths]
    if as_json:
        options.print_json({"bucket": deployment.raw_bucket, "keys": keys})
    else:
        for key in keys:
            screens.show(f"s3://{deployment.raw_bucket}/{key}")
