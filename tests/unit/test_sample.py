"""The demo data: its truth is recomputed here from the bytes alone, by a reader sharing no code with it."""

import csv
import gzip
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluebook.sample import Counts, Sample, SampleFile, Truth, generate, iter_files, write, write_files
from gluebook.sample.layout import Request, Slot
from gluebook.sample.tickets import incident

# fmt: off
REAL_COLUMNS = [
    "number", "incident_state", "active", "reassignment_count", "reopen_count", "sys_mod_count", "made_sla",
    "caller_id", "opened_by", "opened_at", "sys_created_by", "sys_created_at", "sys_updated_by",
    "sys_updated_at", "contact_type", "location", "category", "subcategory", "u_symptom", "cmdb_ci", "impact",
    "urgency", "priority", "assignment_group", "assigned_to", "knowledge", "u_priority_confirmation",
    "notify", "problem_id", "rfc", "vendor", "caused_by", "closed_code", "resolved_by", "resolved_at",
    "closed_at",
]
# fmt: on
PEOPLE = {"caller_id", "opened_by", "sys_created_by", "sys_updated_by", "assigned_to", "resolved_by"}
STATES = {
    **{"New": "new", "Active": "active", "Resolved": "resolved", "Closed": "closed"},
    **{f"Awaiting {what}": "pending" for what in ("User Info", "Problem", "Vendor", "Evidence")},
}
SEVERITIES = {"F": "fatal", "E": "error", "W": "warning", "I": "info"} | {
    f"D{n}": "debug" for n in range(1, 6)
}
DAY_FIRST = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}) (\d{1,2}):(\d{2})")


# --- the independent reader ------------------------------------------------------------------------


@dataclass
class Read:
    """What a reader finds in one file; `kept` is one entry per curated record."""

    kept: list[Any] = field(default_factory=list)
    copies: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: list[Any] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        rejected = self.reasons.total()
        return Counts(len(self.kept) + self.copies + rejected, len(self.kept), self.copies, rejected)


def text_of(file: SampleFile) -> str:
    return (gzip.decompress(file.body) if file.name.endswith(".gz") else file.body).decode("utf-8")


def records_of(file: SampleFile) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(text_of(file).removeprefix("\ufeff"), newline=""))
    return header, rows


def when(text: str) -> datetime | None:
    if match := DAY_FIRST.fullmatch(text):
        day, _, month, year, hour, minute = match.groups()
        try:
            return datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
        except ValueError:
            return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def ticket_faults(row: dict[str, str]) -> list[str]:
    absent = ("?", "")
    faults = {
        "missing:ticket_id": row["number"] in absent,
        "missing:updated_at": row["sys_updated_at"] in absent,
        "unreadable:updated_at": row["sys_updated_at"] not in absent and when(row["sys_updated_at"]) is None,
        "unknown:status": row["incident_state"] not in STATES,
        "unreadable:revision": not row["sys_mod_count"].isdigit(),
    }
    return [fault for fault, found in faults.items() if found]


def read_tickets(file: SampleFile) -> Read:
    header, rows = records_of(file)
    found, seen = Read(), set()
    for fields in rows:
        row = dict(zip(header, fields, strict=False))
        faults = ["malformed_record"] if len(fields) != len(header) else ticket_faults(row)
        if faults:
            assert len(faults) == 1, f"{file.key}: {faults} in {fields}"
            found.reasons[faults[0]] += 1
            found.rejected.append(tuple(fields))
        elif tuple(fields) in seen:
            found.copies += 1
        else:
            seen.add(tuple(fields))
            found.kept.append(row)
    return found


def log_faults(line: str) -> tuple[list[str], dict[str, Any]]:
    try:
        record = json.loads(line)
    except ValueError:
        return ["malformed_record"], {}
    if not isinstance(record, dict):
        return ["malformed_record"], {}
    faults = [] if "t" in record else ["missing:occurred_at"]
    if "t" in record:
        try:
            datetime.fromisoformat(record["t"]["$date"])
        except ValueError:
            faults.append("unreadable:occurred_at")
    if record["s"] not in SEVERITIES:
        faults.append("unknown:level")
    return faults, record


