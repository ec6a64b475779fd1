"""A look at some work while it goes on."""

from __future__ import annotations

import threading

import pytest

from mlspec.engine import beat as module
from mlspec.engine.beat import beat


def test_it_looks_until_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    seen, before = threading.Event(), threading.active_count()
    with beat(seen.set):
        assert seen.wait(10)
    assert threading.active_count() == before


def test_a_look_may_end_the_looking_and_a_fault_of_the_work_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    looks: list[int] = []
    looked = threading.Event()

    def look() -> bool:
        looks.append(1)
        looked.set()
        return False

    with pytest.raises(ZeroDivisionError), beat(look):
        assert looked.wait(10)
        threading.Event().wait(0.05)
        raise ZeroDivisionError
    assert looks == [1]
