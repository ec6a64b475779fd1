"""A source whose rows lie in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import TYPE_CHECKING, ClassVar

from pydantic import field_validator

from mlspec.sdk.context import Context
from mlspec.sdk.fields import Path, check_no_credentials
from mlspec.sdk.source import Source, Unreadable

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa


class FileSource(Source):
    """Rows of one file, or of all files of a folder or a glob, in the order of their names."""

    suffixes: ClassVar[tuple[str, ...]]
    """Ends of the names of those files of a folder that are read, in small letters."""

    parsed: ClassVar[bool] = False
    """True where reading a file is work that is worth keeping: its rows are text."""

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
        return check_no_credentials(path)

    @property
    def keeps(self) -> str | None:
        """Return the folder of copies that `ingest` keeps of the files of a URL."""
        return "source" if "://" in self.path else None

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the file or the folder, or None for a glob or a URL."""
        if "://" in self.path or any(sign in self.path for sign in "*?["):
            return None
        return (self.path.rstrip("/") or "/",)

    def header(self, context: Context) -> pa.Schema:
        """Return the columns and their types from headers and footers only; text where a file has no types.

        Raises:
            MissingError: there is no file.
            StepError: a file cannot be read as this kind.
        """
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.columns(context)])

    def read_files(self, files: Sequence[File], context: Context, *, named: bool = True) -> ibis.Table | None:
        """Return the rows of some of this source's local files, in their order; None where this kind reads
        all files together or none.

        What columns there are is decided by all files, as in `read`; that they agree is looked at once, by
        `columns`, before.

        Args:
            files: Their paths.
            context: Where relative paths start.
            named: Whether a column `mlspec_file` holds the path of each row's file.
        """
        return None

    def numbered(self, context: Context) -> ibis.Table | None:
        """Return the rows of this source's local files with `mlspec_row`, each one's 0-based place, for
        questions that read the files anew; None where that is more work than to read them once.

        Args:
            context: Where relative paths start.
        """
        return None

    def rows_of(self, file: File) -> int | None:
        """Return how many rows a local file has, as it says itself; None where only reading it tells.

        Args:
            file: Its path.

        Raises:
            StepError: it is damaged.
        """
        return None

    def nulls_told(self, context: Context) -> Mapping[str, int]:
        """Return how many nulls the columns of this source's local files hold, as the files say themselves;
        NaN is none. A column of which a file says nothing is absent.

        Args:
            context: Where relative paths start.

        Raises:
            StepError: a file is damaged.
        """
        return {}

    def unreadable_by_file(self, table: ibis.Table) -> Mapping[File, tuple[Unreadable, ...]]:
        """Return `unreadable()` of each file apart; a file of which nothing was lost may be absent."""
        return {}
