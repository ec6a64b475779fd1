"""The calendar as ONNX nodes, in float64 on whole numbers, exact from the year 1 to 9999.

Source: days to year, month and day by eras of 400 years that begin in March, after H. Hinnant,
"chrono-Compatible Low-Level Date Algorithms".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

from mlspec.engine.builder import Builder
from mlspec.engine.graph.blocks import cast, scaled, stack
from mlspec.engine.zone import zone
from mlspec.sdk.feature import FittedColumn

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""First and last millisecond of the years 1 to 9999; what lies beyond is moved there."""
DAY = 86_400_000
_YEAR = 31_556_952_000
"""Milliseconds of a mean Gregorian year."""
CIRCLES = {
    "month": (1, 12),
    "day": (1, 31),
    "weekday": (0, 7),
    "hour": (0, 24),
    "minute": (0, 60),
    "second": (0, 60),
}
"""Parts that come round again: their first number, and how many there are."""


def rules(timezone: str | None) -> dict[str, Any]:
    """Return the changes of a zone as plain data, with the release of the zone database where it is known."""
    if timezone is None:
        return {"starts": [], "offsets": [0.0]}
    found = zone(timezone)
    try:
        release = metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        release = ""
    return {"starts": found.starts.tolist(), "offsets": found.offsets.tolist(), "tzdata": release}


