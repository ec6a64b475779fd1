"""A fit in compiled code, and a signal that must not wait for it."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from mlspec.engine.training.apart import apart


def test_a_signal_does_not_wait_for_the_work() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    end = threading.Event()
    try:
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            apart(lambda: end.wait(60))
        assert time.monotonic() - began < 10
    finally:
        end.set()
        signal.signal(signal.SIGINT, before)


def test_what_it_gives_and_what_it_raises_come_back() -> None:
    assert apart(lambda: [1, 2]) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)
    found: list[bool] = []
    other = threading.Thread(
        target=lambda: found.append(apart(threading.current_thread) is threading.main_thread())
    )
    other.start()
    other.join()
    assert found == [False]
