"""What must hold of the numbers before anything is packaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

from mlspec.sdk.fields import KindOf
from mlspec.sdk.plugin import Plugin

BASELINE = "baseline"
"""The name of the measures that `mlspec accept` keeps, where a gate asks for what it is held against."""


@dataclass(frozen=True)
class GateVerdict:
    """What a gate says."""

    passed: bool
    text: str
    """One sentence with both numbers."""


@dataclass(frozen=True)
class Measures:
    """Measures of some rows of the test split."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    """The value of each measure; None where these rows cannot tell it."""
    intervals: Mapping[str, Sequence[float] | None] = field(default_factory=dict)
    """The lowest and the highest value that each measure may truly have, or None."""


@dataclass(frozen=True)
class SliceMeasures:
    """Measures of the rows that have one value of a column."""

    column: str
    value: str | None
    rows: int
    measures: Measures | None
    """None where there are too few rows to tell."""

    @property
    def name(self) -> str:
        """Return the slice's name, `column=value`."""
        return f"{self.column}={'(none)' if self.value is None else self.value}"


@dataclass(frozen=True)
class Measured:
    """All that was measured of one export, and what it is held against."""

    whole: Measures
    """Of the whole test split."""
    slices: tuple[SliceMeasures, ...] = ()
    """Of each value of each column of `evaluation.slices`; empty where no gate looks at slices."""
    other: Measured | None = None
    """What the gate is held against, as its `held_against` asks; None where there is none yet."""

    @classmethod
    def of(cls, content: Mapping[str, Any], other: Self | None = None) -> Self:
        """Return what `metrics`, `intervals` and `slices` (by column) of an evaluation say."""
        slices = tuple(
            SliceMeasures(
                column,
                part["value"],
                part["rows"],
                Measures(part["metrics"], part.get("intervals", {})) if "metrics" in part else None,
            )
            for column, parts in content.get("slices", {}).items()
            for part in parts
        )
        return cls(Measures(content.get("metrics", {}), content.get("intervals", {})), slices, other)


class Gate(Plugin):
    """One condition on measured numbers."""

    slot: ClassVar[str] = "gate"

    metric: Annotated[str, KindOf("metric")]
    """The measure it looks at; it must be among `evaluation.metrics`."""
    export: str = "main"
    """The export whose measures it looks at."""

    def judge(self, measured: Measured) -> GateVerdict:
        """Judge what was measured of an export."""
        raise NotImplementedError

    def held_against(self) -> str | None:
        """Return whose measures come as `other`: `baseline`, the name of an export, or None."""
        return None

    def slice_names(self) -> tuple[str, ...] | Literal["all"]:
        """Return the slices that it looks at: columns, `column=value`, or `all`."""
        return ()

    def wrong_way(self, better: Literal["higher", "lower"]) -> str | None:
        """Return the option that lets a measure with this direction get better, which needs no leave."""
        return None
