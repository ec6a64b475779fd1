"""Whether files are still those that they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mlspec.engine.reading.files import files_of
from mlspec.engine.reading.places import name_of, root_of
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Source


@dataclass(frozen=True)
class Marks:
    """What the file system said of a source's files before they were read.

    A file that is rewritten while it is read may give some rows of its old content and some of the new.
    """

    source: Source
    context: Context
    files: Mapping[Path, tuple[int, int, int, int]]
    """Device, inode, bytes and nanoseconds of the last change, of each local file."""

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(size for _, _, size, _ in self.files.values())

    @classmethod
    def of(cls, source: Source, context: Context) -> Self:
        """Look at the files now; none for a source of other things, or of a URL.

        Raises:
            MissingError: there is no file.
        """
        return cls(source, context, _look(source, context))

    def check(self, files: Sequence[Path] | None = None) -> None:
        """Refuse what became another meanwhile.

        Args:
            files: Those that are looked at; all where absent.

        Raises:
            StepError: a file changed, came or went; it is named.
        """
        before = self.files if files is None else {file: self.files[file] for file in files}
        try:
            now = _look(self.source, self.context) if files is None else _marks(files)
        except (MissingError, OSError):
            now = {}
        for file in sorted({*before, *now}):
            if before.get(file) == now.get(file):
                continue
            word = "changed" if file in self.files and file in now else "came" if file in now else "went"
            assert isinstance(self.source, FileSource)
            name = name_of(file, self.context, root_of(self.source.path, self.context))
            raise StepError(
                f"'{name}' {word} while it was read"
                if word == "changed"
                else f"'{name}' {word} while the source was read",
                where="data.source.path",
                fix="run again when nobody writes there",
            )


def _look(source: Source, context: Context) -> dict[Path, tuple[int, int, int, int]]:
    if not isinstance(source, FileSource) or "://" in source.path:
        return {}
    return _marks(files_of(source, context))


def _marks(files: Sequence[Path]) -> dict[Path, tuple[int, int, int, int]]:
    found = {}
    for file in files:
        state = file.stat()
        found[file] = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    return found
