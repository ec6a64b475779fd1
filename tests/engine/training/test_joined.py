"""Processes that something else starts: what they tell in files, and what follows from it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlspec.engine.training import joined as room
from mlspec.engine.training.joined import joined
from mlspec.engine.training.order import FILE, FOLLOWER, told_file
from mlspec.errors import MissingError, StepError, Terminated
from mlspec.sdk.context import Context
from mlspec.sdk.launcher import Work

FAULT = {"sort": "StepError", "what": "the disk is gone", "where": None, "fix": None, "at": 1.0}
MISSED = {"sort": "StepError", "what": "connection reset", "where": None, "fix": None, "at": 2.0}


@dataclass
class Fake:
    """What starts nothing; the test plays the processes."""

    log: Path
    status: int | None = None
    name: str = "torchrun"
    ended: int = 0
    seen: frozenset[int] = frozenset()

    def poll(self) -> int | None:
        return self.status

    def gone(self) -> frozenset[int]:
        return self.seen

    def end(self) -> None:
        self.ended += 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PACE": 0.01, "BEAT": 0.02, "GRACE": 0.2, "ANSWER": 0.4, "LEAVING": 0.1}.items():
        monkeypatch.setattr(room, name, value)


def train(folder: Path, *tells: list[dict[str, Any]], log: str = "", **options: Any) -> list[str]:
    """Train with processes that tell some lines; return what the user was told."""
    said: list[str] = []
    context = Context(workspace=folder, name="two", step="train", logs=folder / "logs", say=said.append)
    (folder / "logs").mkdir()
    (folder / "logs" / "torchrun.txt").write_text(log)
    work = Work({"seed": 1}, {"prepare": folder / "prepare"}, folder / "output", context, 2)
    log_file = folder / "logs" / "torchrun.txt"
    fake = Fake(log_file, options.pop("status", None), seen=options.pop("seen", frozenset()))

    def start(order: Path) -> Fake:
        # On another machine the workspace may have another name.
        assert json.loads((order / FILE).read_text())["inputs"] == {"prepare": "prepare"}
        for rank, lines in enumerate(tells):
            text = "".join(json.dumps(line) + "\n" for line in lines)
            told_file(order, rank).write_text(text)
        return fake

    try:
        joined(work, start, **options)
        return said
    finally:
        assert fake.ended == 1
        assert list((folder / ".mlspec" / "orders").iterdir()) == []


def test_it_returns_when_all_are_done(tmp_path: Path) -> None:
    said = train(tmp_path, [{"here": "a"}, {"say": "resumed"}, {"done": True}], [{"done": True}])
    assert said == ["resumed"]


def test_the_first_fault_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"the disk is gone \(process 1 of 2, counted from 0\)"):
        train(tmp_path, [{"here": "a"}, {"fault": MISSED}], [{"here": "b"}, {"fault": FAULT}])


def test_a_process_that_says_nothing_more_comes_before_those_that_missed_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(StepError, match=r"process 1 of 2 .* ended without a word"):
        train(tmp_path, [{"here": "a"}, {"fault": MISSED}], [{"here": "b"}])


def test_of_those_that_say_nothing_the_one_whose_end_was_seen_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"process 1 of 2 .* ended without a word"):
        train(tmp_path, [{"here": "a"}], [{"here": "b"}], status=1, seen=frozenset({1}))


def test_what_was_ended_for_another_that_failed_before_it_could_say_so_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"the disk is gone \(process 1 of 2, counted from 0\)"):
        train(tmp_path, [{"here": "a"}], [{"here": "b"}, {"fault": FAULT}], status=1, seen=frozenset({1}))


def test_a_process_that_was_asked_to_end_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(Terminated):
        train(
            tmp_path, [{"here": "a"}, {"stopped": "Terminated"}], [{"here": "b"}, {"stopped": "Terminated"}]
        )


def test_machines_that_do_not_come_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="1 of 2 processes came within 0 seconds") as told:
        train(tmp_path, [{"here": "a"}], wait=0.1)
    assert "other machines" in str(told.value.fix)


def test_what_could_not_start_them_is_told_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(
        StepError, match=r"torchrun ended with status 3 when 0 of 2 .*: the port is taken"
    ) as told:
        train(tmp_path, status=3, log="the port is taken\n")
    assert told.value.fix == "what it printed lies in logs/torchrun.txt"


def test_signs_of_life_are_given_and_the_end_is_told(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def look() -> None:
        file = tmp_path / ".mlspec" / "orders" / "two.train" / FOLLOWER
        until = time.monotonic() + 5
        while time.monotonic() < until and (not seen or seen[-1]["word"] != "end"):
            if file.is_file():
                seen.append(json.loads(file.read_text()))

    looks = threading.Thread(target=look)
    looks.start()
    with pytest.raises(MissingError):
        train(tmp_path, wait=0.1)
    looks.join(5)
    assert seen[-1]["word"] == "end"
    assert len({one["beat"] for one in seen}) > 3 and len({one["order"] for one in seen}) == 1
