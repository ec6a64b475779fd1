"""`{kind: in_range, column: ..., low: ..., high: ...}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from mlspec.sdk.fields import Column
from mlspec.sdk.rule import Rule, Verdict

if TYPE_CHECKING:
    import ibis


class InRange(Rule):
    """A column of numbers that stays between two limits; nulls are not looked at."""

    column: Column
    """The column."""
    low: float | None = None
    """Smallest legal number."""
    high: float | None = None
    """Largest legal number."""

    @model_validator(mode="after")
    def _some_range(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("expected low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} lies above high {self.high:g}")
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="in_range", column="number", low=0, high=5),
            cls(kind="in_range", column="number", low=0, at_least=0.5),
        )

    def reads(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    @property
    def id(self) -> str:
        """Name in reports."""
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return self.name or f"in_range({self.column}, {low}..{high})"

    def _broken(self, table: ibis.Table) -> ibis.BooleanValue:
        from mlspec.engine.double import double
        from mlspec.engine.reading.number_column import number_column

        number, broken = number_column(table, self.column, self.id), None
        if self.low is not None:
            broken = number < double(self.low)
        if self.high is not None:
            above = number > double(self.high)
            broken = above if broken is None else broken | above
        return broken

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Ask for the rows beyond the limits."""
        return {"rows": table[self.column].count(), "failing": self._broken(table).sum()}

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the share of rows beyond the limits."""
        from mlspec.engine.checking.judge import judge

        return judge(self, values["rows"], values["failing"] or 0, "lie outside")

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return rows beyond the limits."""
        return table.filter(self._broken(table))