def read_logs(file: SampleFile) -> Read:
    found, seen = Read(), set()
    for line in text_of(file).split("\n"):
        if not line.strip():
            continue
        faults, record = log_faults(line)
        if faults:
            assert len(faults) == 1, f"{file.key}: {faults} in {line}"
            found.reasons[faults[0]] += 1
            found.rejected.append(line)
        elif line in seen:
            found.copies += 1
        else:
            seen.add(line)
            found.kept.append((line, record))
    return found


def read(file: SampleFile) -> Read:
    return {"support_tickets": read_tickets, "app_logs": read_logs}[file.dataset](file)


def of_dataset(files: Iterable[SampleFile], dataset: str) -> list[SampleFile]:
    return [file for file in files if file.dataset == dataset]


def rank(row: dict[str, str]) -> tuple[int, datetime]:
    updated_at = when(row["sys_updated_at"])
    assert updated_at is not None
    # Seconds are in some files only: an order that hung on them would depend on the file.
    return int(row["sys_mod_count"]), updated_at.replace(second=0)


def newest_tickets(files: Iterable[SampleFile]) -> dict[str, dict[str, str]]:
    newest: dict[str, dict[str, str]] = {}
    for file in files:
        for row in read_tickets(file).kept:
            if row["number"] not in newest or rank(row) > rank(newest[row["number"]]):
                newest[row["number"]] = row
    return newest


# --- laws, for samples of any shape ----------------------------------------------------------------

shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(min_value=-5, max_value=2**40),
        "tickets": st.integers(min_value=0, max_value=60),
        "log_lines": st.integers(min_value=0, max_value=300),
        "days": st.integers(min_value=1, max_value=4),
        "first_day": st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)),
        "files_per_day": st.integers(min_value=2, max_value=4),
        "rows_per_file": st.sampled_from((10, 100, 50_000)),
    }
)
some_shapes = settings(max_examples=40, deadline=None)


@some_shapes
@given(shapes)
def test_an_independent_reader_finds_the_same_truth_in_the_bytes(shape: dict[str, Any]) -> None:
    sample = generate(Request(**shape))
    levels: Counter[str] = Counter()
    for file in sample.files:
        found = read(file)
        assert (file.key, found.counts, dict(found.reasons)) == (
            file.key,
            file.truth,
            dict(file.reject_reasons),
        )
        if file.dataset == "app_logs":
            levels.update(SEVERITIES[record["s"]] for _, record in found.kept)
    newest = newest_tickets(of_dataset(sample.files, "support_tickets")).values()
    priorities = {
        "1 - Critical": "critical",
        "2 - High": "high",
        "3 - Moderate": "moderate",
        "4 - Low": "low",
    }
    assert sample.truth.tickets_by_status == Counter(STATES[row["incident_state"]] for row in newest)
    assert sample.truth.tickets_by_priority == Counter(priorities[row["priority"]] for row in newest)
    assert sample.truth.logs_by_level == levels
    assert sample.truth.table_rows == {"support_tickets": len(newest), "app_logs": levels.total()}


@some_shapes
@given(shapes)
def test_counts_add_up_to_what_was_asked_for(shape: dict[str, Any]) -> None:
    sample = generate(Request(**shape))
    truth = sample.truth
    assert set(truth.files) == {file.key for file in sample.files}
    assert len(truth.files) == len(sample.files)
    for dataset in ("support_tickets", "app_logs"):
        files = [file.truth for file in of_dataset(sample.files, dataset)]
        assert truth.totals[dataset] == sum(files, Counts(0, 0, 0, 0))
        assert sum(truth.reject_reasons[dataset].values()) == truth.totals[dataset].rejected
    assert truth.table_rows["support_tickets"] == shape["tickets"]
    assert truth.totals["app_logs"].read == shape["log_lines"]
    assert truth.table_rows["app_logs"] == truth.totals["app_logs"].curated


