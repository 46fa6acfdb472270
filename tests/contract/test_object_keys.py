"""Any key that S3 accepts stays unchanged, from the upload through the event and the ledger to the listing."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.moto_aws import client, ledger_table, moto_endpoint, server, session  # noqa: F401
from gluebook.aws.ledger import Ledger
from gluebook.aws.objects import Objects
from gluebook.clock import utc_now
from gluebook.core.events import ObjectArrived, parse_queue_message
from gluebook.core.states import FileState
from gluebook.core.versions import order_of_event
from gluebook.operations.register import RegisterContext, new_file_version, register, register_missing
from localaws.endpoint import Endpoint
from localaws.events import object_created_event
from localaws.s3 import ObjectCreated

FOLDER = "app_logs/mongod/dt=2026-01-05/"
# UTF-8 of at most 1,024 bytes; no path that an HTTP library would take for another one.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200).filter(
    lambda name: (
        len((FOLDER + name).encode()) <= 1024
        and not name.endswith("/")
        and not {"", ".", ".."} & set(name.split("/"))
    )
)


@pytest.fixture
def raw(endpoint: Endpoint) -> str:
    s3, name = client("s3"), f"raw-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return name


@pytest.fixture
def ledger(table: str) -> Ledger:
    return Ledger(table, "tester", session())


def message(created: ObjectCreated) -> str:
    """What comes out of the queue."""
    return json.dumps(
        object_created_event(
            bucket=created.bucket,
            key=created.key,
            size=created.size,
            etag=created.etag,
            sequencer=created.sequencer,
            version_id=created.version_id,
        )
    )


SPECIAL = (
    "a b+c.log",
    "a%20b.log",
    "dt%3D2026-01-05",
    "line\nbreak\r\ttab.log",
    "\x1b[2J\x1b]0;title\x07.log",
    "\x00\x01\x08\x0b\x1f\x7f\x9b.log",
    "\u202egol.\u2028\u2029\ufffe\uffff.log",
    "Ö/é/日本語/😀.log",
    "&<>\"'?#;=@:,~*()[]{}|\\^`.log",
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1, max_size=3))
@example(names=set(SPECIAL))
@example(names={" "})
def test_any_key_comes_through_from_the_upload_to_the_listing(
    names: set[str], raw: str, ledger: Ledger, told: list[ObjectCreated]
) -> None:
    told.clear()
    run = uuid.uuid4().hex
    keys = {f"{FOLDER}{run}/{name}" for name in names}
    keys = {key for key in keys if len(key.encode()) <= 1024}
    for key in sorted(keys):
        client("s3").put_object(Bucket=raw, Key=key, Body=b"12345")
    events = [parse_queue_message(message(created)) for created in told]
    assert {event.key for event in events if isinstance(event, ObjectArrived)} == keys
    for event in events:
        assert isinstance(event, ObjectArrived)
        file = new_file_version(
            event.bucket,
            event.key,
            event.version_id,
            event.size,
            order_of_event(event.sequencer),
            utc_now(),
        )
        unusable = "\0" in event.key or event.key.endswith(" ")
        assert (file.state is FileState.FAILED) is unusable
        assert register(file, ledger, "test")
    objects = Objects(session())
    listed = [one for page in objects.versions(raw, f"{FOLDER}{run}/") for one in page]
    assert {one.key for one in listed} == keys == set(objects.sizes(raw, f"{FOLDER}{run}/"))
    # The listing has exactly the versions of the events.
    again = register_missing(listed, RegisterContext(ledger, objects, raw, utc_now, "found"))
    assert (again.registered, again.known) == (0, len(keys))
    for one in listed:
        assert objects.open_version(raw, one.key, one.version_id).read() == b"12345"


def test_a_listing_goes_on_behind_keys_that_no_xml_can_hold(raw: str) -> None:
    keys = [f"{FOLDER}{name}" for name in ("\x01", "\x02/a", "\x02/b", "a\nb", "zzz/late.txt")]
    for key in keys:
        client("s3").put_object(Bucket=raw, Key=key, Body=b"")
    listing = client("s3").get_paginator("list_object_versions")
    pages = listing.paginate(Bucket=raw, PaginationConfig={"PageSize": 1})
    assert [version["Key"] for page in pages for version in page["Versions"]] == keys
    found = listing.paginate(Bucket=raw, Prefix=FOLDER, Delimiter="/").build_full_result()
    assert [one["Prefix"] for one in found["CommonPrefixes"]] == [f"{FOLDER}\x02/", f"{FOLDER}zzz/"]
    client("s3").delete_object(Bucket=raw, Key=keys[0])
    assert [one["Key"] for one in listing.paginate(Bucket=raw).build_full_result()["DeleteMarkers"]] == keys[
        :1
    ]
    pages = (
        client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=raw, Prefix=FOLDER, PaginationConfig={"PageSize": 1})
    )
    assert [one["Key"] for page in pages for one in page["Contents"]] == keys[1:]
    behind = client("s3").list_objects_v2(Bucket=raw, StartAfter=keys[1])
    assert (behind["StartAfter"], [one["Key"] for one in behind["Contents"]]) == (keys[1], keys[2:])
