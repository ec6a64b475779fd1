"""A training that is looked at: the same result, a table that adds up, a trace that names its parts."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from mlspec.engine.training import fit as room
from mlspec.engine.training.clock import Clock
from mlspec.engine.training.fit import Trained
from mlspec.engine.training.lesson import Lesson
from tests.engine.training.test_fit import STEPS, Failing, bits, lesson, run

PARTS = {
    "starting", "reading rows", "forward and loss", "backward", "optimiser", "validation", "checkpoints",
    "the rest",
}  # fmt: skip


def seen(what: Lesson, folder: Path, **more: Any) -> tuple[Trained, dict[str, Any], list[str]]:
    said: list[str] = []
    trained = run(what, folder, logs=folder / "logs", profile=True, say=said.append, **more)
    return trained, json.loads((folder / "logs" / "profile.json").read_text()), said


def test_the_result_is_that_of_a_training_that_nobody_looks_at(tmp_path: Path) -> None:
    plain = run(lesson(accumulate=2, clip_norm=1.0), tmp_path / "plain")
    found, _, _ = seen(lesson(accumulate=2, clip_norm=1.0), tmp_path / "seen")
    assert bits(found) == bits(plain)
    assert found.history == plain.history


def test_every_part_is_counted_once_and_all_of_them_are_the_whole(tmp_path: Path) -> None:
    start = time.perf_counter()
    _, table, said = seen(lesson(save_every=0.0), tmp_path)
    took = time.perf_counter() - start
    parts = {one["part"]: one for one in table["parts"]}
    assert set(parts) == PARTS
    assert sum(one["share"] for one in table["parts"]) == pytest.approx(1.0)
    assert sum(one["seconds"] for one in table["parts"]) == pytest.approx(table["seconds"])
    assert table["seconds"] < took
    for part in ("forward and loss", "backward", "optimiser"):
        assert parts[part]["times"] == 3 * STEPS
    # An epoch is five chunks.
    assert (parts["checkpoints"]["times"], parts["validation"]["times"]) == (15, 3)
    assert said[0].endswith("a trace of some steps lies in logs/trace.json.gz")
    assert len(said) == 1 + len(PARTS) and said[1].endswith(table["parts"][0]["part"])


def test_time_is_counted_where_it_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = room.save_checkpoint

    def slowly(*given: Any) -> None:
        time.sleep(0.4)
        save(*given)

    monkeypatch.setattr(room, "save_checkpoint", slowly)
    _, table, _ = seen(lesson(epochs=1, rows=160, save_every=0.0), tmp_path)
    seconds = {one["part"]: one["seconds"] for one in table["parts"]}
    assert 0.8 <= seconds["checkpoints"] < 1.6


@pytest.mark.parametrize(("rows", "epochs", "steps"), [(600, 3, 48), (8, 1, 1), (200, 1, 25)])
def test_the_trace_holds_some_steps_with_the_parts_named(
    rows: int, epochs: int, steps: int, tmp_path: Path
) -> None:
    _, table, _ = seen(lesson(rows=rows, epochs=epochs), tmp_path)
    with gzip.open(tmp_path / "logs" / "trace.json.gz", "rt", encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    named = [event["name"] for event in events if event.get("cat") == "user_annotation"]
    assert named.count("backward") == steps
    calls = {one["operator"]: one["calls"] for one in table["operators"]}
    assert calls and not PARTS & set(calls)
    assert [one["cpu_ms"] for one in table["operators"]] == sorted(
        (one["cpu_ms"] for one in table["operators"]), reverse=True
    )


def test_a_training_that_fails_leaves_its_table(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="down"):
        seen(lesson(optimizer=Failing(at=20)), tmp_path)
    table = json.loads((tmp_path / "logs" / "profile.json").read_text())
    assert table["seconds"] > 0


def test_a_training_that_goes_on_is_looked_at_from_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="down"):
        run(lesson(optimizer=Failing(at=2 * STEPS + 5), save_every=0.0), tmp_path)
    _, table, _ = seen(lesson(save_every=0.0), tmp_path)
    times = {one["part"]: one["times"] for one in table["parts"]}
    assert times["backward"] == STEPS


def test_a_clock_counts_one_part_at_a_time() -> None:
    waited: list[int] = []
    clock = Clock(settle=lambda: waited.append(1))
    for part in ("a", "b", "b", "a"):
        clock.turn(part)
        time.sleep(0.01)
    clock.stop()
    clock.stop()
    assert clock.times == {"a": 2, "b": 1}
    assert clock.seconds["b"] == pytest.approx(0.02, abs=0.015)
    assert len(waited) == 3