@dataclass(frozen=True)
class Calendar:
    """Nodes over some columns of one zone; each part is appended when it is asked for."""

    builder: Builder
    columns: tuple[FittedColumn, ...]
    missing: str
    """`[columns, rows] bool`."""
    instant: str
    """`[columns, rows] float64`, milliseconds since 1970 UTC, in the years 1 to 9999, the centre for null."""

    @classmethod
    def of(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Calendar:
        """Append the stacking of columns and the filling of their gaps."""
        values = stack(builder, [column.name for column in columns])
        missing = builder.node("IsNaN", values)
        centres = builder.constant([[column.state["centre"]] for column in columns], "float64")
        filled = builder.node("Where", missing, centres, values)
        limits = builder.constant(float(EARLIEST), "float64"), builder.constant(float(LATEST), "float64")
        return cls(builder, tuple(columns), missing, builder.node("Clip", filled, *limits))

    def part(self, part: str) -> dict[str, str]:
        """Append a part; returns `[columns, rows] float32` tensors, always finite, by what they hold."""
        states = [column.state for column in self.columns]
        if part == "elapsed":
            factors = [1 / state["spread"] for state in states]
            return {part: scaled(self.builder, self.instant, [state["centre"] for state in states], factors)}
        if part == "year":
            centres = [1970 + math.floor(state["centre"] / _YEAR) for state in states]
            factors = [_YEAR / max(state["spread"], _YEAR) for state in states]
            years = self._where_known(
                self._date["year"], self.builder.constant([[float(c)] for c in centres], "float64")
            )
            return {part: scaled(self.builder, years, centres, factors)}
        return self._circle(part, (self._date if part in ("month", "day", "weekday") else self._clock)[part])

    def gaps(self) -> str | None:
        """Append the indicators of the columns that had nulls in training, `[columns, rows] float32`."""
        having = [place for place, column in enumerate(self.columns) if column.state["gaps"]]
        if not having:
            return None
        told = self.builder.node("Gather", self.missing, self.builder.constant(having, "int64"), axis=0)
        return cast(self.builder, told, "float32")

    def _circle(self, part: str, values: str) -> dict[str, str]:
        """Look sine and cosine up in tables, for platforms compute them differently; null is the centre."""
        low, size = CIRCLES[part]
        places = (
            self.builder.node("Sub", values, self.builder.constant(float(low), "float64")) if low else values
        )
        places = self._where_known(places, self.builder.constant(float(size), "float64"))
        indices = cast(self.builder, places, "int64")
        angles = [2 * math.pi * place / size for place in range(size)]
        tables = {
            f"{part} sin": [math.sin(angle) for angle in angles],
            f"{part} cos": [math.cos(angle) for angle in angles],
        }
        return {
            word: self.builder.node("Gather", self.builder.constant([*table, 0.0], "float32"), indices)
            for word, table in tables.items()
        }

    def _where_known(self, values: str, otherwise: str) -> str:
        return self.builder.node("Where", self.missing, otherwise, values)

    def _floor(self, values: str, divisor: float) -> str:
        return self.builder.node("Floor", self.builder.node("Div", values, self._number(divisor)))

    def _number(self, value: float) -> str:
        return self.builder.constant(float(value), "float64")

    def _left(self, values: str, whole: str, divisor: float) -> str:
        """Append `values - whole * divisor`."""
        return self.builder.node("Sub", values, self.builder.node("Mul", whole, self._number(divisor)))

    @cached_property
    def _local(self) -> str:
        """Whole milliseconds of the zone's clock: the offset is found by halving the list of its changes."""
        builder, state = self.builder, self.columns[0].state
        whole = builder.node("Floor", self.instant)
        starts, offsets = state["starts"], state["offsets"]
        if not starts:
            return whole if offsets[0] == 0 else builder.node("Add", whole, self._number(offsets[0]))
        steps = len(starts).bit_length()
        table = builder.constant([*starts, *[1e300] * (2**steps - 1 - len(starts))], "float64")
        found: str | None = None
        for step in (2**power for power in reversed(range(steps))):
            jump = builder.constant(step, "int64")
            if found is None:
                reached = builder.node("LessOrEqual", self._number(starts[step - 1]), whole)
                found = builder.node("Where", reached, jump, builder.constant(0, "int64"))
                continue
            ahead = builder.node("Add", found, jump)
            before = builder.node(
                "Gather", table, builder.node("Add", found, builder.constant(step - 1, "int64"))
            )
            found = builder.node("Where", builder.node("LessOrEqual", before, whole), ahead, found)
        offset = builder.node("Gather", builder.constant(offsets, "float64"), found or "")
        return builder.node("Add", whole, offset)

    @cached_property
    def _days(self) -> str:
        return self._floor(self._local, DAY)

    @cached_property
    def _clock(self) -> Mapping[str, str]:
        rest = self._left(self._local, self._days, DAY)
        hour = self._floor(rest, 3_600_000)
        rest = self._left(rest, hour, 3_600_000)
        minute = self._floor(rest, 60_000)
        return {"hour": hour, "minute": minute, "second": self._floor(self._left(rest, minute, 60_000), 1000)}

    @cached_property
    def _date(self) -> Mapping[str, str]:
        node, number = self.builder.node, self._number
        from_monday = node("Add", self._days, number(3))
        weekday = self._left(from_monday, self._floor(from_monday, 7), 7)
        days = node("Add", self._days, number(719_468))
        era = self._floor(days, 146_097)
        of_era = self._left(days, era, 146_097)
        leaps = node("Sub", self._floor(of_era, 1460), self._floor(of_era, 36_524))
        leaps = node("Add", leaps, self._floor(of_era, 146_096))
        year = self._floor(node("Sub", of_era, leaps), 365)
        before = node("Sub", self._floor(year, 4), self._floor(year, 100))
        of_year = node("Sub", self._left(of_era, year, 365), before)
        month = self._floor(node("Add", node("Mul", of_year, number(5)), number(2)), 153)
        spent = self._floor(node("Add", node("Mul", month, number(153)), number(2)), 5)
        early = node("Greater", month, number(9))
        march = node("Add", month, node("Where", early, number(-9), number(3)))
        years = node("Add", year, node("Mul", era, number(400)))
        return {
            "weekday": weekday,
            "day": node("Add", node("Sub", of_year, spent), number(1)),
            "month": march,
            "year": node("Add", years, node("Where", early, number(1), number(0))),
        }
