"""What was made of single files of the data, kept for the next run: scratch, and never an output."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ABOUT = "about.json"
SHARE, MOST = 0.5, 64 * 2**30
"""Part of the disk that is free (fraction 0-1), and bytes, that all of it may take."""


@dataclass(frozen=True)
class Part:
    """What was kept under a key."""

    folder: Path
    """Its files, as they were written."""
    about: Mapping[str, Any]
    """What was told of them."""


@dataclass(frozen=True)
class Parts:
    """A folder of parts, each under the hash of all that it was made of.

    A part is believed where its files are, byte for byte, those that were written under its key; each comes
    into its place by one rename. Several processes may work here: both would write the same.
    """

    folder: Path

    def find(self, key: str) -> Part | None:
        """Return a whole part, or None; what is damaged or of another key is removed."""
        place = self.folder / key
        try:
            told = json.loads((place / ABOUT).read_bytes())
            seal, content = told["seal"], told["content"]
            whole = (
                seal == key_of(content)
                and content["key"] == key
                and {file.name: _digest(file) for file in place.iterdir() if file.name != ABOUT}
                == content["files"]
            )
        except (OSError, ValueError, LookupError, TypeError):
            whole = False
        if not whole:
            shutil.rmtree(place, ignore_errors=True)
            return None
        os.utime(place)
        return Part(place, content["about"])

    def put(self, key: str, fill: Callable[[Path], Mapping[str, Any]]) -> Part:
        """Keep a part, and return it.

        Args:
            key: A hash of all that it is made of.
            fill: Writes its files into an empty folder, and returns what is to be told of them.
        """
        made = self.folder / f".{key}.{os.getpid()}"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        try:
            about = dict(fill(made))
            files = {file.name: _digest(file) for file in made.iterdir()}
            content = {"key": key, "files": files, "about": about}
            # Not flushed to disk: what a crash leaves of it is not believed.
            (made / ABOUT).write_text(json.dumps({"seal": key_of(content), "content": content}))
            place = self.folder / key
            try:
                made.rename(place)
            except OSError:
                if self.find(key) is None:  # what lies there is not what another process just wrote
                    made.rename(place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return Part(self.folder / key, about)

    def tidy(self, used: Collection[str]) -> None:
        """Remove what killed processes left half written; and parts that were not used for the longest time,
        until the others take no more than they may.

        Args:
            used: Keys of this work; they go last.
        """
        if not self.folder.is_dir():
            return
        whole = []
        for place in self.folder.iterdir():
            if not place.name.startswith("."):
                whole.append((place.name in used, place.stat().st_mtime, _size(place), place))
            elif not _alive(place.suffix[1:]):
                shutil.rmtree(place, ignore_errors=True)
        total = sum(size for _, _, size, _ in whole)
        most = min(MOST, int((shutil.disk_usage(self.folder).free + total) * SHARE))
        for _, _, size, place in sorted(whole):
            if total <= most:
                return
            shutil.rmtree(place, ignore_errors=True)
            total -= size


def key_of(content: Any) -> str:
    """Return the key of what is made of some plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:40]


def _digest(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.iterdir())


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
