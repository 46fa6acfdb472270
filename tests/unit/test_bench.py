"""The benchmark: its inputs, its verdict on contenders, and its page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import inputs, page, running
from bench.agreement import differences
from bench.contenders import CONTENDERS, Kind
from bench.inputs import INPUTS, NoRealData, log_lines, make, ticket_lines
from bench.running import ROOT, ContenderFailed, a_task, measure
from bench.task import Counts, Task
from bench_kit import write_input


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_is_the_same_bytes_each_time(tmp_path: Path, name: str) -> None:
    once, again = (write_input(name, 300, tmp_path / folder) for folder in ("once", "again"))
    assert [path.name for path in once] == [path.name for path in again]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    records = sum(len(path.read_bytes().splitlines()) for path in once)
    assert records == 300 + (INPUTS[name].dataset == "support_tickets")


def test_each_round_over_the_real_lines_has_days_and_keys_of_its_own() -> None:
    log = b'{"t":{"$date":"2023-09-30T16:24:35.756-04:00"},"s":"I","msg":"m"}'
    logs = log_lines([log] * 2)
    days = [next(logs)[15:25] for _ in range(6)]
    assert days[2:] == [b"2023-10-01", b"2023-10-01", b"2023-10-02", b"2023-10-02"]
    tickets = ticket_lines([b"INC0000045" + b",?" * 35])
    assert [next(tickets)[:11] for _ in range(3)] == [b"INC0000045,", b"INC10000045", b"INC20000045"]


def test_without_the_real_lines_an_input_is_skipped_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "REAL_DATA", tmp_path)
    with pytest.raises(NoRealData, match=f"input single is skipped: there is no {tmp_path}"):
        make("single", 10, tmp_path)


def test_contenders_that_differ_are_named_with_both_values() -> None:
    counts = Counts(read=3, kept=3, duplicates=0, rejects=0)
    same = (counts, {"rows": "3", "sum": "7"})
    assert differences({"one": same, "other": same}) == []
    assert differences({"one": same, "other": (counts, {"rows": "3", "sum": "8"})}) == [
        "sum: one has 7, other has 8"
    ]
    fewer = Counts(read=3, kept=2, duplicates=1, rejects=0)
    assert differences({"one": same, "other": (fewer, same[1])}) == [
        "records kept: one has 3, other has 2",
        "records duplicates: one has 0, other has 1",
    ]


@pytest.mark.parametrize("name", ["mongod", "servicenow"])
def test_a_task_comes_out_of_its_process_as_it_went_in(tmp_path: Path, name: str) -> None:
    task = a_task(name, write_input(name, 10, tmp_path / "raw"), tmp_path, "postgresql://127.0.0.1/x")
    assert Task.from_json(task.to_json()) == task
    assert bool(task.columns) == (name == "servicenow")


def test_every_contender_has_its_module_its_lock_and_its_line_in_the_readme() -> None:
    readme = (ROOT / "bench" / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for name, kind in CONTENDERS.items():
        assert find_spec(f"bench.contenders.{kind.module}") is not None
        assert f"| `{name}` |" in readme
        if kind.environment:
            assert (ROOT / f"requirements-bench-{kind.environment}.lock").is_file()
            assert f"-{kind.environment}/.ready" in makefile
    assert len(CONTENDERS) == len({kind.module for kind in CONTENDERS.values()})


def test_the_page_shows_the_results_that_are_kept() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_results(text, page.kept()) == text, "`make bench` writes docs/performance.md"


def test_a_contender_that_fails_shows_its_last_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENDERS, "absent", Kind("absent", "absent", whole=True))
    with pytest.raises(
        ContenderFailed, match=r"(?s)absent ended with exit status 1.*No module named .*absent"
    ):
        measure("absent", "single", write_input("single", 10, tmp_path / "raw"))


def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[psutil.Process] = []

    @contextmanager
    def interrupted(pid: int, **_: Any) -> Iterator[None]:
        seen.append(psutil.Process(pid))
        raise KeyboardInterrupt
        yield

    monkeypatch.setitem(CONTENDERS, "pandas", replace(CONTENDERS["pandas"], whole=True))
    monkeypatch.setattr(running, "PeakMemory", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        measure("pandas", "single", write_input("single", 10, tmp_path / "raw"))
    assert [process.is_running() for process in seen] == [False]
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