@some_shapes
@given(shapes)
def test_nothing_but_copies_within_a_file_is_alike(shape: dict[str, Any]) -> None:
    lines, revisions, rejects = Counter[str](), Counter[Any](), Counter[Any]()
    for file in generate(Request(**shape)).files:
        found = read(file)
        rejects.update(found.rejected)
        if file.dataset == "app_logs":
            lines.update(line for line, _ in found.kept)
        else:
            revisions.update((row["number"], rank(row)) for row in found.kept)
    assert [what for what in (lines, revisions, rejects) if any(count > 1 for count in what.values())] == []


@some_shapes
@given(shapes)
def test_every_day_has_its_files_and_tickets_arrive_after_they_were_updated(shape: dict[str, Any]) -> None:
    sample = generate(Request(**shape))
    per_day = Counter((file.dataset, file.dt) for file in sample.files)
    assert len(per_day) == 2 * shape["days"]
    assert min(per_day.values()) >= shape["files_per_day"]
    for file in of_dataset(sample.files, "support_tickets"):
        for row in read_tickets(file).kept:
            assert when(row["opened_at"]) <= rank(row)[1].replace(second=59)  # type: ignore[operator]
            assert rank(row)[1].date() <= file.dt


@some_shapes
@given(shapes)
def test_the_same_arguments_give_the_same_bytes(shape: dict[str, Any]) -> None:
    assert generate(Request(**shape)) == generate(Request(**shape))


@some_shapes
@given(shapes.filter(lambda shape: shape["tickets"] and shape["log_lines"]))
def test_another_seed_gives_other_files_of_both_datasets(shape: dict[str, Any]) -> None:
    one, other = generate(Request(**shape)), generate(Request(**{**shape, "seed": shape["seed"] + 1}))
    for dataset in ("support_tickets", "app_logs"):
        bodies = [[file.body for file in of_dataset(sample.files, dataset)] for sample in (one, other)]
        assert bodies[0] != bodies[1]


@some_shapes
@given(shapes)
def test_files_made_one_by_one_are_those_made_at_once(shape: dict[str, Any]) -> None:
    sample = generate(Request(**shape))
    assert tuple(iter_files(Request(**shape))) == sample.files
    assert Truth.of(reversed(sample.files)).table_rows == sample.truth.table_rows


# --- the mess that the default sample must hold ----------------------------------------------------


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate(Request())


@pytest.fixture(scope="module")
def tickets(sample: Sample) -> list[SampleFile]:
    return of_dataset(sample.files, "support_tickets")


@pytest.fixture(scope="module")
def logs(sample: Sample) -> list[SampleFile]:
    return of_dataset(sample.files, "app_logs")


@pytest.fixture(scope="module")
def ticket_rows(tickets: list[SampleFile]) -> list[dict[str, str]]:
    return [row for file in tickets for row in read_tickets(file).kept]


@pytest.fixture(scope="module")
def log_records(logs: list[SampleFile]) -> list[dict[str, Any]]:
    return [record for file in logs for _, record in read_logs(file).kept]


def test_keys_follow_the_naming_convention(sample: Sample) -> None:
    assert sample.files[0].key == "support_tickets/servicenow/dt=2026-01-05/incidents-01.csv"
    pattern = (
        r"(support_tickets/servicenow|app_logs/mongod)/dt=2026-01-0[567]/[a-z]+-\d\d\.(csv|jsonl)(\.gz)?"
    )
    assert [file.key for file in sample.files if not re.fullmatch(pattern, file.key)] == []


def test_both_datasets_come_gzipped_and_plain(sample: Sample) -> None:
    for dataset in ("support_tickets", "app_logs"):
        files = of_dataset(sample.files, dataset)
        assert {file.name.endswith(".gz") for file in files} == {True, False}
        assert all(file.body.startswith(b"\x1f\x8b") == file.name.endswith(".gz") for file in files)


def test_every_reject_reason_occurs(sample: Sample) -> None:
    updated_at = {"missing:updated_at", "unreadable:updated_at"}
    others = {"missing:ticket_id", "unknown:status", "unreadable:revision", "malformed_record"}
    assert set(sample.truth.reject_reasons["support_tickets"]) == updated_at | others
    occurred_at = {"missing:occurred_at", "unreadable:occurred_at"}
    assert set(sample.truth.reject_reasons["app_logs"]) == occurred_at | {"malformed_record", "unknown:level"}


