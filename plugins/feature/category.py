"""One of several values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.contract import Tensor
from mlspec.sdk.feature import Block, Feature, FittedColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlspec.engine.builder import Builder


class Category(Feature):
    """A code for each value: 0 unknown or seldom in training, 1 null, 2 and up the values by frequency."""

    tensor: ClassVar[Tensor] = "string"
    as_query: ClassVar[bool] = True

    min_count: int = Field(default=1, ge=1)
    """Training rows that a value needs for a code of its own."""
    max_size: int = Field(default=1000, ge=1, le=10_000_000)
    """Most values with a code of their own; the most frequent ones get one."""

    def counts(self) -> bool:
        """Ask for the rows of each value."""
        return True

    def fit(self, aggregates: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
        """Return the values with a code, and how else they were spelt."""
        from mlspec.engine.graph.blocks import merged, spellings

        known = [
            (value, seen) for value, (rows, seen) in merged(counts).items() if rows >= self.min_count
        ][: self.max_size]  # fmt: skip
        others = {
            spelling: place
            for place, (value, seen) in enumerate(known)
            for spelling in seen
            if spelling not in spellings(value)
        }
        return {"values": [value for value, _ in known], "spellings": others}

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one, one without seldom values and one of few values."""
        return cls.revive({}), cls.revive({"min_count": 5}), cls.revive({"max_size": 2})

    @classmethod
    def block(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Block:
        """Append one look-up a column."""
        from mlspec.engine.graph.blocks import FIRST, codes, columns_of, stack

        rows = []
        for column in columns:
            values = [*column.state["values"], *column.state["spellings"]]
            places = [*range(len(column.state["values"])), *column.state["spellings"].values()]
            rows.append(
                codes(builder, column.name, {v: FIRST + p for v, p in zip(values, places, strict=True)})
            )
        return Block(
            codes=columns_of(builder, [stack(builder, rows)]),
            code_names=tuple(column.name for column in columns),
            sizes=tuple(FIRST + len(column.state["values"]) for column in columns),
        )
