"""Names of things in S3."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluebook.contracts import CONTRACTS
from gluebook.core.keys import (
    FIRST_DATE,
    LAST_DATE,
    Lake,
    OutsideConvention,
    RawKey,
    file_id,
    parse_raw_key,
    raw_key,
    reason_to_ignore,
)
from gluebook.errors import ConfigurationError
from gluebook.sources import source_names

FEEDS = [(contract.name, source) for contract in CONTRACTS.values() for source in source_names(contract.name)]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40).filter(
    lambda name: not name.endswith(("/", " "))
)
DATES = st.dates(FIRST_DATE, LAST_DATE)
KEYS = st.builds(
    lambda feed, dt, name: RawKey(feed[0], feed[1], dt, name), st.sampled_from(FEEDS), DATES, NAMES
).filter(lambda key: reason_to_ignore(str(key), 1) is None)


@given(KEYS)
def test_a_key_of_the_convention_survives_being_written_and_read(key: RawKey) -> None:
    assert parse_raw_key(str(key)) == key
    assert raw_key(key.dataset, key.source, key.dt, key.name) == str(key)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "key_outside_convention"),
        ("export.csv", "key_outside_convention"),
        ("support_tickets/servicenow/export.csv", "key_outside_convention"),
        ("support_tickets/servicenow/2026-01-05/export.csv", "key_outside_convention"),
        ("support_tickets/servicenow/dt=2026-1-5/export.csv", "key_outside_convention"),
        ("support_tickets/servicenow/dt=20260105/export.csv", "key_outside_convention"),
        ("/support_tickets/servicenow/dt=2026-01-05/export.csv", "key_outside_convention"),
        ("support_tickets//dt=2026-01-05/export.csv", "key_outside_convention"),
        ("support_tickets/servicenow/dt=2026-01-05/", "key_outside_convention"),
        ("support_tickets/servicenow/dt=2026-01-05/export.csv ", "unusable_key"),
        ("support_tickets/servicenow/dt=2026-01-05/folder/", "key_outside_convention"),
        ("support_tickets/servicenow/dt=2026-01-05", "key_outside_convention"),
        ("tickets/servicenow/dt=2026-01-05/export.csv", "unknown_dataset: 'tickets'"),
        ("Support_tickets/servicenow/dt=2026-01-05/export.csv", "unknown_dataset"),
        ("support_tickets/jira/dt=2026-01-05/export.csv", "unknown_source: 'jira'"),
        ("support_tickets/mongod/dt=2026-01-05/export.csv", "unknown_source: 'mongod'"),
        ("support_tickets/servicenow/dt=2026-02-30/export.csv", "no_such_date: dt=2026-02-30"),
        ("support_tickets/servicenow/dt=0000-01-01/export.csv", "no_such_date"),
        ("support_tickets/servicenow/dt=2026-01-05/a\0b.csv", "unusable_key: it holds U+0000"),
        ("support_tickets/servicenow/dt=9999-12-31/export.csv", "implausible_date: dt=9999-12-31"),
        ("support_tickets/servicenow/dt=0001-01-01/export.csv", "implausible_date"),
        ("support_tickets/servicenow/dt=1999-12-31/export.csv", "implausible_date"),
        ("support_tickets/servicenow/dt=2100-01-01/export.csv", "implausible_date"),
        ("support_tickets/servicenow/dt=\u0662\u0660\u0662\u0666-01-05/export.csv", "no_such_date"),
    ],
)
def test_a_key_outside_the_convention_is_refused_with_its_reason(key: str, reason: str) -> None:
    found = parse_raw_key(key)
    assert isinstance(found, OutsideConvention)
    assert (found.key, found.reason[: len(reason)]) == (key, reason)
    assert reason != "key_outside_convention" or "<dataset>/<source>/dt=YYYY-MM-DD/<file>" in found.reason


def test_a_refusal_names_what_there_is() -> None:
    unknown = parse_raw_key("x/servicenow/dt=2026-01-05/f")
    wrong = parse_raw_key("app_logs/servicenow/dt=2026-01-05/f")
    assert isinstance(unknown, OutsideConvention) and "app_logs, support_tickets" in unknown.reason
    assert isinstance(wrong, OutsideConvention) and "app_logs is fed by containers, mongod" in wrong.reason


def test_a_file_may_lie_in_a_folder_below_the_date() -> None:
    found = parse_raw_key("app_logs/mongod/dt=2024-02-29/host-1/a.log")
    assert found == RawKey("app_logs", "mongod", date(2024, 2, 29), "host-1/a.log")


def test_a_file_that_has_no_place_is_not_given_one() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot upload a\.log as .*unknown_source"):
        raw_key("app_logs", "servicenow", date(2026, 1, 5), "a.log")


def test_a_file_version_has_one_identity_made_of_all_its_parts() -> None:
    parts = [
        ("b", "k", "v"),
        ("b2", "k", "v"),
        ("b", "k2", "v"),
        ("b", "k", "v2"),
        ("bk", "", "v"),
        ("", "bk", "v"),
    ]
    ids = [file_id(*part) for part in parts]
    assert len(set(ids)) == len(parts)
    assert ids == [file_id(*part) for part in parts]
    assert all(len(one) == 40 and set(one) <= set("0123456789abcdef") for one in ids)


def test_only_published_files_lie_where_the_crawler_looks() -> None:
    lake = Lake("lake")
    others = [
        lake.manifest("d", "b"),
        lake.result("d", "b", 1),
        lake.inbox("b", 1),
        lake.staging("b", 1),
        lake.quarantine_file("d", "b", 1, 1),
        lake.quality("d", "b", 1),
        lake.row_references_manifest("d", "b"),
        lake.row_references_file("d", "b", 7),
    ]
    assert lake.curated_file("d", "2026-01-05", "b", 7).startswith(lake.curated("d"))
    assert not any(key.startswith("curated/") for key in others)
    assert len({*others}) == len(others)
    assert lake.uri("a/b") == "s3://lake/a/b"


def test_every_epoch_of_a_batch_works_in_a_place_of_its_own() -> None:
    lake = Lake("lake")
    for place in (lake.inbox, lake.staging):
        assert not place("b", 11).startswith(place("b", 1))
        assert not place("b2", 1).startswith(place("b", 1))


def test_published_names_sort_by_number_and_differ_by_batch() -> None:
    lake = Lake("lake")
    names = [lake.curated_file("d", "2026-01-05", "b", number) for number in range(12)]
    assert names == sorted(names) and len(set(names)) == 12
    assert lake.curated_file("d", "2026-01-05", "c", 0) not in names


def test_a_further_generation_takes_no_name_of_an_earlier_one() -> None:
    lake = Lake("lake")
    names = [
        name
        for generation in (1, 2, 3, 12)
        for name in (
            lake.manifest("d", "b", generation),
            lake.row_references_manifest("d", "b", generation),
            lake.row_references_file("d", "b", 0, generation),
            lake.curated_file("d", "2026-01-05", "b", 0, generation),
        )
    ]
    assert len(set(names)) == len(names)
    assert lake.manifest("d", "b") == lake.manifest("d", "b", 1) == "manifests/d/b.json"
    assert lake.manifest("d", "b", 2) == "manifests/d/b.g2.json"


@pytest.mark.parametrize("epoch", [0, 1, 12])
def test_the_rejects_of_a_batch_are_found_by_what_their_names_begin_with(epoch: int) -> None:
    lake = Lake("lake")
    mine = lake.quarantine("d", "b-1")
    assert lake.quarantine_file("d", "b-1", epoch, 12).startswith(mine)
    assert not lake.quarantine_file("d", "b-11", epoch, 0).startswith(mine)
    assert not lake.quarantine_file("d", "b", epoch, 0).startswith(mine)
    # A batch's id ends in hexadecimal digits.
    for batch_id in ("b-1", "b-e9", "b-e9-e9"):
        assert lake.epoch_of_rejects("d", batch_id, lake.quarantine_file("d", batch_id, epoch, 12)) == epoch


def test_what_runs_of_different_epochs_say_of_a_batch_stands_apart() -> None:
    lake = Lake("lake")
    kinds = (lake.result, lake.quality, lake.quality_rows, lake.quality_manifest)
    names = [kind("d", "b", epoch) for kind in kinds for epoch in (0, 1, 2, 12)]
    assert len({*names}) == len(names)
    # What earlier releases have written is found again.
    assert lake.result("d", "b", 0) == "results/d/b.json"
    assert lake.quality("d", "b", 0) == "quality/d/b.json"
    assert lake.quarantine_file("d", "b", 0, 3) == "quarantine/d/b-00003.parquet"
    assert lake.quality_manifest_of_generation("d", "b", 1) == "quality/d/rows/b.json"
    assert lake.quality_manifest_of_generation("d", "b", 2) == "quality/d/rows/b.g2.json"


@pytest.mark.parametrize(
    ("key", "size"),
    [
        ("app_logs/", 0),
        ("app_logs/mongod/dt=2026-01-05/", 0),
        ("app_logs/mongod/dt=2026-01-05_$folder$", 0),
        ("app_logs/mongod/dt=2026-01-05/_temporary_$folder$", 0),
        ("app_logs/mongod/dt=2026-01-05/_temporary/0/task/part-0.json", 99),
        ("app_logs/mongod/dt=2026-01-05/.spark-staging-0a1b/part-0.json", 99),
        ("app_logs/mongod/dt=2026-01-05/_SUCCESS", 0),
        ("app_logs/mongod/dt=2026-01-05/.part-0.json.crc", 12),
        ("elsewhere/_SUCCESS", 0),
    ],
)
def test_markers_and_checksums_are_ignored(key: str, size: int) -> None:
    assert reason_to_ignore(key, size)
    if key.startswith("app_logs/mongod/dt=2026-01-05/") and not key.endswith("/"):
        with pytest.raises(ConfigurationError, match="cannot upload"):
            raw_key(
                "app_logs", "mongod", date(2026, 1, 5), key.removeprefix("app_logs/mongod/dt=2026-01-05/")
            )


@pytest.mark.parametrize(
    ("key", "size"),
    [
        ("app_logs/mongod/dt=2026-01-05/a.log", 0),
        ("app_logs/mongod/dt=2026-01-05/folder/", 5),
        ("app_logs/mongod/dt=2026-01-05/_SUCCESS.log", 5),
        ("app_logs/mongod/dt=2026-01-05/my_temporary/a.log", 5),
        ("app_logs/mongod/dt=2026-01-05/_temporary", 5),
        ("app_logs/mongod/dt=2026-01-05/crc", 5),
        ("export.csv", 5),
    ],
)
def test_a_file_that_only_looks_like_it_is_an_arrival(key: str, size: int) -> None:
    assert reason_to_ignore(key, size) is None
