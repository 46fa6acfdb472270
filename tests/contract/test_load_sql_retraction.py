"""Append datasets: in any order of loads, a row stays if and only if a live file version contains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.load_kit import APP_LOGS, Loads, Row, extra_reference, log, of_file

Version = tuple[str, str]
KEYS = "abcd"


# -- the law -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Processing:
    """One generation of a batch: the content of each file version, and the transformed rows."""

    batch: str
    generation: int
    held: Mapping[Version, frozenset[str]]
    # For each key the file version, of those that hold it, under which the row is curated.
    curated: Mapping[str, Version]
    code: str

    def message(self, key: str) -> str:
        return f"{key} as {self.code} has it"

    @property
    def rows(self) -> list[Row]:
        return [
            log(key, *version, self.batch, self.message(key), record=KEYS.index(key) + 1)
            for key, version in self.curated.items()
        ]

    @property
    def row_references(self) -> list[Row]:
        extra_references = [
            extra_reference(key, *version, record=KEYS.index(key) + 1)
            for version, keys in self.held.items()
            for key in sorted(keys)
            if self.curated[key] != version
        ]
        return [of_file(*version, order_of(version)) for version in self.held] + extra_references


def order_of(version: Version) -> str:
    # The order isn't that of the names.
    return {"x": "001", "c": "010", "m": "100"}[version[1]]


@dataclass
class Oracle:
    """What must be in the warehouse, by definition."""

    latest: dict[str, Processing] = field(default_factory=dict)
    files: set[Version] = field(default_factory=set)

    def takes(self, one: Processing) -> bool:
        known = self.latest.get(one.batch)
        if known is not None and known.generation >= one.generation:
            return False
        self.latest[one.batch] = one
        self.files |= one.held.keys()
        return True

    def is_live(self, version: Version) -> bool:
        return not any(f == version[0] and order_of((f, v)) > order_of(version) for f, v in self.files)

    @property
    def references(self) -> set[tuple[str, str, str, str]]:
        return {
            (key, *version, one.batch)
            for one in self.latest.values()
            for version, keys in one.held.items()
            if self.is_live(version)
            for key in keys
        }


@st.composite
def processings(draw: st.DrawFn) -> list[Processing]:
    """Batches in two generations each, and an order of loads with repeats; some may never be loaded."""
    version = st.tuples(st.sampled_from("PQ"), st.sampled_from("xcm"))
    versions = draw(st.lists(version, min_size=3, max_size=6, unique=True))
    held = {version: draw(st.frozensets(st.sampled_from(KEYS))) for version in versions}
    batch_of = {version: draw(st.sampled_from("ABC")) for version in versions}
    made = []
    for batch in sorted(set(batch_of.values())):
        first = {version: held[version] for version in versions if batch_of[version] == batch}
        made.append(draw(processing(batch, 1, first)))
        # Processed again: versions are left out, and the code may reject what it took before, or the reverse.
        kept = {
            version: draw(st.just(keys) | st.frozensets(st.sampled_from(KEYS)))
            for version, keys in first.items()
            if draw(st.integers(0, 2))
        }
        made.append(draw(processing(batch, 2, kept)))
    early = draw(st.lists(st.sampled_from(made), max_size=1))
    late = draw(st.lists(st.sampled_from(made), max_size=3))
    return [*early, *draw(st.permutations([one for one in made if one.generation == 1])), *late]


@st.composite
def processing(
    draw: st.DrawFn, batch: str, generation: int, held: dict[Version, frozenset[str]]
) -> Processing:
    keys = sorted(frozenset().union(*held.values()))
    curated = {key: draw(st.sampled_from([v for v, some in held.items() if key in some])) for key in keys}
    return Processing(batch, generation, held, curated, draw(st.sampled_from(["old code", "new code"])))


STATE = (
    "select log_id, _source_file, _source_version, _batch_id, _source_record, message from app_logs",
    "select log_id, _source_file, _source_version, _batch_id, _source_record from app_logs_echoes",
    "select batch_id, generation, rows_curated, rows_merged, rows_superseded, rows_retracted, table_rows "
    "from etl_loads order by load_number",
    "select _source_file, _source_version, version_order from etl_files",
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sequence=processings())
def test_a_row_stays_while_a_live_file_version_contains_it_in_any_order_of_loads(
    opened_loads: Loads, sequence: list[Processing]
) -> None:
    opened_loads.empty()
    oracle, before = Oracle(), State([], [], [], [])
    requests: dict[tuple[str, int], Any] = {}
    for one in sequence:
        # A load that is repeated is the same request.
        known = requests.get((one.batch, one.generation))
        request = known or opened_loads.request(
            APP_LOGS, one.batch, one.rows, one.row_references, one.generation
        )
        requests[one.batch, one.generation] = request
        [answer], *found = opened_loads.run(APP_LOGS, request, *STATE)
        after = State(*found)
        if oracle.takes(one):
            after.agrees_with(oracle, one)
            after.follows(before, one, answer)
        else:
            assert after == before
            assert answer == before.noted(one)
        before = after


@dataclass(frozen=True)
class State:
    """What is in the tables."""

    table: list[list[Any]]
    extra_references: list[list[Any]]
    loads: list[list[Any]]
    files: list[list[Any]]

    @property
    def rows(self) -> dict[str, list[Any]]:
        return {row[0]: row for row in self.table}

    def noted(self, one: Processing) -> list[Any]:
        """What is noted of a batch that is loaded already: of this generation, or the highest."""
        of_batch = {load[1]: load[3:6] for load in self.loads if load[0] == one.batch}
        return of_batch.get(one.generation, of_batch[max(of_batch)])

    def agrees_with(self, oracle: Oracle, one: Processing) -> None:
        rows = sorted(row[0] for row in self.table)
        assert rows == sorted({key for key, *_ in oracle.references})
        provenances = [tuple(row[:4]) for row in self.table]
        extra_references = [tuple(row[:4]) for row in self.extra_references]
        assert sorted(provenances + extra_references) == sorted(oracle.references)
        assert all(row[4] == KEYS.index(row[0]) + 1 for row in self.table + self.extra_references)
        own = [row for row in self.table if row[3] == one.batch]
        assert all(row[5] == one.message(row[0]) for row in own)
        assert sorted((f, v) for f, v, _ in self.files) == sorted(oracle.files)
        assert all(order == order_of((f, v)) for f, v, order in self.files)

    def follows(self, before: State, one: Processing, answer: list[Any]) -> None:
        merged, superseded, retracted = answer
        assert merged + superseded == len(one.curated)
        brought = [
            key for key, row in self.rows.items() if row[3] == one.batch and row != before.rows.get(key)
        ]
        assert merged == len(brought)
        assert retracted == len(before.rows.keys() - self.rows.keys())
        noted = [one.batch, one.generation, len(one.curated), *answer, len(self.table)]
        assert self.loads == [*before.loads, noted]


# -- single cases ------------------------------------------------------------------------------------------


def contents(loads: Loads) -> list[list[Any]]:
    return loads.warehouse.rows(
        "select log_id, _source_file, _source_version, _batch_id from app_logs order by 1"
    )


def test_a_corrected_file_takes_back_what_it_no_longer_holds(loads: Loads) -> None:
    first = loads.request(
        APP_LOGS,
        "A",
        [log(k, "f", "1", "A") for k in "abc"],
        [of_file("f", "1", "1"), of_file("g", "1", "1")],
    )
    assert loads.load(APP_LOGS, first) == (3, 0, 0)
    fixed = loads.request(APP_LOGS, "B", [log(k, "f", "2", "B") for k in "cd"], [of_file("f", "2", "2")])
    assert loads.load(APP_LOGS, fixed) == (2, 0, 2)
    assert contents(loads) == [["c", "f", "2", "B"], ["d", "f", "2", "B"]]
    assert loads.drift(APP_LOGS) == [2, 2, 2, 0, 0]


def test_an_empty_correction_takes_back_everything_and_needs_no_manifest_of_rows(loads: Loads) -> None:
    first = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], [of_file("f", "1", "1")])
    assert loads.load(APP_LOGS, first) == (1, 0, 0)
    nothing = loads.request(APP_LOGS, "B", [], [of_file("f", "2", "2")])
    assert loads.load(APP_LOGS, nothing) == (0, 0, 1)
    assert contents(loads) == []


def test_a_version_that_comes_late_brings_nothing(loads: Loads) -> None:
    late = loads.request(APP_LOGS, "B", [log("b", "f", "2", "B")], [of_file("f", "2", "2")])
    early = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], [of_file("f", "1", "1")])
    assert loads.load(APP_LOGS, late) == (1, 0, 0)
    assert loads.load(APP_LOGS, early) == (0, 1, 0)
    assert contents(loads) == [["b", "f", "2", "B"]]


def test_a_row_stays_under_its_twin_in_another_file_and_goes_with_that(loads: Loads) -> None:
    both = [of_file("f", "1", "1"), of_file("g", "1", "1"), extra_reference("a", "g", "1")]
    corrected = [of_file("f", "2", "2"), of_file("g", "2", "2")]
    requests = [
        loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], both),
        loads.request(APP_LOGS, "B", [log("a", "h", "1", "B")], [of_file("h", "1", "1")]),
        loads.request(APP_LOGS, "C", [], corrected),
        loads.request(APP_LOGS, "D", [], [of_file("h", "2", "2")]),
    ]
    assert loads.load(APP_LOGS, requests[0]) == (1, 0, 0)
    assert loads.load(APP_LOGS, requests[1]) == (0, 1, 0)
    assert loads.load(APP_LOGS, requests[2]) == (0, 0, 0)
    assert contents(loads) == [["a", "h", "1", "B"]]
    assert loads.warehouse.rows("select * from app_logs_echoes") == []
    assert loads.load(APP_LOGS, requests[3]) == (0, 0, 1)
    assert contents(loads) == []


def test_processing_again_with_the_same_code_merges_nothing(loads: Loads) -> None:
    rows, row_references = [log(k, "f", "1", "A") for k in "ab"], [of_file("f", "1", "1")]
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", rows, row_references)) == (2, 0, 0)
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", rows, row_references, 2)) == (0, 2, 0)


def test_processing_again_with_mended_code_changes_what_differs_nulls_too(loads: Loads) -> None:
    rows = [
        log("a", "f", "1", "A", "old"),
        log("b", "f", "1", "A"),
        log("c", "f", "1", "A") | {"message": None},
    ]
    again = [log("a", "f", "1", "A", "new"), log("b", "f", "1", "A"), log("d", "f", "1", "A")]
    row_references = [of_file("f", "1", "1")]
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", rows, row_references)) == (3, 0, 0)
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", again, row_references, 2)) == (2, 1, 1)
    third = [again[0] | {"message": None}, again[1] | {"component": "net"}, again[2]]
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", third, row_references, 3)) == (2, 1, 0)
    assert loads.warehouse.rows("select log_id, message, component from app_logs order by 1") == [
        ["a", None, None],
        ["b", "", "net"],
        ["d", "", None],
    ]


def test_processed_again_a_row_is_said_anew_rather_than_left_to_another_batch(loads: Loads) -> None:
    both = [of_file("f", "1", "1"), of_file("g", "1", "1"), extra_reference("a", "g", "1")]
    first = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A", "old")], both)
    other = loads.request(APP_LOGS, "B", [log("a", "h", "1", "B", "old")], [of_file("h", "1", "1")])
    again = loads.request(APP_LOGS, "A", [log("a", "g", "1", "A", "new")], [of_file("g", "1", "1")], 2)
    assert [loads.load(APP_LOGS, one) for one in (first, other, again)] == [(1, 0, 0), (0, 1, 0), (1, 0, 0)]
    assert loads.warehouse.rows("select _source_file, _batch_id, message from app_logs") == [
        ["g", "A", "new"]
    ]
    assert loads.warehouse.rows("select _source_file, _batch_id from app_logs_echoes") == [["h", "B"]]


def test_an_earlier_generation_that_comes_late_changes_nothing(loads: Loads) -> None:
    first = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], [of_file("f", "1", "1")])
    second = loads.request(APP_LOGS, "A", [log("b", "f", "1", "A")], [of_file("f", "1", "1")], 2)
    assert loads.load(APP_LOGS, second) == (1, 0, 0)
    assert loads.load(APP_LOGS, first) == (1, 0, 0)
    assert contents(loads) == [["b", "f", "1", "A"]]


def test_one_record_twice_in_the_stage_becomes_one_row(loads: Loads) -> None:
    rows = [log("a", "f", "1", "A"), log("a", "g", "1", "A"), log("a", "g", "1", "A", record=2)]
    row_references = [of_file("f", "1", "1"), of_file("g", "1", "1")]
    assert loads.load(APP_LOGS, loads.request(APP_LOGS, "A", rows, row_references)) == (1, 2, 0)
    assert loads.drift(APP_LOGS) == [1, 1, 1, 0, 0]
    assert loads.warehouse.rows("select log_id, _source_file, _source_record from app_logs_echoes") == [
        ["a", "g", 1]
    ]


@pytest.mark.parametrize(
    ("row_references", "complaint"),
    [
        ([], "file versions of rows have no reference"),
        ([of_file("f", "2", "1")], "file versions of rows have no reference"),
        ([of_file("f", "1", "1"), extra_reference("a", "g", "1")], "file versions of rows have no reference"),
        (
            [of_file("f", "1", "1"), extra_reference("z", "f", "1")],
            "extra references name no row in the stage",
        ),
        ([of_file("f", "1", "1"), of_file("f", "1", "1") | {"log_id": "a"}], "row references name neither"),
        (
            [of_file("f", "1", "1"), extra_reference("a", "f", "1") | {"source": None}],
            "row references name neither",
        ),
        (
            [of_file("f", "1", "1"), extra_reference("a", "f", "1") | {"_source_record": None}],
            "row references name neither",
        ),
    ],
)
def test_row_references_that_do_not_fit_the_rows_fail_the_load(
    loads: Loads, row_references: list[Row], complaint: str
) -> None:
    request = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], row_references)
    assert complaint[1:] in loads.error(APP_LOGS, request)
    assert loads.warehouse.rows("select count(*) from etl_files") == [[0]]


def test_missing_row_references_fail_the_load(loads: Loads) -> None:
    request = loads.request(APP_LOGS, "A", [log("a", "f", "1", "A")], [of_file("f", "1", "1")])
    fewer = type(request)(**{**vars(request), "row_references": 2})
    assert "pp_logs_row_references does not hold 2 rows" in loads.error(APP_LOGS, fewer)
