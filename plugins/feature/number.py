"""A measured quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from mlspec.sdk.contract import JsonType, Tensor
from mlspec.sdk.feature import Block, Feature, FittedColumn

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.builder import Builder

CUT = 10.0
"""How far from 0 a scaled number may lie without `clip`: standard deviations (or ranges) of training."""
_SMALLEST = 1e-300
"""Spreads below it count as none: their reciprocal is no finite number."""


class Number(Feature):
    """A number: clipped, gaps filled, centred, scaled, cut at 10 deviations; a second input tells of gaps.

    Scaled values are cut at 10 standard deviations of the training split on either side (`minmax`: at 10
    ranges) unless `clip` sets limits, so that one odd row cannot carry an answer very far. A scaled column in
    which training saw one value only is 0 throughout.
    """

    revision: ClassVar[int] = 2
    tensor: ClassVar[Tensor] = "float64"
    as_query: ClassVar[bool] = True
    takes: ClassVar[tuple[JsonType, ...]] = ("number", "integer")

    impute: Literal["mean", "median"] | float = "mean"
    """What stands for a missing value: the training rows' mean or median, or this number."""
    scale: Literal["standard", "minmax", "none"] = "standard"
    """`standard`: minus the mean, over the standard deviation; `minmax`: the training range becomes 0-1."""
    clip: tuple[float, float] | None = None
    """Lowest and highest value; what lies beyond is moved to the limit before anything else. They take the
    place of the cut at 10 standard deviations: set them where farther values mean something."""

    @model_validator(mode="after")
    def _finite(self) -> Self:
        numbers = (*(self.clip or ()), *(() if isinstance(self.impute, str) else (self.impute,)))
        if any(value != value or value in (float("inf"), float("-inf")) for value in numbers):
            raise ValueError("expected a finite number")
        if self.clip and self.clip[0] > self.clip[1]:
            raise ValueError("expected clip: [lowest, highest]")
        return self

    def moments(self, column: ibis.Column) -> ibis.Column | None:
        """Return the column between its limits."""
        from mlspec.engine.graph.moments import finite

        if self.clip is None:
            return column.cast("float64")
        return finite(column).clip(float(self.clip[0]), float(self.clip[1]))

    def aggregates(self, column: ibis.Column) -> Mapping[str, ibis.Scalar]:
        """Ask for the median where it fills gaps."""
        from mlspec.engine.graph.moments import finite

        numbers = self.moments(column)
        if self.impute != "median" or numbers is None:
            return {}
        return {"median": finite(numbers).median()}

    def fit(self, aggregates: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
        """Return fill, centre and factor of the column, and whether it had gaps."""
        from mlspec.engine.graph.blocks import BOUND

        fill = aggregates[self.impute] if isinstance(self.impute, str) else self.impute
        centre, spread = 0.0, 1.0
        if self.scale == "standard":
            centre, spread = aggregates["mean"] or 0.0, aggregates["std"] or 0.0
        elif self.scale == "minmax" and aggregates["low"] is not None:
            centre, spread = aggregates["low"], aggregates["high"] - aggregates["low"]
        elif self.scale == "minmax":
            spread = 0.0
        # Nothing was learnt from a column that never varied: its weights are chance.
        known = spread >= _SMALLEST
        far = BOUND if self.clip or self.scale == "none" else CUT
        return {
            "fill": float(fill or 0.0),
            "centre": float(centre),
            "factor": max(1 / float(spread), 1e-307) if known else 1.0,
            "bound": far if known else 0.0,
            "gaps": aggregates["nulls"] > 0,
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of each way."""
        options: tuple[dict[str, Any], ...] = (
            {},
            {"impute": "median", "clip": [-10.0, 1000.0]},
            {"impute": -1.0, "scale": "minmax"},
            {"scale": "none"},
        )
        return tuple(cls.revive(option) for option in options)

    @classmethod
    def block(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Block:
        """Append: fill, clip, centre and scale in double, cut, and only then float32."""
        from mlspec.engine.graph.blocks import cast, columns_of, scaled, stack

        values = stack(builder, [column.name for column in columns])
        gaps = builder.node("IsNaN", values)
        states = [column.state for column in columns]
        values = builder.node(
            "Where", gaps, builder.constant([[state["fill"]] for state in states], "float64"), values
        )
        limits = [column.feature.clip for column in columns if isinstance(column.feature, cls)]
        if any(limits):
            widest = (-1.7976931348623157e308, 1.7976931348623157e308)
            lowest, highest = zip(*(limit or widest for limit in limits), strict=True)
            values = builder.node("Max", values, builder.constant([[limit] for limit in lowest], "float64"))
            values = builder.node("Min", values, builder.constant([[limit] for limit in highest], "float64"))
        rows = [
            scaled(
                builder,
                values,
                [state["centre"] for state in states],
                [state["factor"] for state in states],
                [state["bound"] for state in states],
            )
        ]
        names = [column.name for column in columns]
        having = [place for place, state in enumerate(states) if state["gaps"]]
        if having:
            told = builder.node("Gather", gaps, builder.constant(having, "int64"), axis=0)
            rows.append(cast(builder, told, "float32"))
            names += [f"{columns[place].name} is null" for place in having]
        return Block(numbers=columns_of(builder, rows), number_names=tuple(names))
