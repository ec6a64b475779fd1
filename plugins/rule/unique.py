"""`{kind: unique, columns: [...]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from mlspec.sdk.fields import Column
from mlspec.sdk.rule import Rule, Verdict

if TYPE_CHECKING:
    import ibis


class Unique(Rule):
    """Columns that together tell rows apart; two nulls count as equal."""

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    """The columns; a row that repeats an earlier one in all of them breaks the rule."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="unique", columns=("number", "text")),)

    def reads(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.columns

    @property
    def id(self) -> str:
        """Name in reports."""
        return self.name or f"unique({', '.join(self.columns)})"

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Ask for the different rows."""
        from mlspec.engine.checking.different import different

        return {"rows": table.count(), "different": different(table, self.columns)}

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the share of rows that repeat another."""
        from mlspec.engine.checking.judge import judge

        return judge(self, values["rows"], values["rows"] - values["different"], "repeat an earlier one")

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return rows that repeat an earlier one."""
        import ibis

        window = ibis.window(group_by=[table[name] for name in self.columns], order_by=table.mlspec_row)
        return (
            table.mutate(mlspec_repeat=ibis.row_number().over(window))
            .filter(ibis._.mlspec_repeat > 0)
            .drop("mlspec_repeat")
        )
