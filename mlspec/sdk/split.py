"""Which rows train, which choose, which judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import ibis


@dataclass(frozen=True)
class SplitColumns:
    """Names a split may need besides its own options."""

    target: str
    stratify: bool
    """True where the target has classes."""
    event_time: str | None
    key: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """In each group the rows whose text has the lowest MD5 hashes train, and the next ones choose."""

    group: str
    """A column: rows with the same value are a group, and so are those without one."""
    text: ibis.StringColumn
    """What is hashed, an expression over the table; rows of one hash keep the order of their places."""
    shares: tuple[float, float]
    """Of the rows of each group that train and that choose (fractions 0-1), to the row; the rest judges."""


class Split(Plugin):
    """A rule that puts each row into train, val or test."""

    slot: ClassVar[str] = "split"

    def reads(self) -> tuple[str, ...]:
        """Return the columns that this rule reads by name (checked against the data before any work)."""
        return ()

    def has_val(self) -> bool:
        """Return whether any row can go to val."""
        raise NotImplementedError

    def draw(self, table: ibis.Table, seed: int, columns: SplitColumns) -> Draw | None:
        """Return how rows are drawn, where it is in groups by their hashes; None where it is not.

        Rows that are here are drawn so without being sorted; in a server `assign` says the same.
        """
        return None

    def assign(self, table: ibis.Table, seed: int, columns: SplitColumns) -> ibis.Table:
        """Return the table with one more text column `mlspec_split`: train, val or test.

        The table has `mlspec_row`, the row's 0-based place in the source. The same rows and seed give the
        same split.
        """
        raise NotImplementedError
