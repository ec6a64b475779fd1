"""`{kind: not_null, columns: [...]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from mlspec.sdk.fields import Column
from mlspec.sdk.rule import Rule, Verdict

if TYPE_CHECKING:
    import ibis


class NotNull(Rule):
    """Columns that must hold a value."""

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    """The columns; a row with a null in any of them breaks the rule."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="not_null", columns=("number", "text")),)

    def reads(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.columns

    @property
    def id(self) -> str:
        """Name in reports."""
        return self.name or f"not_null({', '.join(self.columns)})"

    def _broken(self, table: ibis.Table) -> ibis.BooleanValue:
        import functools
        import operator

        return functools.reduce(operator.or_, (table[name].isnull() for name in self.columns))

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Ask for the rows with a null."""
        from mlspec.engine.checking.nulls import nulls

        one = len(self.columns) == 1
        failing = nulls(table, self.columns[0]) if one else self._broken(table).sum()
        return {"rows": table.count(), "failing": failing}

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the share of rows with a null."""
        from mlspec.engine.checking.judge import judge

        return judge(self, values["rows"], values["failing"] or 0, "hold a null")

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return rows with a null."""
        return table.filter(self._broken(table))
