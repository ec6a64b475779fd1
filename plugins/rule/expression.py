"""`{kind: expression, expr: ...}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlspec.sdk.condition import Condition, columns_of
from mlspec.sdk.rule import Rule, Verdict

if TYPE_CHECKING:
    import ibis


class Expression(Rule):
    """An SQL condition on each row; where it gives null, as for nulls in it, the row is not looked at."""

    revision: ClassVar[int] = 2

    expr: Condition
    """The condition, such as `capital_gain >= 0 and age between 17 and 90`."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="expression", expr="number >= 0", where="text <> 'b'"),)

    def reads(self) -> tuple[str, ...]:
        """Return the columns of the condition."""
        return columns_of(self.expr)

    @property
    def id(self) -> str:
        """Name in reports."""
        return self.name or f"expression({self.expr})"

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Ask for the rows where the condition is false."""
        from mlspec.engine.reading.condition import condition

        holds = condition(table, self.expr)
        return {"rows": holds.count(), "obeying": holds.sum()}

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the share of rows where it is false."""
        from mlspec.engine.checking.judge import judge

        return judge(self, values["rows"], values["rows"] - (values["obeying"] or 0), "break it")

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return rows where it is false."""
        from mlspec.engine.reading.condition import condition

        return table.filter(~condition(table, self.expr))
