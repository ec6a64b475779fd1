"""A source whose rows lie in files."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_validator

from mlspec.sdk.fields import Path
from mlspec.sdk.source import Source


class FileSource(Source):
    """Rows of one file, or of all files of a folder or a glob, in the order of their names."""

    suffixes: ClassVar[tuple[str, ...]]
    """Ends of the names of those files of a folder that are read, in small letters."""

    path: Path
    """A file, a glob, or a folder, here or behind a URL (`s3://bucket/rows`). In a folder every file of this
    kind is read, at any depth, but for names that begin with `.` or `_`. Relative paths start at the spec's
    folder. All files must have the same columns."""
    hive: bool | None = None
    """Whether folders below the path that are named like `year=2024` are columns: text, until the spec gives
    them a kind. Where there are such folders it must be said."""

    @field_validator("path")
    @classmethod
    def _without_credentials(cls, path: str) -> str:
        place = path.partition("://")[2]
        if "@" in place.partition("/")[0] or "::" in path:
            raise ValueError("expected a URL without credentials: they come from the environment")
        return path

    @property
    def keeps(self) -> str | None:
        """Return the folder of copies that `ingest` keeps of the files of a URL."""
        return "source" if "://" in self.path else None

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the file or the folder, or None for a glob or a URL."""
        if "://" in self.path or any(sign in self.path for sign in "*?["):
            return None
        return (self.path.rstrip("/") or "/",)
