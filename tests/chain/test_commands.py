"""The commands as people run them: processes of their own, real files, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from chain.elsewhere import elsewhere, link_programs
from chain.kit import log_line, real, truncated
from process_kit import deaf, running

GLUEBOOK = [sys.executable, "-c", "from gluebook.cli import main; main()"]
PATIENCE_SECONDS = 550


@pytest.fixture
def own_place(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with an own temporary folder and no AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JAVA"))}
    with tempfile.TemporaryDirectory(prefix="own-place-") as folder:
        # Open to all, as /tmp is: as root the database server runs as somebody else.
        Path(folder).chmod(0o755)
        yield {**kept, "TMPDIR": folder, "XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "160"}


def gluebook(place: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GLUEBOOK, *words], env=place, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def tried(place: dict[str, str], *words: str) -> dict[str, Any]:
    done = gluebook(place, "try", *words, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def left_behind(place: dict[str, str]) -> list[str]:
    """Temporary files that are still there."""
    return sorted(path.name for path in Path(place["TMPDIR"]).iterdir())


def test_the_real_incident_log_comes_out_as_counted_by_hand(own_place: dict[str, str]) -> None:
    path = real("tickets/servicenow_incidents.csv.gz")
    answer = tried(
        own_place,
        *(str(path), "--dataset", "support_tickets", "--source", "servicenow"),
        *("--sql", "select status, count(*) from support_tickets group by 1"),
        *("--sql", "select priority, count(*) from support_tickets group by 1"),
    )
    totals = {"read": 90_000, "curated": 90_000, "duplicates": 0, "rejected": 0, "loaded": 90_000}
    assert answer["totals"] == totals
    assert [(load["merged"], load["superseded"]) for load in answer["loads"]] == [(14_894, 75_106)]
    by_status, by_priority = (dict(query["rows"]) for query in answer["queries"])
    assert by_status == {"closed": 14_893, "resolved": 1}
    assert by_priority == {"moderate": 14_009, "low": 491, "high": 246, "critical": 148}
    assert left_behind(own_place) == []


def test_the_real_mongod_log_comes_out_as_counted_by_hand(own_place: dict[str, str]) -> None:
    path = real("logs/mongod.jsonl.gz")
    answer = tried(own_place, str(path), "--dataset", "app_logs", "--source", "mongod")
    totals = {"read": 27_995, "curated": 27_921, "duplicates": 74, "rejected": 0, "loaded": 27_921}
    assert answer["totals"] == totals
    assert set(answer["stages_s"]) >= {"deploy", "upload", "admit", "curate"}
    assert left_behind(own_place) == []


def test_a_trial_on_the_barest_machine_with_a_broken_file_says_so_and_exits_1() -> None:
    """A path with a space and a letter beyond ASCII, no root, umask 077, no locale, Debian's Python, no Java: all
    that `elsewhere` tells of."""
    with elsewhere() as place:
        good, bad = place.folder / "home" / "good.jsonl", place.folder / "home" / "bad.jsonl.gz"
        good.write_bytes(log_line(1))
        bad.write_bytes(truncated(log_line(2) * 100))
        words = ("--dataset", "app_logs", "--source", "mongod", "--sql", "select count(*) from app_logs")
        done = place.run(".venv/bin/gluebook", "try", str(good), str(bad), *words, "--json")
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        assert done.returncode == 1
        assert list((place.folder / "tmp").iterdir()) == []
    assert {Path(f["key"]).name: f["state"] for f in answer["files"]} == {
        "good.jsonl": "LOADED",
        "bad.jsonl.gz": "FAILED",
    }
    assert "truncated_gzip" in answer["troubles"][0]
    assert answer["queries"][0]["rows"] == [[1]]


def test_on_a_machine_on_which_no_run_can_work_the_demo_ends_with_the_reason(
    own_place: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    link_programs(tmp_path / "bin", re.compile("^chmod$"))  # Hadoop calls it for each file
    done = gluebook(
        {**own_place, "PATH": str(tmp_path / "bin")}, "demo", "--tickets", "5", "--log-lines", "20"
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "self-check, before any file was touched: writing rows" in said
    assert 'Cannot run program "chmod"' in said
    # No file is to blame.
    assert "file versions are still PENDING" in said and "FAILED:" not in said
    assert left_behind(own_place) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("try", "no-such-file", "--dataset", "app_logs", "--source", "mongod"),
            "no such file: no-such-file",
        ),
        (("try", __file__, "--dataset", "weblogs", "--source", "mongod"), "unknown_dataset: 'weblogs'"),
        (("try", __file__, "--dataset", "app_logs", "--source", "nginx"), "unknown_source: 'nginx'"),
        (("try", __file__, "--dataset", "app_logs"), "Missing option"),
        (("export", "no-such.ipynb"), "there is no notebook"),
        (("status",), "no laptop AWS is up"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_exits_with_an_error(
    own_place: dict[str, str], words: tuple[str, ...], says: str
) -> None:
    done = gluebook(own_place, *words)
    assert done.returncode in (1, 2)
    assert says in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_a_laptop_stays_up_for_other_commands_and_ctrl_c_leaves_nothing(
    own_place: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "one.jsonl"
    path.write_bytes(log_line(1))
    with running(deaf([*GLUEBOOK, "up"]), own_place) as up:
        assert up.stdout is not None
        while "Ctrl-C stops it" not in (line := up.stdout.readline()):
            assert line, "gluebook up ended before it was up"
        sent = gluebook(
            own_place, "upload", str(path), "--dataset", "app_logs", "--source", "mongod", "--json"
        )
        assert sent.returncode == 0, sent.stderr
        assert json.loads(sent.stdout)["keys"][0].endswith("/one.jsonl")
        asked = gluebook(own_place, "query", "select 1 as one", "--json")
        assert json.loads(asked.stdout)["rows"] == [[1]]
        told = gluebook(own_place, "status", "--json")
        assert told.returncode == 0, told.stderr
        notebook = Path(__file__).parents[2] / "notebooks" / "jobs" / "app_logs.ipynb"
        copied = gluebook(own_place, "studio", str(notebook), "-o", str(tmp_path / "studio" / "copy.ipynb"))
        assert copied.returncode == 0, copied.stderr
        cells = json.loads((tmp_path / "studio" / "copy.ipynb").read_text())["cells"]
        role = "%iam_role arn:aws:iam::123456789012:role/gluebook-job-app-logs\n"
        assert any(role in cell["source"] for cell in cells)
        family = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    _gone, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert left_behind(own_place) == []
    assert gluebook(own_place, "status").returncode == 2