def test_every_file_repeats_some_of_its_records(sample: Sample) -> None:
    assert [file.key for file in sample.files if file.truth.duplicates == 0] == []


def test_every_reject_carries_a_mark_of_its_own() -> None:
    """Chance alone keeps most rejects apart; that it is not left to chance shows in the marks."""
    many = generate(Request(tickets=400, log_lines=2000, rows_per_file=5))
    tickets = [
        row for file in of_dataset(many.files, "support_tickets") for row in read_tickets(file).rejected
    ]
    serials = [[value for value in row if re.fullmatch(r"PRB000[1-9]\d{3}", value)] for row in tickets]
    assert len(serials) > 300
    assert all(len(found) == 1 for found in serials)
    assert len({found[0] for found in serials}) == len(serials)
    logs = [line for file in of_dataset(many.files, "app_logs") for line in read_logs(file).rejected]
    untimed = [line for line in logs if log_faults(line)[0][0].endswith(":occurred_at")]
    marks = [json.loads(line)["attr"]["clockMillis"] for line in untimed]
    assert len(set(marks)) == len(marks) > 100


def test_revisions_that_tie_in_number_are_a_minute_apart() -> None:
    """Seen in crowded slots: seconds are lost in most files, and must not decide which revision is newest."""
    request = Request(7, 0, 0, 1, date(2026, 1, 5), 2, 100)
    crowded = [Slot(0, 0, 1, request.first_day, timedelta(seconds=100))]
    pairs = [
        pair for number in range(1500) for pair in itertools.pairwise(incident(request, number, crowded))
    ]
    ties = [(one, other) for one, other in pairs if one.mod_count == other.mod_count]
    assert ties
    assert all(other.updated_at - one.updated_at >= timedelta(minutes=1) for one, other in ties)


def test_each_oddity_of_the_export_is_in_exactly_one_file(tickets: list[SampleFile]) -> None:
    headers = [records_of(file)[0] for file in tickets]
    known = [[column for column in header if column in REAL_COLUMNS] for header in headers]
    assert all(sorted(columns) == sorted(REAL_COLUMNS) for columns in known)
    oddities = {
        "another order": [columns != REAL_COLUMNS for columns in known],
        "an extra column": [len(header) == 37 for header in headers],
        "a byte order mark": [text_of(file).startswith("\ufeff") for file in tickets],
        "CRLF line ends": [text_of(file).partition("\n")[0].endswith("\r") for file in tickets],
        "all quoted": [text_of(file).removeprefix("\ufeff").startswith('"') for file in tickets],
    }
    assert {oddity: sum(where) for oddity, where in oddities.items()} == dict.fromkeys(oddities, 1)
    assert max(sum(file) for file in zip(*oddities.values(), strict=True)) == 1


@pytest.mark.parametrize(
    "style",
    [
        r"[1-9]/[1-9]/\d{4} [1-9]:\d\d",
        r"[1-9]-[1-9]-\d{4} [1-9]:\d\d",
        r"0\d/0\d/\d{4} 0\d:\d\d",
        r"0\d-0\d-\d{4} 0\d:\d\d",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    ],
)
def test_every_style_of_time_occurs(ticket_rows: list[dict[str, str]], style: str) -> None:
    assert any(re.fullmatch(style, row["sys_updated_at"]) for row in ticket_rows)


def test_fields_hold_what_breaks_naive_readers(ticket_rows: list[dict[str, str]]) -> None:
    for character in (",", '"', "\n", "\r\n", "ü", "東", "🔌"):
        assert any(character in value for row in ticket_rows for value in row.values()), character
    booleans = {row[column] for row in ticket_rows for column in ("active", "made_sla", "knowledge")}
    assert booleans == {"true", "TRUE", "True", "false", "FALSE", "False"}
    assert {row["incident_state"] for row in ticket_rows} == set(STATES)
    assert all(value != "" for row in ticket_rows for value in row.values())
    always_set = {column for column in REAL_COLUMNS if all(row[column] != "?" for row in ticket_rows)}
    assert "u_symptom" not in always_set
    assert {"number", "caller_id", "priority", "sys_updated_at"} <= always_set


