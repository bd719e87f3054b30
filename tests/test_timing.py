"""Where the time went, and how far a run has come: what -v and the progress line say."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from losscli import timing
from losscli.cli import terminal
from losscli.readers.source import Consumed
from losscli.timing import phase, spent, timed
from tests.conftest import Outcome


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(timing, "_seconds", {})

    def passes(seconds: float) -> None:
        now[0] += seconds

    return passes


def test_a_phase_is_without_the_phases_within_it(clock: Callable[[float], None]) -> None:
    with phase("compute"):
        clock(1)
        with phase("sum"):
            clock(2)
            with phase("import"):
                clock(4)
        clock(8)
    assert spent() == {"import": 4.0, "sum": 2.0, "compute": 9.0}


def test_a_phase_that_fails_is_counted(clock: Callable[[float], None]) -> None:
    with pytest.raises(ValueError, match="wrong"), phase("compute"):
        clock(1)
        raise ValueError("wrong")
    with phase("sum"):
        clock(2)
    assert spent() == {"compute": 1.0, "sum": 2.0}


def test_the_making_of_items_is_counted_and_their_use_is_not(clock: Callable[[float], None]) -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            for item in range(3):
                clock(1)
                yield item
        finally:
            closed.append(True)

    with closing(timed("read", items())) as produced:
        assert next(produced) == 0
        clock(10)
        assert next(produced) == 1
    assert spent() == {"read": 2.0}
    assert closed == [True]


def test_verbose_says_where_the_time_went(losscli: Callable[..., Outcome]) -> None:
    Path("p.csv").write_text("pred,target\n" + "1,2\n" * 4)
    said = losscli("compute", "mae", "-v", "-f", "plain", "p.csv").err
    seconds = r"\d+\.\d\d s"
    assert re.search(
        rf"^4 rows in {seconds}, of which (import {seconds}, )?read {seconds}, wait for data {seconds}, "
        rf"compute {seconds}, sum {seconds}$",
        said,
        re.MULTILINE,
    )


def test_verbose_counts_the_rows_of_all_groups_once(losscli: Callable[..., Outcome]) -> None:
    Path("p.csv").write_text("pred,target,g\n" + "1,2,a\n" * 4 + "1,2,b\n" * 3)
    said = losscli("compute", "mae,mse", "--by", "g", "-v", "-f", "plain", "p.csv").err
    assert re.search(r"^7 rows in .* group \d", said, re.MULTILINE)


# --- progress ---------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def line(clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What stands on the progress line after a call, some seconds after the one before."""
    stream = Terminal()
    monkeypatch.setattr(terminal, "width", lambda: 100)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        talk = terminal.Talk()

    def after(seconds: float, rows: int, last_row: int, consumed: Consumed | None) -> str:
        clock(seconds)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stream)
            talk.progress(rows, last_row, consumed=lambda: consumed)
        return stream.getvalue().rpartition("\r\x1b[K")[2]

    return after


def test_a_short_run_shows_no_progress(line: Callable[..., str]) -> None:
    assert line(0.5, 10, 10, None) == ""


def test_progress_has_rows_bytes_rate_and_time_left(line: Callable[..., str]) -> None:
    # The reader is ahead of what has been computed.
    assert line(20, 1_000, 1_000, Consumed(4_000, 80_000, 1_000_000)) == "1,000 rows, 20 kB of 1 MB"
    assert line(2, 11_000, 11_000, Consumed(20_000, 400_000, 1_000_000)) == (
        "11,000 rows, 220 kB of 1 MB, 5 k rows/s, 8 s left"
    )
    assert line(0.1, 12_000, 12_000, Consumed(20_000, 400_000, 1_000_000)).startswith("11,000 rows")


def test_a_condition_leaves_the_time_right(line: Callable[..., str]) -> None:
    line(20, 60, 1_000, Consumed(1_000, 10, 100))
    assert line(60, 120, 2_000, Consumed(2_000, 20, 100)) == "120 rows, 20 B of 100 B, 1 rows/s, 8 min 0 s left"


def test_a_size_that_is_not_known_leaves_rows_and_rate(line: Callable[..., str]) -> None:
    line(2, 0, 0, None)
    assert line(1, 2_500_000, 2_500_000, None) == "2,500,000 rows, 2.5 M rows/s"
