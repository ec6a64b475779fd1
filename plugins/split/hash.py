"""`split: {kind: hash, columns: [...]}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from mlspec.sdk.fields import Column
from mlspec.sdk.split import Split, SplitColumns

if TYPE_CHECKING:
    import ibis


class Hash(Split):
    """Put rows into splits by a hash of the seed and some columns: rows that share these values share a
    split.

    Added rows move no others; the shares hold for groups, and for rows only where groups are many and small.
    """

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    """The columns that name a group, such as a customer; nulls are a group of their own."""
    train: float = Field(default=0.7, gt=0, lt=1)
    """Share of groups (fraction 0-1) that train."""
    val: float = Field(default=0.1, ge=0, lt=1)
    """Share of groups (fraction 0-1) that choose. 0 is legal."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of groups (fraction 0-1) that judge."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError(
                f"train, val and test must sum to 1, and are {self.train + self.val + self.test:.6g}"
            )
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="hash", columns=("group",)),
            cls(kind="hash", columns=("group", "target"), train=0.5, val=0, test=0.5),
        )

    def reads(self) -> tuple[str, ...]:
        """Return the columns that name a group."""
        return self.columns

    def has_val(self) -> bool:
        """Return whether val has a share."""
        return self.val > 0

    def assign(self, table: ibis.Table, seed: int, columns: SplitColumns) -> ibis.Table:
        """Return the table with `mlspec_split`."""
        import ibis

        from mlspec.engine.preparing.shares import by_hash

        text = ibis.literal(f"{seed}:")
        for name in self.columns:
            # A value's length stands before it, so that ("a", "bc") is not ("ab", "c"); null has none.
            value = table[name].cast("string")
            text = (
                text
                + (value.length().cast("string") + ibis.literal(":") + value).fill_null("null")
                + ibis.literal(";")
            )
        return table.mutate(mlspec_split=by_hash(text, (self.train, self.val)))
