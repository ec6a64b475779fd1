"""How many answered rows a service took to watch, and how many are in a profile: survives `kill -9`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from mlspec.engine.files import read_json


class Tally:
    """Two counts in one small file of one process, written over in place.

    It is not flushed to disk: what a killed process wrote, the system keeps, and a lost machine loses more
    than the count.

    Args:
        file: Made with the first count.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Tally(Path(folder) / "tap-1.rows").note(taken=120, kept=100)
        ...     Tally.lost(Path(folder))
        20
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: BinaryIO | None = None

    def note(self, taken: int, kept: int) -> None:
        """Write that of `taken` rows `kept` are told elsewhere: in a profile, or counted as dropped."""
        if self._open is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._file.open("wb", buffering=0)
        # One write of a fixed length, so that a reader never meets half of a count.
        os.pwrite(self._open.fileno(), f"{taken:020d} {kept:020d}\n".encode(), 0)

    def close(self, remove: bool) -> None:
        """End counting; the file goes where nothing is missing."""
        if self._open is not None:
            self._open.close()
        if remove:
            self._file.unlink(missing_ok=True)

    @staticmethod
    def lost(folder: Path) -> int:
        """Return how many rows all processes of a folder took that no profile holds, or not yet."""
        return sum(_missing(file) for file in folder.glob("tap-*.rows"))

    @staticmethod
    def dropped(folder: Path) -> int:
        """Return how many rows came too fast to be watched, over all processes of a folder."""
        return sum(_dropped(file) for file in folder.glob("tap-*.json"))


def _missing(file: Path) -> int:
    try:
        taken, kept = (int(word) for word in file.read_text("ascii").split())
    except (OSError, ValueError):
        return 0
    return max(0, taken - kept)


def _dropped(file: Path) -> int:
    try:
        count = read_json(file)["dropped"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return count if isinstance(count, int) and count > 0 else 0
