"""Runs Glue's crawlers: a crawl lists, reads footers and writes the catalog as the crawler's role."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.glue.models import FakeCrawler

from ..endpoint import Endpoint
from ..errors import LocalAwsError, NotSupported
from ..events import glue_crawler_event, timestamp
from ..logs import LogStream
from ..roles import Assume, role_arn
from ..threads import Threads
from .crawl import Policy, Stopped, crawl_target
from .models import Crawl, crawl_patches

log = logging.getLogger(__name__)

# AWS docs: "Monitoring AWS Glue crawlers": there, in a stream that is called like the crawler.
_LOG_GROUP = "/aws-glue/crawlers"
_COUNTS = [
    f"{things}{done}" for things in ("tables", "partitions") for done in ("Created", "Updated", "Deleted")
]


class Crawlers:
    """Runs what StartCrawler starts, from its construction until `close`.

    `on_event` gets a "Glue Crawler State Change" when a crawl starts, succeeds or fails.
    """

    def __init__(
        self, endpoint: Endpoint, assume: Assume, on_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self._endpoint = endpoint
        self._assume = assume
        self._on_event = on_event
        self._threads = Threads("crawler")
        self._patches = crawl_patches(self._begin)
        self._patches.apply()

    def idle(self) -> bool:
        """Whether no crawl is under way and every end has been passed to `on_event`."""
        return self._threads.idle()

    def close(self) -> None:
        """Cancel all crawls, without an event."""
        self._patches.undo()
        self._threads.close()
        self._threads.join()

    def _begin(self, crawler: FakeCrawler, crawl: Crawl) -> None:
        if not self._threads.start(crawler.name, partial(self._run, crawler, crawl)):
            crawl.finish("STOPPED")

    def _run(self, crawler: FakeCrawler, crawl: Crawl) -> None:
        try:
            self._crawl(crawler, crawl)
        except Exception as error:
            crawl.finish("FAILED", f"Internal Service Exception: {error}")
            raise

    def _crawl(self, crawler: FakeCrawler, crawl: Crawl) -> None:
        began = datetime.now(UTC)
        self._tell(crawler.name, "Started", {"startTime": timestamp(began)})
        counts: Counter[str] = Counter()
        try:
            self._crawl_targets(crawler, crawl, counts)
        except Stopped:
            crawl.finish("STOPPED")
            return
        except (LocalAwsError, ClientError, BotoCoreError) as error:
            log.error("crawler %s: %s", crawler.name, error)
            crawl.finish("FAILED", str(error))
            self._tell(crawler.name, "Failed", {"errorMessage": str(error)})
            return
        ended = datetime.now(UTC)
        crawl.finish("COMPLETED")
        details = {name: str(counts[name]) for name in _COUNTS}
        details |= {
            "warningMessage": "N/A",
            "completionDate": timestamp(ended),
            "runningTime (sec)": str(int((ended - began).total_seconds())),
        }
        self._tell(crawler.name, "Succeeded", details)

    def _crawl_targets(self, crawler: FakeCrawler, crawl: Crawl, counts: Counter[str]) -> None:
        policy = _policy(crawler)
        if others := sorted(
            kind for kind, targets in crawler.targets.items() if targets and kind != "S3Targets"
        ):
            raise NotSupported(f"crawler {crawler.name}: {', '.join(others)}; only S3Targets")
        credentials = self._assume(
            role_arn(self._endpoint, crawler.role),
            "glue.amazonaws.com",
            "AWS-Crawler",
            caller=f"crawler {crawler.name}",
            by_aws=True,
        )
        s3 = self._endpoint.client("s3", credentials)
        glue = self._endpoint.client("glue", credentials)
        logs = LogStream(self._endpoint, credentials, _LOG_GROUP, crawler.name, makes_group=True)
        logs.add(f"[{crawl.crawl_id}] BENCHMARK : Running Start Crawl for Crawler {crawler.name}")
        logs.flush()
        glue.get_database(Name=crawler.database_name)
        for target in crawler.targets.get("S3Targets", []):
            counts += crawl_target(
                s3, glue, target, policy, lambda: self._threads.closed or crawl.state == "STOPPING"
            )

    def _tell(self, crawler: str, state: str, details: dict[str, str]) -> None:
        if self._threads.closed:
            return
        account, region = self._endpoint.account, self._endpoint.region
        self._on_event(glue_crawler_event(crawler, state, details, account=account, region=region))


def _policy(crawler: FakeCrawler) -> Policy:
    """The crawler's settings; NotSupported, by name, for those that aren't supported."""
    behavior = (crawler.recrawl_policy or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
    change = crawler.schema_change_policy or {}
    # Glue's default for what is deleted is DEPRECATE_IN_DATABASE: nothing is removed from the catalog then either.
    update = change.get("UpdateBehavior", "UPDATE_IN_DATABASE")
    delete = change.get("DeleteBehavior", "DEPRECATE_IN_DATABASE")
    if behavior not in ("CRAWL_EVERYTHING", "CRAWL_NEW_FOLDERS_ONLY"):
        raise NotSupported(f"crawler {crawler.name}: RecrawlBehavior {behavior}")
    options = _options(crawler.configuration, crawler.name)
    used = {
        "Classifiers": crawler.classifiers,
        "CrawlerSecurityConfiguration": crawler.crawler_security_configuration,
    }
    if unknown := sorted(name for name, value in used.items() if value):
        raise NotSupported(f"crawler {crawler.name}: {', '.join(unknown)}")
    return Policy(
        name=crawler.name,
        database=crawler.database_name,
        table_prefix=crawler.table_prefix or "",
        new_folders_only=behavior == "CRAWL_NEW_FOLDERS_ONLY",
        update=update == "UPDATE_IN_DATABASE",
        delete=delete == "DELETE_FROM_DATABASE",
        inherit="inherit" in options,
        merge_columns="merge" in options,
    )


# What Configuration may say (AWS docs: "Setting crawler configuration options"); combining compatible schemas
# into one table is what is done anyway, and an index changes no result.
_OPTIONS = {
    ("Version", "1.0"): "",
    ("CreatePartitionIndex", "True"): "",
    ("CreatePartitionIndex", "False"): "",
    ("Grouping.TableGroupingPolicy", "CombineCompatibleSchemas"): "",
    ("CrawlerOutput.Partitions.AddOrUpdateBehavior", "InheritFromTable"): "inherit",
    ("CrawlerOutput.Tables.AddOrUpdateBehavior", "MergeNewColumns"): "merge",
}


def _options(configuration: str | None, crawler: str) -> set[str]:
    """The crawler's Configuration, read; NotSupported, by name, for a setting that isn't supported."""
    try:
        return {_OPTIONS[setting] for setting in _flat(json.loads(configuration or "{}"), "")}
    except KeyError as error:
        raise NotSupported(f"crawler {crawler}: Configuration {error}") from None


def _flat(node: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", str(value)
