"""`{kind: one_of, column: ..., values: [...]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, field_validator

from mlspec.sdk.fields import Column
from mlspec.sdk.rule import Rule, Verdict

if TYPE_CHECKING:
    import ibis


class OneOf(Rule):
    """A column with a closed list of values; nulls are not looked at."""

    column: Column
    """The column."""
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """The legal values, compared as text; whole numbers and true or false may stand without quotes."""

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        words = {True: "true", False: "false"}
        return tuple(
            words[item] if isinstance(item, bool) else str(item) if isinstance(item, int) else item
            for item in value
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="one_of", column="text", values=("a", "b")),)

    def reads(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    @property
    def id(self) -> str:
        """Name in reports."""
        return self.name or f"one_of({self.column})"

    def _broken(self, table: ibis.Table) -> ibis.BooleanValue:
        from mlspec.engine.reading.outside import outside

        column = table[self.column]
        if column.type().is_floating():
            whole = (column == column.round()).ifelse(
                column.round().cast("int64").cast("string"), column.cast("string")
            )
            return outside(whole, self.values)
        return outside(column.cast("string"), self.values)

    def aggregates(self, table: ibis.Table) -> Mapping[str, ibis.Scalar]:
        """Ask for the rows with another value."""
        return {"rows": table[self.column].count(), "failing": self._broken(table).sum()}

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """Judge the share of rows with another value."""
        from mlspec.engine.checking.judge import judge

        return judge(self, values["rows"], values["failing"] or 0, "hold another value")

    def failing(self, table: ibis.Table) -> ibis.Table:
        """Return rows with another value."""
        return table.filter(self._broken(table))
