"""The contracts: one list of columns that everything else can be derived from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest
from pyspark.sql import types as spark_types
from pyspark.sql.pandas.types import to_arrow_type

from gluebook.contracts import CONTRACTS, PROVENANCE, TYPES, Column, Contract, contract
from gluebook.contracts.model import LONGEST_TEXT_BYTES, PSEUDONYM_BYTES, TypeName
from gluebook.contracts.support_tickets import SUPPORT_TICKETS
from gluebook.deployment.dataset_blocks import logical_id
from gluebook.errors import ConfigurationError
from gluebook.sources import all_sources, source, source_names, sources_of

ROOT = Path(__file__).parents[2]
EACH_CONTRACT = pytest.mark.parametrize("each", CONTRACTS.values(), ids=lambda each: each.name)
EACH_SOURCE = pytest.mark.parametrize("each", all_sources(), ids=lambda each: each.name)
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,126}")


def test_a_contract_is_called_like_its_module_and_resources_are_called_after_it() -> None:
    assert [each.name for each in CONTRACTS.values()] == list(CONTRACTS)
    assert len({logical_id(name) for name in CONTRACTS}) == len(CONTRACTS)


@EACH_CONTRACT
def test_column_names_are_unique_and_need_no_quotes_anywhere(each: Contract) -> None:
    assert len(set(each.names)) == len(each.names)
    assert all(IDENTIFIER.fullmatch(name) for name in (each.name, *each.names))
    # The crawler would see the partition's name twice.
    assert "dt" not in each.names


@EACH_CONTRACT
def test_texts_have_a_length_that_redshift_takes_and_nothing_else_has_one(each: Contract) -> None:
    for column in each.columns:
        if column.type == "text":
            assert 1 <= column.length <= LONGEST_TEXT_BYTES
        else:
            assert column.length == 0


@EACH_CONTRACT
def test_allowed_values_are_distinct_and_fit(each: Contract) -> None:
    for column in each.columns:
        assert len(set(column.allowed)) == len(column.allowed)
        assert all(0 < len(value.encode()) <= column.length for value in column.allowed)


@EACH_CONTRACT
def test_persons_are_kept_as_a_hash_of_exactly_its_length(each: Contract) -> None:
    for name in each.personal:
        assert (each.column(name).type, each.column(name).length) == ("text", PSEUDONYM_BYTES)
        assert name not in each.key


@EACH_CONTRACT
def test_key_and_order_are_columns_that_can_be_compared(each: Contract) -> None:
    assert each.key and each.newest_by
    for name in each.key:
        assert not each.column(name).nullable
    for name in each.newest_by:
        # Only for times has a null a place in the order of the load.
        assert not each.column(name).nullable or each.column(name).type == "timestamp"


@EACH_CONTRACT
def test_the_order_is_total_its_last_column_is_a_fingerprint(each: Contract) -> None:
    last = each.column(each.newest_by[-1])
    assert (last.type, last.length, last.nullable) == ("text", 64, False)


@EACH_CONTRACT
def test_every_row_says_where_it_came_from(each: Contract) -> None:
    assert each.columns[-len(PROVENANCE) :] == PROVENANCE
    assert each.names[0] == "source"


@EACH_CONTRACT
def test_every_column_is_described(each: Contract) -> None:
    assert all(column.description for column in each.columns)


def test_the_table_of_types_has_every_type() -> None:
    assert tuple(TYPES) == get_args(TypeName)


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_the_same_in_spark_arrow_and_redshift(name: TypeName) -> None:
    type_ = TYPES[name]
    spark = getattr(spark_types, type_.spark_class)()
    assert spark.simpleString() == type_.spark
    # The physical type of the Parquet that Spark writes; without a zone, as in the warehouse.
    arrow = pa.timestamp("us") if name == "timestamp" else to_arrow_type(spark)
    assert arrow == pa.type_for_alias(type_.arrow)
    assert type_.redshift in ("varchar", "integer", "bigint", "boolean", "date", "timestamp")


def test_a_text_has_its_length_in_redshift() -> None:
    column = Column("c", "text", "", length=12)
    assert (column.spark_type, column.redshift_type) == ("string", "varchar(12)")


def test_unknown_names_are_refused_naming_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="no dataset 'tickets'; there are app_logs, support_tickets"):
        contract("tickets")
    with pytest.raises(
        ConfigurationError, match="support_tickets has no column 'statsu'; it has source, ticket_id"
    ):
        SUPPORT_TICKETS.column("statsu")
    with pytest.raises(
        ConfigurationError, match="no source app_logs/servicenow; there are app_logs/containers"
    ):
        source("app_logs", "servicenow")


# -- sources -----------------------------------------------------------------------------------------------


@EACH_CONTRACT
def test_a_source_is_found_by_its_place_and_says_the_same(each: Contract) -> None:
    names = source_names(each.name)
    assert names
    assert [(found.contract, found.name) for found in sources_of(each.name)] == [
        (each, name) for name in names
    ]


def test_a_dataset_that_is_not_there_has_no_sources() -> None:
    assert source_names("tickets") == ()
