"""One of two values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from mlspec.errors import StepError
from mlspec.sdk.contract import Tensor
from mlspec.sdk.feature import Block, Feature, FittedColumn

if TYPE_CHECKING:
    from mlspec.engine.builder import Builder


class Binary(Feature):
    """0 or 1, or training's share of ones where the value is missing or new; a second input tells gaps."""

    tensor: ClassVar[Tensor] = "string"
    as_query: ClassVar[bool] = True

    positive: str | None = Field(default=None, min_length=1)
    """The value that becomes 1; where absent the last in alphabetical order (`true`, `yes`, `1`)."""

    def counts(self) -> bool:
        """Ask for the rows of each value."""
        return True

    def fit(self, aggregates: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
        """Return the spellings of the two values, the share of ones, and whether the column had gaps.

        Raises:
            StepError: there are more than two values, or `positive` is none of them.
        """
        from mlspec.engine.graph.blocks import merged, spellings

        found = merged(counts)
        if len(found) > 2:
            some = ", ".join(f"'{value}'" for value in sorted(found)[:3])
            raise StepError(
                f"has {len(found)} values ({some} ...), and a binary has two", fix="make it a category"
            )
        one = spellings(self.positive)[0] if self.positive is not None else max(found, default=None)
        if len(found) == 2 and one not in found:
            known = " and ".join(f"'{value}'" for value in sorted(found))
            raise StepError(
                f"has no value '{self.positive}'; it has {known}", fix=f"set positive: {max(found)}"
            )
        rows = sum(count for count, _ in found.values())
        return {
            "ones": sorted({*found[one][1], one}) if one in found else [one] if one is not None else [],
            "zeros": [
                text for value, (_, seen) in found.items() if value != one for text in sorted({*seen, value})
            ],
            "share": found[one][0] / rows if one in found else 0.0,
            "gaps": aggregates["nulls"] > 0,
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one."""
        return (cls.revive({}),)

    @classmethod
    def block(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Block:
        """Append one look-up a column, and one table of what each code stands for."""
        from mlspec.engine.graph.blocks import FIRST, codes, columns_of, stack

        states = [column.state for column in columns]
        found = [
            codes(
                builder,
                column.name,
                dict.fromkeys(column.state["zeros"], FIRST) | dict.fromkeys(column.state["ones"], FIRST + 1),
            )
            for column in columns
        ]
        width = FIRST + 2
        places = builder.node(
            "Add",
            stack(builder, found),
            builder.constant([[width * place] for place in range(len(columns))], "int64"),
        )
        values = [number for state in states for number in (state["share"], state["share"], 0.0, 1.0)]
        rows = [builder.node("Gather", builder.constant(values, "float32"), places)]
        names = [column.name for column in columns]
        having = [place for place, state in enumerate(states) if state["gaps"]]
        if having:
            told = builder.node("Gather", places, builder.constant(having, "int64"), axis=0)
            missing = [0.0, 1.0, 0.0, 0.0] * len(columns)
            rows.append(builder.node("Gather", builder.constant(missing, "float32"), told))
            names += [f"{columns[place].name} is null" for place in having]
        return Block(numbers=columns_of(builder, rows), number_names=tuple(names))
