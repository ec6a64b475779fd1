"""How far a run is: what is told of time left, and what a terminal shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from mlspec.cli._pace import Pace


def test_time_left_follows_the_pace_since_the_first_word() -> None:
    pace = Pace()
    assert pace.line(0, 1000, "rows", now=100.0) == "  0%  0 of 1,000 rows"
    assert pace.line(100, 1000, "rows", now=110.0) == " 10%  1 min 30 s left  100 of 1,000 rows  10/s"
    assert pace.line(1000, 1000, "rows", now=200.0) == "100%  1,000 of 1,000 rows  10/s"


def test_what_an_earlier_run_did_is_no_pace_of_this_one() -> None:
    pace = Pace()
    pace.line(900, 1000, "rows", now=50.0)
    assert pace.line(950, 1000, "rows", now=60.0) == " 95%  10 s left  950 of 1,000 rows  5/s"


def test_each_thing_that_is_counted_has_a_pace_of_its_own() -> None:
    pace = Pace()
    pace.line(0, 100, "rows", now=0.0)
    pace.line(100, 100, "rows", now=1.0)
    assert pace.line(10, 100, "rows", now=2.0) == " 10%  10 of 100 rows"
    assert pace.line(20, 100, "rows", now=4.0) == " 20%  16 s left  20 of 100 rows  5/s"
    assert pace.line(1, 4, "files", now=9.0) == " 25%  1 of 4 files"


def test_where_nobody_knows_the_whole_no_time_is_made_up() -> None:
    pace = Pace()
    assert pace.line(0, None, "fit", now=0.0) == "fit"
    assert pace.line(5000, None, "rows", now=1.0) == "5,000 rows"
    assert pace.line(7000, None, "rows", now=3.0) == "7,000 rows  1,000/s"
    assert pace.line(3, 0, "rows", now=1.0) == "3 rows"


def test_bytes_are_told_in_a_unit_that_can_be_read() -> None:
    pace = Pace()
    assert pace.line(0, 3e9, "bytes", now=0.0) == "  0%  0 B of 3.0 GB"
    assert pace.line(6e8, 3e9, "bytes", now=10.0) == " 20%  40 s left  600.0 MB of 3.0 GB  60.0 MB/s"


SCRIPT = """
import time
from mlspec.cli import _progress
from mlspec.plan.plan import Step
_progress.PATIENCE = 0.0
with _progress.Progress() as progress:
    progress.started(Step("train", "wine", {}), ())
    while progress._live is None:
        time.sleep(0.01)
    for done in range(21):
        progress.progressed(done, 40, "rows")
        time.sleep(0.05)
"""


def test_what_is_told_besides_the_count_does_not_begin_it_anew() -> None:
    pace = Pace()
    pace.line(100, 1000, "rows in 5 epochs, loss 0.7", now=10.0)
    told = pace.line(200, 1000, "rows in 5 epochs, loss 0.31", now=20.0)
    assert told == " 20%  1 min 20 s left  loss 0.31  200 of 1,000 rows in 5 epochs  10/s"


def test_a_terminal_shows_the_share_and_the_time_left() -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "20"}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stderr=slave, stdin=slave, env=environment
    ) as child:
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(master)
    text = shown.decode()
    assert child.returncode == 0, text
    assert "train" in text and "of 40 rows" in text and " s left" in text