def test_people_stand_only_in_the_fields_for_people_and_are_invented(
    ticket_rows: list[dict[str, str]],
) -> None:
    for row in ticket_rows:
        for column, value in row.items():
            if column in PEOPLE:
                assert value == "?" or re.fullmatch(r".+ <[a-z]+@(helpdesk\.)?example\.(com|org|net)>", value)
            else:
                assert "@" not in value


def test_revisions_are_numbered_with_gaps_and_clocks_disagree_with_the_numbers(
    tickets: list[SampleFile],
) -> None:
    histories: dict[str, list[tuple[int, datetime]]] = {}
    for file in tickets:
        for row in read_tickets(file).kept:
            histories.setdefault(row["number"], []).append(rank(row))
    assert {len(history) for history in histories.values()} == set(range(1, 9))
    steps = [pair for history in histories.values() for pair in itertools.pairwise(sorted(history))]
    gaps = {later[0] - earlier[0] for earlier, later in steps}
    assert {0, 1, 2} < gaps
    assert any(later[1] < earlier[1] for earlier, later in steps)


def test_some_old_revisions_arrive_in_a_later_file_and_some_on_a_later_day(tickets: list[SampleFile]) -> None:
    newest_in: dict[str, tuple[tuple[int, datetime], int]] = {}
    arrivals = [
        (row["number"], rank(row), position)
        for position, file in enumerate(tickets)
        for row in read_tickets(file).kept
    ]
    for number, order, position in arrivals:
        if number not in newest_in or order > newest_in[number][0]:
            newest_in[number] = (order, position)
    late = [
        (tickets[newest_in[number][1]].dt, tickets[position].dt)
        for number, _, position in arrivals
        if position > newest_in[number][1]
    ]
    assert sum(there == here for there, here in late) >= 5
    assert sum(there < here for there, here in late) >= 5


def test_a_reject_let_through_would_overwrite_a_good_ticket(tickets: list[SampleFile]) -> None:
    newest = newest_tickets(tickets)
    harmful = 0
    for file in tickets:
        header, rows = records_of(file)
        for row in (dict(zip(header, fields, strict=True)) for fields in rows if len(fields) == len(header)):
            if ticket_faults(row) == ["unknown:status"]:
                harmful += rank(row) > rank(newest[row["number"]])
    assert harmful == sum(file.reject_reasons.get("unknown:status", 0) for file in tickets) > 0


def test_log_lines_have_the_shape_of_the_real_file(logs: list[SampleFile]) -> None:
    start = r'\{"t":\{"\$date":"[^"]+"\},"s":"(\w|D\d)", +"c":"[A-Z-]+", +"id":\d+, +'
    line = start + r'"ctx":"[^"]+","msg":"[^"]+"[,}].*'
    kept = [line for file in logs for line, _ in read_logs(file).kept]
    assert [text for text in kept if not re.fullmatch(line, text)] == []
    assert {text.index('"ctx"') - text.index('"s":') for text in kept} == {40}


def test_logs_hold_every_severity_and_attributes_come_and_go(log_records: list[dict[str, Any]]) -> None:
    assert {record["s"] for record in log_records} == set(SEVERITIES)
    timed = sum("durationMillis" in record.get("attr", {}) for record in log_records)
    assert timed > len(log_records) / 2
    assert any("attr" not in record for record in log_records)
    zones = {record["t"]["$date"][23:] for record in log_records}
    assert zones == {"-04:00", "Z", "+00:00", "+05:30"}


def test_logs_lie_within_their_day_mostly_in_order(logs: list[SampleFile]) -> None:
    disorder = 0
    for file in logs:
        times = [datetime.fromisoformat(record["t"]["$date"]) for _, record in read_logs(file).kept]
        assert {at.astimezone(UTC).date() for at in times} == {file.dt}
        disorder += sum(later < earlier for earlier, later in itertools.pairwise(times))
    assert 0 < disorder < 0.05 * sum(file.truth.read for file in logs)


