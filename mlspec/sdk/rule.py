"""What must hold of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from mlspec.sdk.condition import Condition, columns_of
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import ibis


@dataclass(frozen=True)
class Verdict:
    """What a rule found."""

    passed: bool
    rows: int
    """Rows the rule looked at (after `where`)."""
    failing: int
    """Rows that break it."""
    text: str
    """One sentence with the counts."""


class Rule(Plugin):
    """One expectation on the data, counted by an aggregate that runs where the data lies."""

    slot: ClassVar[str] = "rule"

    name: str | None = None
    """Name in reports and diffs; derived from the rule where absent."""
    where: Condition | None = None
    """SQL condition: only these rows are looked at."""
    at_least: float = Field(default=1.0, ge=0, le=1)
    """Share of rows (fraction 0-1) that must obey."""
    severity: Literal["error", "warn"] = "error"
    """An error ends the run; a warning is told."""

    def reads(self) -> tuple[str, ...]:
        """Return the columns that this rule reads by name (checked against the data before any work)."""
        return ()

    def mentions(self) -> tuple[str, ...]:
        """Return every column that this rule needs: `reads()` and those of `where`."""
        return tuple(dict.fromkeys((*self.reads(), *(columns_of(self.where) if self.where else ()))))

    @property
    def id(self) -> str:
        """Name in reports: `not_null(age)`, or the user's own."""
        raise NotImplementedError

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Return the aggregates that `verdict` needs, over rows already filtered by `where`."""
        raise NotImplementedError

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the aggregates' values."""
        raise NotImplementedError

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return the rows that break the rule, for examples."""
        raise NotImplementedError
