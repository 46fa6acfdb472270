"""Real bytes through the whole chain, deployed from the real template, each part under its own role.

Three deliveries: a first day on which much is wrong, then the same files again, then more for the same day and a
corrected file. What they came to is looked at from all sides. Starting a job costs seconds, so the tests share them.
"""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from chain.kit import Chain, sample_file
from chain.story import CORRECTED, LOGS, NO_ARRIVALS, OUTSIDE, STRANGE, TABLES, TICKETS, Story
from gluebook.contracts import CONTRACTS
from gluebook.core.sql.load import LOADS
from gluebook.deployment.laptop import CRAWLER_OUTPUTS

REASONS = {
    f"{TICKETS}truncated.csv.gz": ("FAILED", "truncated_gzip"),
    f"{TICKETS}empty.csv": ("EMPTY", "empty_file: 0 bytes"),
    f"{TICKETS}header-only.csv": ("EMPTY", "no_records: the file holds a header and nothing else"),
    f"{TICKETS}another-layout.csv": ("FAILED", "another_layout: the header lacks number"),
    f"{TICKETS}latin-1.csv": ("FAILED", "invalid_utf8: byte 0xe4 at offset"),
    f"{TICKETS}not-gzip.csv.gz": ("FAILED", "corrupt_gzip"),
    f"{LOGS}truncated.jsonl.gz": ("FAILED", "truncated_gzip"),
    f"{LOGS}empty.jsonl": ("EMPTY", "empty_file: 0 bytes"),
    f"{LOGS}blank.jsonl": ("EMPTY", "no_records: the file holds nothing but blank lines"),
    f"{LOGS}utf-16.jsonl": ("FAILED", "invalid_utf8: byte 0xff at offset 0"),
    OUTSIDE[0]: ("FAILED", "key_outside_convention"),
    OUTSIDE[1]: ("FAILED", "unknown_dataset: 'weblogs'"),
    OUTSIDE[2]: ("FAILED", "unknown_source: 'nginx'"),
    OUTSIDE[3]: ("FAILED", "key_outside_convention"),
    OUTSIDE[4]: ("FAILED", "implausible_date: dt=9999-12-31"),
}


@pytest.mark.parametrize("key", REASONS)
def test_a_file_that_cannot_be_used_ends_in_a_named_state_with_its_reason(
    chain: Chain, story: Story, key: str
) -> None:
    state, reason = REASONS[key]
    file = chain.only(key)
    assert file.state == state
    assert (file.reason or "").startswith(reason)
    assert file.loaded == 0


@pytest.mark.parametrize("dataset", TABLES)
def test_the_good_neighbours_of_bad_files_load_to_the_row(chain: Chain, story: Story, dataset: str) -> None:
    sample = sample_file(dataset)
    file = chain.only(sample.key)
    assert file.state == "LOADED"
    assert (file.counts.read, file.counts.curated) == (sample.truth.read, sample.truth.curated)
    assert (file.counts.duplicates, file.counts.rejected) == (sample.truth.duplicates, sample.truth.rejected)
    assert file.reject_reasons == dict(sample.reject_reasons)


def test_a_ten_megabyte_line_is_set_aside_by_itself(chain: Chain, story: Story) -> None:
    file = chain.only(f"{LOGS}long-line.jsonl")
    assert file.state == "LOADED"
    assert (file.counts.read, file.counts.curated) == (3, 2)
    assert file.reject_reasons == {"record_too_long": 1}


def test_what_writers_leave_beside_files_is_nobodys_business(chain: Chain, story: Story) -> None:
    assert [chain.versions(key) for key in NO_ARRIVALS] == [[]] * len(NO_ARRIVALS)


def test_a_key_with_blanks_unicode_percent_and_control_characters_is_read_under_its_own_name(
    chain: Chain, story: Story
) -> None:
    assert chain.only(STRANGE).state == "LOADED"
    assert chain.rows("select _source_file from app_logs where event_code = 20") == [(STRANGE,)]


def test_the_same_file_a_second_time_is_a_new_version_that_changes_no_row(chain: Chain, story: Story) -> None:
    first, second = chain.versions(f"{LOGS}good.jsonl")
    assert first.version_id != second.version_id
    assert (first.state, second.state) == ("SUPERSEDED", "LOADED")
    assert (first.loaded, second.loaded) == (0, 3)
    (kept,) = chain.rows("select _source_version from app_logs where event_code = 1")
    assert kept == (second.version_id,)


def test_a_second_file_of_the_same_day_replaces_nothing_of_the_first(chain: Chain, story: Story) -> None:
    found = chain.rows("select event_code from app_logs where component = 'TEST' order by event_code")
    assert [code for (code,) in found] == [1, 2, 3, 4, 10, 11, 20, 31, 32]
    tickets = {key for key in story.curated if key.startswith("curated/support_tickets/")}
    assert tickets and tickets <= set(chain.lake_keys("curated/"))


def test_a_corrected_files_old_rows_are_gone_and_its_new_ones_there_in_warehouse_and_lake(
    chain: Chain, story: Story
) -> None:
    old, new = chain.versions(CORRECTED)
    assert (old.state, new.state) == ("SUPERSEDED", "LOADED")
    assert (old.reason or "").startswith("superseded: a newer version")
    in_warehouse = chain.rows(
        "select event_code, _source_version from app_logs where _source_file like '%corrected%'"
    )
    assert sorted(in_warehouse) == [(31, new.version_id), (32, new.version_id)]
    in_lake = [row for row in chain.curated("app_logs") if row["_source_file"] == CORRECTED]
    assert sorted((row["event_code"], row["_source_version"]) for row in in_lake) == sorted(in_warehouse)
    # Another file holds it, so it stays.
    assert chain.rows("select count(*) from app_logs where event_code = 3") == [(1,)]


