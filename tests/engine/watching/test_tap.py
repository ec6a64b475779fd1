import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mlspec.engine.files import read_json
from mlspec.engine.watching.tally import Tally
from mlspec.engine.watching.tap import Tap
from mlspec.sdk.monitor import Observer

BATCH = pa.RecordBatch.from_pydict({"x": [1.0, 2.0]})


class Together:
    """Puts rows together without looking at them."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows.extend(rows)

    def batch(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([dict(row) for row in self.rows], schema=BATCH.schema)


class Notes(Observer):
    """Remembers what it was told; waits or fails where it is asked to."""

    def __init__(self, gate: threading.Event | None = None, fails: bool = False) -> None:
        self.rows, self.flushes, self.gate, self.fails = 0, 0, gate, fails

    def observe(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
        if self.gate is not None:
            self.gate.wait(10)
        if self.fails:
            raise RuntimeError("no disk")
        assert rows.num_rows == answers.num_rows
        self.rows += rows.num_rows

    def flush(self) -> None:
        self.flushes += 1


def test_everything_put_is_observed_before_it_closes(tmp_path: Path) -> None:
    notes = Notes()
    with Tap(notes, tmp_path, Together, pause=0.01) as tap:
        for _ in range(500):
            tap.put(BATCH, BATCH)
    assert notes.rows == tap.seen == 1000 and tap.dropped == 0 and notes.flushes >= 1
    assert not list(tmp_path.iterdir())


def test_rows_as_they_came_are_read_later_and_stay_beside_their_answers(tmp_path: Path) -> None:
    seen: list[tuple[list[float], list[float]]] = []

    class Pairs(Observer):
        def observe(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
            seen.append((rows.column("x").to_pylist(), answers.column("y").to_pylist()))

        def flush(self) -> None:
            pass

    def answers(*values: float) -> pa.RecordBatch:
        return pa.RecordBatch.from_pydict({"y": list(values)})

    tap = Tap(Pairs(), tmp_path, Together)
    tap.put([{"x": 3.0}], answers(-3.0))
    tap.put(BATCH, answers(-1.0, -2.0))
    tap.put([{"x": 5.0}, {"x": None}], answers(-5.0, 0.0))
    tap.close()
    ((rows, told),) = seen
    assert sorted(told) == [-5.0, -3.0, -2.0, -1.0, 0.0] and tap.seen == 5
    assert [-(row or 0.0) for row in rows] == told


def test_what_does_not_fit_is_dropped_counted_and_told(tmp_path: Path) -> None:
    gate, said = threading.Event(), list[str]()
    tap = Tap(Notes(gate), tmp_path, Together, say=said.append, capacity=3, pause=0.01)
    with tap:
        for _ in range(100):
            tap.put(BATCH, BATCH)  # never blocks, though the observer stands still
        gate.set()
    assert tap.seen + tap.dropped == 200 and tap.dropped >= 100
    assert any("dropped" in line for line in said)
    (file,) = tmp_path.glob("tap-*.json")
    assert read_json(file) == {"dropped": tap.dropped}


def test_an_observer_that_fails_is_told_and_ends_nothing(tmp_path: Path) -> None:
    said = list[str]()
    with Tap(Notes(fails=True), tmp_path, Together, say=said.append, pause=0.01) as tap:
        tap.put(BATCH, BATCH)
    assert tap.dropped == 2 and tap.seen == 0
    assert any("no disk" in line for line in said)


def test_what_was_seen_is_written_while_it_runs(tmp_path: Path) -> None:
    written = threading.Event()

    class Writing(Notes):
        def flush(self) -> None:
            written.set()

    with Tap(Writing(), tmp_path, Together, every=0.02, pause=0.01) as tap:
        tap.put(BATCH, BATCH)
        assert written.wait(10)


def test_it_can_be_closed_without_having_begun(tmp_path: Path) -> None:
    notes = Notes()
    tap = Tap(notes, tmp_path, Together)
    tap.put(BATCH, BATCH)
    tap.close()
    assert notes.rows == 2


@pytest.mark.parametrize("threads", [1, 4])
def test_many_threads_may_put(tmp_path: Path, threads: int) -> None:
    notes = Notes()
    with Tap(notes, tmp_path, Together, pause=0.01) as tap:
        workers = [
            threading.Thread(target=lambda: [tap.put(BATCH, BATCH) for _ in range(200)])
            for _ in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert notes.rows + tap.dropped == 400 * threads and tap.dropped == 0


def test_rows_that_a_killed_service_took_and_wrote_nowhere_are_counted(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import time
        from pathlib import Path
        from tests.engine.watching.test_tap import BATCH, Notes, Together
        from mlspec.engine.watching.tap import Tap

        tap = Tap(Notes(), Path({str(tmp_path)!r}), Together, every=1e9, pause=0.01)
        tap.start()
        for _ in range(30):
            tap.put(BATCH, BATCH)
        while tap.seen < 60:
            time.sleep(0.01)
        print("taken", flush=True)
        time.sleep(600)
        """
    )
    root = Path(__file__).resolve().parents[3]
    service = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert service.stdout is not None and service.stdout.readline() == "taken\n"
    service.kill()
    service.wait()
    assert Tally.lost(tmp_path) == 60 and Tally.dropped(tmp_path) == 0


def test_rows_that_were_written_are_not_lost(tmp_path: Path) -> None:
    flushed = threading.Event()

    class Writing(Notes):
        def flush(self) -> None:
            if self.rows:
                flushed.set()

    with Tap(Writing(), tmp_path, Together, every=0.02, pause=0.01) as tap:
        tap.put(BATCH, BATCH)
        assert flushed.wait(10)
    assert Tally.lost(tmp_path) == 0 and not list(tmp_path.glob("*.rows"))


def test_a_count_that_is_no_count_is_none(tmp_path: Path) -> None:
    (tmp_path / "tap-1.rows").write_bytes(b"\xff half")
    (tmp_path / "tap-2.json").write_bytes(b'{"dropped": "many"}')
    Tally(tmp_path / "tap-3.rows").note(taken=7, kept=2)
    assert Tally.lost(tmp_path) == 5 and Tally.dropped(tmp_path) == 0


def test_a_queue_that_fills_is_looked_into_before_its_time(tmp_path: Path) -> None:
    looked = threading.Event()

    class Looking(Notes):
        def observe(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
            super().observe(rows, answers)
            looked.set()

    notes = Looking()
    with Tap(notes, tmp_path, Together, capacity=400, pause=600.0) as tap:
        for _ in range(101):
            tap.put(BATCH, BATCH)
        assert looked.wait(10)
    assert notes.rows == 202 and tap.dropped == 0
