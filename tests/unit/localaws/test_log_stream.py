"""Lines go to CloudWatch Logs with a role's credentials; what the role may not write is lost, and nothing else."""

from __future__ import annotations

import pytest

from localaws.logs import LogStream
from localaws.logs import stream as log_stream
from unit.localaws.iam_laptop import Laptop, allow, role_name, unique

ALL = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])


def stream(laptop: Laptop, role: str, group: str, *, makes_group: bool = False) -> LogStream:
    keys = laptop.authorizer.assume(role, "lambda.amazonaws.com", "logs", by_aws=True)
    return LogStream(laptop.endpoint, keys, group, "stream", makes_group=makes_group)


def used(laptop: Laptop, role: str) -> dict[str, int]:
    grants = laptop.authorizer.report().grants
    return {one.action: one.by_aws for one in grants if one.role == role_name(role)}


def logged(laptop: Laptop, group: str) -> list[str]:
    found = laptop.client("logs").get_log_events(
        logGroupName=group, logStreamName="stream", startFromHead=True
    )
    return [one["message"] for one in found["events"]]


def test_lines_are_written_in_order_and_a_group_is_made_where_there_is_none(laptop: Laptop) -> None:
    role, group = laptop.role(ALL), unique("/aws/lambda/f")
    written = stream(laptop, role, group)
    for line in ("one", "", "two"):
        written.add(line)
    written.flush()
    assert logged(laptop, group) == ["one", "two"]
    # Asked for a stream, told that there is no group, made both.
    assert used(laptop, role) == {"logs:CreateLogGroup": 1, "logs:CreateLogStream": 2, "logs:PutLogEvents": 1}


@pytest.mark.parametrize(("makes_group", "asked"), [(True, 1), (False, 0)])
def test_glue_asks_for_its_group_each_time_and_lambda_only_where_there_is_none(
    laptop: Laptop, makes_group: bool, asked: int
) -> None:
    role, group = laptop.role(ALL), unique("/aws-glue/jobs")
    laptop.client("logs").create_log_group(logGroupName=group)
    written = stream(laptop, role, group, makes_group=makes_group)
    written.add("one")
    written.flush()
    assert used(laptop, role)["logs:CreateLogGroup"] == asked


def test_many_lines_go_in_several_requests(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "_EVENTS_AT_ONCE", 3)
    role, group = laptop.role(ALL), unique("/aws/lambda/f")
    written = stream(laptop, role, group)
    for number in range(7):
        written.add(f"line {number}")
    written.flush()
    assert logged(laptop, group) == [f"line {number}" for number in range(7)]
    assert used(laptop, role)["logs:PutLogEvents"] == 3


def test_what_may_not_be_written_is_lost_and_reported_once(laptop: Laptop) -> None:
    role = laptop.role()
    written = stream(laptop, role, unique("/aws/lambda/f"))
    for _ in range(2):
        written.add("one")
        written.flush()
    denied = [one for one in laptop.authorizer.report().denied if one.role == role_name(role)]
    assert [(one.action, one.count) for one in denied] == [("logs:CreateLogStream", 1)]
