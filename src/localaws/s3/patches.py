"""What is changed in moto's S3."""

from __future__ import annotations

from moto.iam.access_control import PermissionResult
from moto.moto_server.utilities import RegexConverter
from moto.s3 import models, notifications
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore

from localaws.patches import Patches, around, replace
from localaws.s3.copies import copy_if, copy_with_checksum
from localaws.s3.keys import encode_objects, encode_versions, match_any_character
from localaws.s3.notifications import (
    one_at_a_time,
    publish_after,
    refuse_other_notifications,
    send_event,
    show_event_bridge,
)
from localaws.s3.ranges import value
from localaws.s3.versions import limit_page, list_object_versions, set_versions

PATCHES = Patches(
    around(RegexConverter, "__init__", match_any_character),
    around(S3Response, "list_objects_v2", encode_objects),
    around(S3Response, "list_object_versions", encode_versions),
    around(S3Response, "list_object_versions", limit_page),
    replace(S3Backend, "list_object_versions", list_object_versions),
    replace(_VersionedKeyStore, "setlist", set_versions),
    replace(FakeKey, "value", property(value, FakeKey.value.fset)),
    around(S3Backend, "copy_object", copy_with_checksum),
    around(S3Response, "copy_object", copy_if),
    replace(notifications, "send_event", send_event),
    *(around(S3Response, name, publish_after) for name in ("key_response", "bucket_response")),
    *(
        around(S3Response, name, one_at_a_time)
        for name in (
            "put_object",
            "delete_object",
            "copy_object",
            "_key_response_post",
            "_bucket_response_post",
        )
    ),
    around(FakeBucket, "set_notification_configuration", refuse_other_notifications),
    around(S3Response, "get_bucket_notification", show_event_bridge),
    # CreateBucket looks for rules with function targets, and swallows whatever goes wrong.
    replace(models, "events_send_notification", lambda **_: None),
    # moto reads a bucket's policy without its conditions: "deny plain HTTP" would be "deny everything". The policy is
    # evaluated in front of moto.
    replace(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL),
)