def test_log_files_have_blank_lines_and_unended_last_lines(logs: list[SampleFile]) -> None:
    texts = [text_of(file) for file in logs]
    assert sum("\n\n" in text for text in texts) >= 2
    assert {text.endswith("\n") for text in texts} == {True, False}
    assert not any(text.startswith("\n") for text in texts)


def test_malformed_log_lines_are_broken_or_no_object(logs: list[SampleFile]) -> None:
    sound = Counter[str]()
    for line in (line for file in logs for line in read_logs(file).rejected):
        if log_faults(line)[0] == ["malformed_record"]:
            try:
                sound[type(json.loads(line)).__name__] += 1
            except ValueError:
                sound["broken"] += 1
    assert set(sound) == {"broken", "list", "str"}


# --- sizes, arguments, disk ------------------------------------------------------------------------


def test_a_bigger_sample_has_more_files_and_not_bigger_ones() -> None:
    files = list(iter_files(Request(tickets=800, log_lines=4000, days=2, rows_per_file=200)))
    for dataset, bound in (("support_tickets", 320), ("app_logs", 200)):
        sizes = [file.truth.read for file in of_dataset(files, dataset)]
        assert len(sizes) >= 14
        assert max(sizes) <= bound


def test_files_come_without_waiting_for_the_rest() -> None:
    endless = iter_files(Request(tickets=0, log_lines=40_000_000, days=1, rows_per_file=10_000))
    assert [file.truth.read for file in itertools.islice(of_kind(endless, "app_logs"), 2)] == [10_000, 10_000]


def of_kind(files: Iterator[SampleFile], dataset: str) -> Iterator[SampleFile]:
    return (file for file in files if file.dataset == dataset)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("tickets", -1),
        ("log_lines", -1),
        ("days", 0),
        ("files_per_day", 1),
        ("rows_per_file", 0),
        ("log_lines", 10**9),
    ],
)
def test_a_size_that_cannot_be_is_refused_by_name(argument: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{argument}={value}: "):
        iter_files(Request(**{argument: value}))  # type: ignore[arg-type]


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="read is not"):
        Counts(read=3, curated=1, duplicates=1, rejected=0)


def test_what_is_written_is_what_was_made(tmp_path: Path) -> None:
    sample = generate(Request(tickets=20, log_lines=60, days=1))
    write(sample, tmp_path / "demo")
    written = {
        path.relative_to(tmp_path / "demo").as_posix(): path.read_bytes()
        for path in (tmp_path / "demo").rglob("*")
        if path.is_file()
    }
    truth = json.loads(written.pop("truth.json"))
    assert written == {file.key: file.body for file in sample.files}
    assert truth == sample.truth.as_json()
    assert truth["table_rows"]["support_tickets"] == 20


def test_writing_again_changes_nothing_and_gives_the_truth(tmp_path: Path) -> None:
    sample = generate(Request(tickets=5, log_lines=20, days=1))
    write(sample, tmp_path)
    before = (tmp_path / "truth.json").read_bytes()
    assert write_files(iter(sample.files), tmp_path) == sample.truth
    assert (tmp_path / "truth.json").read_bytes() == before


def test_a_folder_with_files_of_another_sample_is_refused_and_left_without_a_truth(tmp_path: Path) -> None:
    write(generate(Request(tickets=5, log_lines=20, days=2)), tmp_path)
    with pytest.raises(FileExistsError, match=r"dt=2026-01-06.*not of this sample"):
        write(generate(Request(tickets=5, log_lines=20, days=1)), tmp_path)
    assert not (tmp_path / "truth.json").exists()


def test_the_truth_depends_on_the_tallies_of_the_files(sample: Sample) -> None:
    first = sample.files[0]
    changed = replace(first, tally={"status": {"new": 1}, "priority": {"low": 1}})
    assert Truth.of((changed, *sample.files[1:])) != sample.truth
