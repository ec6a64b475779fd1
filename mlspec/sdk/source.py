"""Where rows come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.context import Context
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.pushdown.snapshot import Snapshot


@dataclass(frozen=True)
class Unreadable:
    """Rows that a source could not even take apart, for one reason."""

    reason: str
    """Why, such as `too many columns`."""
    rows: int
    examples: tuple[str, ...]
    """A few of them, each with its place: `line 12: 4,5`."""


@dataclass(frozen=True)
class Extent:
    """How much there is to read, as far as it can be told without reading it."""

    rows: int | None
    """None where nothing but the rows themselves could tell."""
    bytes: int
    """What all rows take, uncompressed, about."""
    lines: int | None = None
    """Lines of text, about; None where rows are no lines."""


class Source(Plugin):
    """One way to reach a table."""

    slot: ClassVar[str] = "source"
    text: ClassVar[bool] = False
    """True where every column comes as text whose kind the spec gives (CSV)."""

    @property
    def keeps(self) -> str | None:
        """Return what `ingest` keeps of this source in its folder, for later steps to read, where rows may
        change between two readings (a database, a URL): `rows.parquet`, or `source` for a folder of files;
        None where the steps read the source itself.
        """
        return None

    @property
    def computes(self) -> bool:
        """Return whether statistics, rules, splits and the fitting of features are computed where the rows
        lie: then no rows are kept, and each step asks `snapshot` instead of reading them all.
        """
        return False

    def snapshot(self) -> Snapshot:
        """Open one moment of the rows of a source that `computes`; to be closed.

        Raises:
            MissingError: it is not within reach.
            StepError: it refuses what is asked, or cannot compute.
        """
        raise NotImplementedError

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the local files (relative to the workspace, or absolute) that DVC can watch; None where
        it cannot.

        An empty tuple: the parameters say it all (a bundled sample, a synthetic table).
        """
        raise NotImplementedError

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names in order, from a header or footer only; imports nothing heavy where
        it can.

        Raises:
            MissingError: there is nothing at the source's place.
            StepError: what is there cannot be read as this kind.
        """
        raise NotImplementedError

    def extent(self, context: Context) -> Extent | None:
        """Return how much there is to read, from footers and sizes of files only; None where nobody can tell.

        Raises:
            MissingError: there is nothing at the source's place.
        """
        return None

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, in the order of the source, as an expression."""
        raise NotImplementedError

    def head(self, context: Context, rows: int) -> ibis.Table:
        """Return rows of the beginning, at most so many."""
        return self.read(context).limit(rows)

    def some(self, context: Context, rows: int) -> ibis.Table:
        """Return some rows, at most so many: those that cost least, which may be others the next time."""
        return self.head(context, rows)

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return what identifies the content now: names, sizes in bytes and hashes; no times, no machine's
        paths.
        """
        raise NotImplementedError

    def taken(self, table: ibis.Table) -> dict[str, Any]:
        """Return the fingerprint of the very rows that a table of a source that `keeps` rows holds."""
        raise NotImplementedError

    def moved(self, then: Mapping[str, Any], context: Context) -> bool:
        """Return whether what later steps read of the source itself, and not of what `ingest` kept, is
        another than it was.

        Args:
            then: The fingerprint that `ingest` took.
            context: Where relative paths start.
        """
        return self.keeps is None and self.fingerprint(context) != then

    def unreadable(self, table: ibis.Table) -> tuple[Unreadable, ...]:
        """Return the rows that `read()` had to leave out, once all of the table was read; nothing is dropped
        silently.
        """
        return ()

    def look_again(self, context: Context) -> None:
        """Look for what a reader gave up on, which often tells neither file nor row; slow, for then only.

        Raises:
            StepError: it is found, with its file and row.
        """
