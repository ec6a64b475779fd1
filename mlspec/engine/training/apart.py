"""Work that hears no signal, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
PAUSE = 0.2
"""Seconds between two looks for a signal."""


def apart(work: Callable[[], Result]) -> Result:
    """Return what some work gives; a signal ends the wait for it at once.

    A library that fits in compiled code comes back to Python, where signals are heard, after minutes.
    Behind a signal its thread goes on until the process ends, and what it gives is dropped.

    Args:
        work: Done here where this is not the main thread, which alone hears signals.

    Raises:
        KeyboardInterrupt: a signal came. Else whatever the work raises.

    Example:
        >>> apart(lambda: 2 + 3)
        5
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    given: list[Result] = []
    fault: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as raised:  # noqa: BLE001 - it is raised again, where it is waited for
            fault.append(raised)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(PAUSE)
    if fault:
        raise fault[0]
    return given[0]
