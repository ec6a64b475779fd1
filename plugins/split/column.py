"""`split: {kind: column, column: ...}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from mlspec.sdk.fields import Column as ColumnName
from mlspec.sdk.split import Split, SplitColumns

if TYPE_CHECKING:
    import ibis


class Column(Split):
    """Rows that say themselves where they belong: a column with the words train, val and test."""

    column: ColumnName
    """The column; it is no input of the model."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="column", column="part"),)

    def reads(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def has_val(self) -> bool:
        """Return true: a row may say val."""
        return True

    def assign(self, table: ibis.Table, seed: int, columns: SplitColumns) -> ibis.Table:
        """Return the table with `mlspec_split`.

        Raises:
            StepError: a row says something else, or nothing.
        """
        from mlspec.errors import StepError

        word = table[self.column].cast("string")
        wrong = (
            table.filter(word.isnull() | word.notin(["train", "val", "test"])).order_by("mlspec_row").limit(1)
        )
        found = wrong.select("mlspec_row", value=wrong[self.column].cast("string")).to_pyarrow().to_pylist()
        if found:
            value = "null" if found[0]["value"] is None else f"'{found[0]['value']}'"
            raise StepError(
                f"column '{self.column}' holds {value} in row {found[0]['mlspec_row']}",
                where="data.split.column",
                fix="its values must be train, val and test",
            )
        return table.mutate(mlspec_split=word)
