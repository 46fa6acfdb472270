"""The frame of commands with stages: each stage's seconds count, whatever ends it."""

from __future__ import annotations

import pytest

from gluebook.cli.screens.progress import Stopwatch, stages
from gluebook.core.states import NEEDS_ATTENTION, SETTLED, BatchState, FileState


def test_the_seconds_of_a_stage_that_comes_twice_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 1.0, 3.0, 3.0, 7.0])
    monkeypatch.setattr("gluebook.cli.screens.progress.time.monotonic", lambda: next(moments))
    clock = Stopwatch()
    for stage in ("curate", "load", "curate"):
        clock.begin(stage)
    clock.end()
    clock.end()
    assert clock.seconds == {"curate": 5.0, "load": 2.0}


def test_the_last_stage_ends_with_the_command_also_when_that_fails() -> None:
    with pytest.raises(ValueError, match="broken"), stages() as staged:
        staged.begin("deploy")
        raise ValueError("broken")
    assert list(staged.clock.seconds) == ["deploy"]


def test_nothing_is_shown_where_stderr_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with stages() as staged:
        staged.begin("upload")
        staged.progress.expect(3)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "Uploading" not in shown.err


def test_superseded_is_settled_without_needing_attention_and_a_division_is_neither() -> None:
    assert FileState.SUPERSEDED.value in SETTLED - NEEDS_ATTENTION
    assert not {BatchState.DIVIDING.value, FileState.PENDING.value} & SETTLED
