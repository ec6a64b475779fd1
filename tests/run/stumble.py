"""Ends a process, or takes its disk away, at the N-th change of a folder's files."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Where each event carries folders that its paths start at.
CHANGES = {
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.truncate": ((0, None),),
}


def kill(event: str, path: str) -> None:
    """End as `kill -9` does: just before the change; where a file is opened, just after it became empty."""
    if event == "open":
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(number: int) -> Callable[[str, str], None]:
    """Return what answers as the system does on a disk that is full (ENOSPC) or read-only (EROFS)."""

    def answer(event: str, path: str) -> None:
        # Renaming and removing need no room.
        if number == errno.ENOSPC and event not in ("open", "os.mkdir"):
            return
        raise OSError(number, os.strerror(number), path)

    return answer


class Stumble:
    """Counts the changes below a folder, and stumbles at one of them.

    Args:
        folder: What is watched.
        at: Number of the change, from 1; 0 only counts.
        how: Called with the event and its path.
        on: Stumble at every change from `at` on, as a full disk does.
    """

    def __init__(self, folder: Path, at: int, how: Callable[[str, str], None], on: bool = False) -> None:
        self.count = 0
        self._folder, self._at, self._how, self._on = str(folder) + os.sep, at, how, on
        self._busy = False

    def install(self) -> None:
        """Watch this process from here to its end: an audit hook cannot be taken away."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            path = self._changed(event, arguments)
            if path is None:
                return
            self.count += 1
            if self._at and (self.count == self._at or (self._on and self.count > self._at)):
                self._how(event, path)
        finally:
            self._busy = False

    def _changed(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, str | bytes | os.PathLike) or not (flags or 0) & WRITE:
                return None
            return self._below(path, None)
        for place, start in CHANGES.get(event, ()):
            found = self._below(arguments[place], None if start is None else arguments[start])
            if found is not None:
                return found
        return None

    def _below(self, path: Any, start: int | None) -> str | None:
        if isinstance(path, int):
            return None
        whole = os.fsdecode(path)
        if start is not None and start >= 0 and not os.path.isabs(whole):
            whole = os.path.join(os.readlink(f"/proc/self/fd/{start}"), whole)
        whole = os.path.abspath(whole)
        return whole if whole.startswith(self._folder) else None
