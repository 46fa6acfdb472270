"""A crawl makes tables and partitions out of Parquet files, as the crawler's role."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.players_kit import Aws, aws, closing, eventually  # noqa: F401
from localaws.crawler import Crawlers
from localaws.crawler.schema import merge, partition_type, read_footer
from localaws.crawler.walk import StoredFile, lay_out, split_target, table_name
from localaws.errors import LocalAwsError, NotSupported

LOG = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
NEW_FOLDERS = {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}


class Lake:
    """A bucket, a crawler over `curated/Tickets/`, and the events of its crawls."""

    def __init__(self, aws: Aws) -> None:  # noqa: F811
        self.aws = aws
        self.glue, self.s3 = aws.client("glue"), aws.client("s3")
        self.events: list[dict[str, Any]] = []
        self.on_event: Callable[[dict[str, Any]], None] = self.events.append
        self.s3.create_bucket(Bucket="lake")
        self.glue.create_database(DatabaseInput={"Name": "db"})

    def crawler(self, targets: Any = None, **settings: Any) -> None:
        targets = targets or {"S3Targets": [{"Path": "s3://lake/curated/Tickets/"}]}
        self.glue.create_crawler(Name="c", Role="crawl-role", DatabaseName="db", Targets=targets, **settings)

    def put(self, key: str, **columns: Any) -> None:
        self.s3.put_object(Bucket="lake", Key=f"curated/Tickets/{key}", Body=parquet(pa.table(columns)))

    def crawl(self) -> dict[str, Any]:
        """Crawl once; gives back LastCrawl."""
        before = len(self.events)
        self.glue.start_crawler(Name="c")
        eventually(lambda: len(self.events) == before + 2)
        crawler: dict[str, Any] = eventually(lambda: self.ready())
        return dict(crawler["LastCrawl"])

    def ready(self) -> dict[str, Any] | None:
        crawler: dict[str, Any] = self.glue.get_crawler(Name="c")["Crawler"]
        return crawler if crawler["State"] == "READY" else None

    def table(self, name: str = "tickets") -> dict[str, Any]:
        found: dict[str, Any] = self.glue.get_table(DatabaseName="db", Name=name)["Table"]
        return found

    def columns(self) -> dict[str, str]:
        return {one["Name"]: one["Type"] for one in self.table()["StorageDescriptor"]["Columns"]}

    def partitions(self) -> dict[tuple[str, ...], dict[str, Any]]:
        found = self.glue.get_partitions(DatabaseName="db", TableName="tickets")["Partitions"]
        return {tuple(one["Values"]): one for one in found}

    def outcome(self) -> dict[str, str]:
        """What the last event counts, without the zeros."""
        detail = self.events[-1]["detail"]
        return {key: value for key, value in detail.items() if key.endswith("ed") and value != "0"}


@pytest.fixture
def lake(aws: Aws) -> Iterator[Lake]:  # noqa: F811
    made = Lake(aws)
    with closing(Crawlers(aws.endpoint, aws.roles, lambda event: made.on_event(event))):
        yield made


def parquet(table: pa.Table, **settings: Any) -> bytes:
    body = io.BytesIO()
    pq.write_table(table, body, **settings)
    return body.getvalue()


def test_a_crawl_makes_a_table_with_partitions(lake: Lake) -> None:
    lake.put("dt=2026-01-31/a.parquet", ID=[1, 2], name=["x", "y"])
    lake.put("dt=2026-02-01/b.parquet", ID=[3], name=["z"])
    lake.put("dt=2026-02-01/_SUCCESS", x=[1])
    lake.put("_temporary/dt=2026-02-02/c.parquet", x=[1])
    lake.s3.put_object(Bucket="lake", Key="curated/Tickets/dt=2026-02-03/", Body=b"")
    lake.crawler(TablePrefix="Lake_")
    last = lake.crawl()
    assert last["Status"] == "SUCCEEDED"
    table = lake.table("lake_tickets")
    storage = table["StorageDescriptor"]
    assert storage["Columns"] == [{"Name": "id", "Type": "bigint"}, {"Name": "name", "Type": "string"}]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert storage["Location"] == "s3://lake/curated/Tickets/"
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert (table["Parameters"]["classification"], table["Parameters"]["recordCount"]) == ("parquet", "3")
    found = lake.glue.get_partitions(DatabaseName="db", TableName="lake_tickets")["Partitions"]
    assert {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found} == {
        "2026-01-31": "s3://lake/curated/Tickets/dt=2026-01-31/",
        "2026-02-01": "s3://lake/curated/Tickets/dt=2026-02-01/",
    }


def test_events_tell_the_start_and_the_outcome(lake: Lake) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler()
    lake.crawl()
    started, succeeded = lake.events
    assert (started["source"], started["detail-type"]) == ("aws.glue", "Glue Crawler State Change")
    assert set(started["detail"]) == {"accountId", "crawlerName", "startTime", "state", "message"}
    assert succeeded["detail"]["state"] == "Succeeded"
    assert lake.outcome() == {"tablesCreated": "1", "partitionsCreated": "1"}
    assert succeeded["detail"]["runningTime (sec)"].isdigit()


def test_the_crawlers_role_does_it_all_and_reads_only_footers(lake: Lake) -> None:
    big = pa.table({"id": list(range(200_000))})
    body = parquet(big, compression="none", use_dictionary=False)
    lake.s3.put_object(Bucket="lake", Key="curated/Tickets/dt=1/big.parquet", Body=body)
    lake.crawler()
    lake.crawl()
    assert lake.aws.roles.asked == [
        ("arn:aws:iam::123456789012:role/crawl-role", "glue.amazonaws.com", "AWS-Crawler")
    ]
    assert lake.aws.operations("ASIACRAWL-ROLE") == {
        *(("s3", "GET"), ("glue", "GetDatabases"), ("glue", "GetTables"), ("glue", "GetDatabase")),
        *(("glue", "GetTable"), ("glue", "CreateTable")),
        *(("glue", "BatchGetPartition"), ("glue", "CreatePartition"), ("glue", "BatchCreatePartition")),
        *(("logs", "CreateLogGroup"), ("logs", "CreateLogStream"), ("logs", "PutLogEvents")),
    }
    assert lake.partitions()[("1",)]["Parameters"]["recordCount"] == "200000"


def test_a_crawl_that_finds_nothing_new_changes_nothing(lake: Lake) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler()
    lake.crawl()
    before = (lake.table(), lake.partitions())
    lake.crawl()
    assert lake.outcome() == {}
    assert (lake.table(), lake.partitions()) == before


def test_a_crawl_brings_the_statistics_up_to_date_without_counting_that_as_an_update(lake: Lake) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler()
    lake.crawl()
    lake.put("dt=1/b.parquet", id=[2, 3])
    lake.crawl()
    assert lake.outcome() == {}
    assert lake.table()["Parameters"]["recordCount"] == "3"
    assert lake.partitions()[("1",)]["Parameters"]["recordCount"] == "3"


def test_crawling_everything_adds_columns_to_the_table_and_to_changed_partitions(lake: Lake) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    lake.crawler(SchemaChangePolicy=policy)
    lake.crawl()
    lake.put("dt=1/b.parquet", id=[1], extra=["x"])
    lake.put("dt=2/a.parquet", id=[1])
    lake.crawl()
    assert lake.outcome() == {"tablesUpdated": "1", "partitionsUpdated": "1", "partitionsCreated": "1"}
    assert lake.columns() == {"id": "bigint", "extra": "string"}
    for name in ("a", "b"):
        lake.s3.delete_object(Bucket="lake", Key=f"curated/Tickets/dt=1/{name}.parquet")
    lake.crawl()
    assert lake.outcome() == {"partitionsDeleted": "1", "tablesUpdated": "1"}
    assert set(lake.partitions()) == {("2",)}


def test_with_log_a_changed_schema_is_logged_and_the_table_kept(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler(SchemaChangePolicy=LOG)
    lake.crawl()
    lake.put("dt=2/a.parquet", id=[1], extra=["x"])
    lake.crawl()
    assert lake.columns() == {"id": "bigint"}
    assert lake.outcome() == {"partitionsCreated": "1"}
    assert "keeps its columns" in caplog.text


def test_new_folders_only_reads_and_adds_only_them(lake: Lake) -> None:
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler(RecrawlPolicy=NEW_FOLDERS, SchemaChangePolicy=LOG)
    lake.crawl()
    assert lake.outcome() == {"tablesCreated": "1", "partitionsCreated": "1"}
    lake.s3.put_object(Bucket="lake", Key="curated/Tickets/dt=1/not-read.parquet", Body=b"no parquet at all")
    lake.put("dt=2/a.parquet", id=[1], extra=["x"])
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.outcome() == {"partitionsCreated": "1"}
    assert lake.columns() == {"id": "bigint"}
    assert set(lake.partitions()) == {("1",), ("2",)}


def test_new_folders_only_asks_for_log_policies_as_glue_does(lake: Lake) -> None:
    lake.crawler(
        RecrawlPolicy=NEW_FOLDERS, SchemaChangePolicy={**LOG, "UpdateBehavior": "UPDATE_IN_DATABASE"}
    )
    with pytest.raises(lake.glue.exceptions.InvalidInputException, match="can have only LOG"):
        lake.glue.start_crawler(Name="c")


def test_configuration_options_are_honoured_or_refused_by_name(lake: Lake) -> None:
    output = {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    }
    lake.put("dt=1/a.parquet", id=[1], old=["x"])
    lake.crawler(Configuration=json.dumps({"Version": 1.0, "CrawlerOutput": output}))
    lake.crawl()
    lake.s3.delete_object(Bucket="lake", Key="curated/Tickets/dt=1/a.parquet")
    lake.put("dt=2/a.parquet", id=[1], new=[1])
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.columns() == {"id": "bigint", "old": "string", "new": "bigint"}
    storage = lake.partitions()[("2",)]["StorageDescriptor"]
    assert {one["Name"] for one in storage["Columns"]} == {"id", "old", "new"}
    lake.glue.delete_crawler(Name="c")
    lake.crawler(Configuration='{"Version": 1.0, "Grouping": {"TableLevelConfiguration": 2}}')
    assert "Grouping.TableLevelConfiguration" in lake.crawl()["ErrorMessage"]


def test_while_it_runs_the_crawler_is_running_and_a_second_start_is_refused(lake: Lake) -> None:
    go_on, entered = threading.Event(), threading.Event()

    def hold(event: dict[str, Any]) -> None:
        lake.events.append(event)
        entered.set()
        assert go_on.wait(20)

    lake.on_event = hold
    lake.put("dt=1/a.parquet", id=[1])
    lake.crawler()
    lake.glue.start_crawler(Name="c")
    assert entered.wait(20)
    assert lake.ready() is None
    with pytest.raises(lake.glue.exceptions.CrawlerRunningException):
        lake.glue.start_crawler(Name="c")
    lake.glue.stop_crawler(Name="c")
    go_on.set()
    assert eventually(lake.ready)["LastCrawl"]["Status"] == "CANCELLED"
    lake.on_event = lake.events.append
    assert lake.crawl()["Status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("dt=1/a", "2026/b"), "'2026' below 'curated/Tickets/' is not key=value"),
        (("dt=1/a", "day=1/b"), "different partition keys"),
        (("dt=1/a", "b"), "different partition keys"),
    ],
)
def test_a_layout_glue_would_guess_about_fails_the_crawl(
    lake: Lake, keys: tuple[str, ...], message: str
) -> None:
    for key in keys:
        lake.put(key, id=[1])
    lake.crawler()
    last = lake.crawl()
    assert last["Status"] == "FAILED"
    assert message in last["ErrorMessage"]
    detail = lake.events[-1]["detail"]
    assert (detail["state"], detail["errorMessage"]) == ("Failed", last["ErrorMessage"])


def test_what_cant_be_crawled_is_refused_by_name(lake: Lake) -> None:
    lake.crawler()
    lake.s3.put_object(Bucket="lake", Key="curated/Tickets/dt=1/x.csv", Body=b"a,b\n1,2\n" * 10)
    assert "dt=1/x.csv is not a Parquet file" in lake.crawl()["ErrorMessage"]
    lake.s3.delete_object(Bucket="lake", Key="curated/Tickets/dt=1/x.csv")
    lake.put("dt=1/a.parquet", dt=["2026"], id=[1])
    assert "dt is a partition key and a column" in lake.crawl()["ErrorMessage"]
    lake.glue.delete_crawler(Name="c")
    lake.crawler({"JdbcTargets": [{"Path": "x"}]})
    assert "JdbcTargets" in lake.crawl()["ErrorMessage"]
    lake.glue.delete_crawler(Name="c")
    lake.crawler({"S3Targets": [{"Path": "s3://lake/x/", "Exclusions": ["**.csv"]}]})
    assert "Exclusions" in lake.crawl()["ErrorMessage"]


def test_a_role_that_may_not_be_assumed_fails_the_crawl(lake: Lake) -> None:
    lake.aws.roles.refused.add("crawl-role")
    lake.crawler()
    assert "may not assume" in lake.crawl()["ErrorMessage"]


def test_close_cancels_and_leaves_no_thread(aws: Aws) -> None:  # noqa: F811
    before = set(threading.enumerate())
    lake, entered = Lake(aws), threading.Event()
    lake.put("dt=1/a.parquet", id=[1])
    crawlers = Crawlers(aws.endpoint, aws.roles, lambda _event: entered.set())
    lake.crawler()
    lake.glue.start_crawler(Name="c")
    assert entered.wait(20)
    crawlers.close()
    assert crawlers.idle()
    assert [one for one in set(threading.enumerate()) - before if one.name.startswith("localaws")] == []


class OneFile:
    """An S3 of one file that counts the bytes it gives."""

    def __init__(self, body: bytes) -> None:
        self.body, self.given = body, 0

    def get_object(self, **request: str) -> dict[str, Any]:
        first, last = request["Range"].removeprefix("bytes=").split("-")
        part = self.body[int(first) : int(last) + 1]
        self.given += len(part)
        return {"Body": io.BytesIO(part)}


def footer_of(table: pa.Table, **settings: Any) -> tuple[Any, OneFile]:
    file = OneFile(parquet(table, **settings))
    return read_footer(file, "b", "k", len(file.body)), file


def test_types_get_the_names_of_glues_catalog() -> None:
    moment = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)
    schema = {
        "Text": (pa.string(), "x", "string"),
        "flag": (pa.bool_(), True, "boolean"),
        "tiny": (pa.int8(), 1, "tinyint"),
        "small": (pa.int16(), 1, "smallint"),
        "whole": (pa.int32(), 1, "int"),
        "big": (pa.int64(), 1, "bigint"),
        "half": (pa.float32(), 1.0, "float"),
        "real": (pa.float64(), 1.0, "double"),
        "at": (pa.timestamp("us", "UTC"), moment, "timestamp"),
        "day": (pa.date32(), moment.date(), "date"),
        "money": (pa.decimal128(12, 2), decimal.Decimal("1.50"), "decimal(12,2)"),
        "raw": (pa.binary(), b"x", "binary"),
        "many": (pa.list_(pa.string()), ["x"], "array<string>"),
        "pair": (
            pa.struct([("A", pa.int32()), ("b", pa.list_(pa.date32()))]),
            None,
            "struct<a:int,b:array<date>>",
        ),
        "dict": (pa.map_(pa.string(), pa.int64()), [("x", 1)], "map<string,bigint>"),
    }
    table = pa.table({name: pa.array([value], kind) for name, (kind, value, _) in schema.items()})
    footer, _ = footer_of(table)
    assert dict(footer.columns) == {name.lower(): glue for name, (_, _, glue) in schema.items()}
    with pytest.raises(NotSupported, match="s3://b/k: odd: Parquet type uint32"):
        footer_of(pa.table({"odd": pa.array([1], pa.uint32())}))


def test_only_the_end_of_a_file_is_read() -> None:
    footer, file = footer_of(pa.table({"id": list(range(100_000))}), compression="none", use_dictionary=False)
    assert footer.rows == 100_000
    assert file.given <= 64 * 1024 < len(file.body) // 10


def test_a_footer_longer_than_the_first_read_is_read_whole() -> None:
    wide = pa.table({f"column_with_a_long_name_{number}": [1] for number in range(2000)})
    assert len(footer_of(wide)[0].columns) == 2000


def test_schemas_are_merged_widening_numbers_and_refusing_other_conflicts() -> None:
    merged = merge([(("a", "int"), ("b", "float")), (("c", "date"), ("a", "bigint"), ("b", "double"))])
    assert merged == (("a", "bigint"), ("b", "double"), ("c", "date"))
    with pytest.raises(LocalAwsError, match="column a is int in some files and string in others"):
        merge([(("a", "int"),), (("a", "string"),)])


TYPES = st.sampled_from(["tinyint", "smallint", "int", "bigint"])
SCHEMAS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), TYPES), unique_by=lambda one: one[0]).map(tuple)
)


@given(SCHEMAS)
def test_merging_knows_no_order_of_files(schemas: Any) -> None:
    assert dict(merge(schemas)) == dict(merge(reversed(schemas)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("2026", "2025"), "int"),
        (("2026-01-31",), "string"),
        (("01",), "string"),
        (("1", "x"), "string"),
        (("5000000000",), "bigint"),
        ((), "string"),
    ],
)
def test_a_partition_key_is_a_number_only_if_all_its_values_are(values: tuple[str, ...], kind: str) -> None:
    assert partition_type(values) == kind


def test_folders_are_sorted_out() -> None:
    names = ("p/Dt=a%20b/hour=1/x", "p/Dt=a%20b/hour=1/.hidden", "p/Dt=c/hour=2/y", "p/_x/z")
    layout = lay_out("p/", [StoredFile(name, 1) for name in names])
    assert layout.keys == ("dt", "hour")
    assert [(one.prefix, one.values, len(one.files)) for one in layout.folders] == [
        ("p/Dt=a%20b/hour=1/", ("a b", "1"), 1),
        ("p/Dt=c/hour=2/", ("c", "2"), 1),
    ]


def test_a_target_names_its_table() -> None:
    assert split_target("s3://b/x/Y-z") == split_target("s3://b/x/Y-z/") == ("b", "x/Y-z/")
    assert split_target("s3://b") == ("b", "")
    assert table_name("b", "x/Y-z/", "P_") == "p_y_z"
    assert table_name("my-bucket", "", "") == "my_bucket"
    with pytest.raises(LocalAwsError, match="is expected"):
        split_target("b/x")