def test_lake_and_warehouse_hold_the_same_log_records(chain: Chain, story: Story) -> None:
    in_lake = {(row["source"], row["log_id"]) for row in chain.curated("app_logs")}
    in_warehouse = chain.rows("select source, log_id from app_logs")
    assert len(in_warehouse) == len(set(in_warehouse))
    assert in_lake == set(in_warehouse)


def test_an_older_revision_never_overwrites_a_newer_one(chain: Chain, story: Story) -> None:
    found = chain.rows(
        "select ticket_id, revision, status, priority from support_tickets "
        "where ticket_id in ('T1', 'T2', 'T3') order by ticket_id"
    )
    assert found == [("T1", 2, "active", "high"), ("T2", 5, "closed", None), ("T3", 0, "new", None)]


def test_what_was_curated_is_merged_or_superseded_to_the_row(chain: Chain, story: Story) -> None:
    batches = [b for b in chain.laptop.deployment.overview().batches if b.load_attempts]
    loads = chain.rows(
        f"select batch_id, generation, rows_curated, rows_merged, rows_superseded from {LOADS}"
    )
    last = {(batch_id, generation): curated for batch_id, generation, curated, _, _ in loads}
    assert {(b.batch_id, b.generation): b.counts.curated for b in batches}.items() <= last.items()
    assert all(curated == merged + superseded for _, _, curated, merged, superseded in loads)
    assert all(b.counts.curated == b.merged + b.superseded for b in batches)
    assert any(b.generation > 1 for b in batches)


def test_every_row_tells_its_file_version_record_and_batch(chain: Chain, story: Story) -> None:
    (row,) = chain.rows(
        "select _source_file, _source_version, _source_record, _batch_id from app_logs where event_code = 2"
    )
    first, second = chain.versions(f"{LOGS}good.jsonl")
    assert row == (first.key, second.version_id, 2, second.batch_id)


def test_people_are_hashes_and_addresses_are_masked_everywhere_in_the_lake(
    chain: Chain, story: Story
) -> None:
    people = chain.rows("select distinct requester from support_tickets where ticket_id in ('T1')")
    assert len(people) == 1 and len(people[0][0]) == 32
    (message,) = chain.rows("select message from app_logs where event_code = 2")[0]
    assert message == "mail to <masked> failed"
    s3 = chain.laptop.aws.endpoint.client("s3")
    bucket = chain.laptop.deployment.lake.bucket
    for key in chain.lake_keys(""):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        is_parquet = key.endswith(".parquet")
        text = str(pq.read_table(io.BytesIO(body)).to_pylist()) if is_parquet else body.decode()
        assert "Ada Example" not in text and "ada@example.com" not in text, key


def test_the_crawler_has_put_what_was_published_into_the_catalog(chain: Chain, story: Story) -> None:
    glue = chain.laptop.aws.endpoint.client("glue")
    database = chain.laptop.deployment.outputs["CatalogDatabase"]
    for dataset in TABLES:
        table = glue.get_table(DatabaseName=database, Name=dataset)["Table"]
        columns = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
        assert columns == list(CONTRACTS[dataset].names)
        assert [key["Name"] for key in table["PartitionKeys"]] == ["dt"]
        pages = glue.get_partitions(DatabaseName=database, TableName=dataset)["Partitions"]
        assert ["2026-01-05"] in [page["Values"] for page in pages]


def test_a_crawl_is_only_run_for_a_partition_the_catalog_lacks(chain: Chain, story: Story) -> None:
    glue = chain.laptop.aws.endpoint.client("glue")
    for dataset in TABLES:
        metrics = glue.get_crawler(Name=chain.laptop.deployment.outputs[CRAWLER_OUTPUTS[dataset]])["Crawler"]
        assert metrics["LastCrawl"]["Status"] == "SUCCEEDED"


def test_nothing_is_left_in_inbox_staging_or_among_the_dead_letters(chain: Chain, story: Story) -> None:
    assert chain.lake_keys("inbox/") == chain.lake_keys("staging/") == []
    sqs = chain.laptop.aws.endpoint.client("sqs")
    for output in ("ArrivalsUrl", "DeadLettersUrl"):
        asked = sqs.get_queue_attributes(
            QueueUrl=chain.laptop.deployment.outputs[output], AttributeNames=["All"]
        )["Attributes"]
        assert (asked["ApproximateNumberOfMessages"], asked["ApproximateNumberOfMessagesNotVisible"]) == (
            "0",
            "0",
        )


def test_the_gates_report_is_kept_for_every_published_batch(chain: Chain, story: Story) -> None:
    published = [b for b in chain.laptop.deployment.overview().batches if b.load_attempts]
    for batch in published:
        report = chain.json(f"quality/{batch.dataset}/{batch.batch_id}-e{batch.reported_epoch}.json")
        assert report["passed"] is True
        assert report["rows"] == batch.counts.curated
        assert len(report["outcomes"]) >= 10
