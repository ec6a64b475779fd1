"""Mean and deviation of columns, to the last bit the same in whatever order threads see the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ibis

from mlspec.engine.double import double

_STEPS = 40
"""Binary digits to which a value is counted, relative to half the range of its column."""


@dataclass(frozen=True)
class Moments:
    """What is known of the numbers of one column, nulls left out; None throughout where there are none."""

    rows: int
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    """Of the population: the root of the mean squared distance."""

    def as_dict(self) -> dict[str, float | None]:
        """Return low, high, mean and std by name."""
        return {"low": self.low, "high": self.high, "mean": self.mean, "std": self.std}


def finite(column: ibis.Column) -> ibis.Column:
    """Return a column of numbers as float64, NaN and infinity as null."""
    number = column.cast("float64")
    if not column.type().is_floating():
        return number
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def moments(table: ibis.Table, columns: Mapping[str, ibis.Column]) -> dict[str, Moments]:
    """Return the moments of columns of numbers by two queries over the table: bounds, then exact sums.

    A column is counted in whole steps of 2^-40 of half its range: whole numbers add up alike in any order.

    Args:
        table: The rows.
        columns: Expressions over the table by any name.
    """
    numbers = {name: finite(column) for name, column in columns.items()}
    bounds = first(table, bound_aggregates(numbers))
    return exact_moments(table, numbers, bounds)


def bound_aggregates(numbers: Mapping[str, ibis.Column]) -> dict[str, ibis.Scalar]:
    """Return the aggregates that `exact_moments` needs to be told, by name."""
    found: dict[str, ibis.Scalar] = {}
    for name, column in numbers.items():
        found |= {f"{name}.rows": column.count(), f"{name}.low": column.min(), f"{name}.high": column.max()}
    return found


def exact_moments(
    table: ibis.Table, numbers: Mapping[str, ibis.Column], bounds: Mapping[str, Any]
) -> dict[str, Moments]:
    """Return the moments of columns whose bounds are known, by one query.

    Args:
        table: The rows.
        numbers: Columns that went through `finite`, by name.
        bounds: The values of `bound_aggregates`.
    """
    aggregates: dict[str, ibis.Scalar] = {}
    grids: dict[str, tuple[float, float]] = {}
    for name, column in numbers.items():
        low, high = bounds[f"{name}.low"], bounds[f"{name}.high"]
        if low is None or low == high:
            continue
        middle, step = grids[name] = grid(low, high)
        # Divided twice, for the reciprocal of a very small step is no finite number.
        units = (column - double(middle)) / double(step)
        whole = units.round().cast("int64").cast("decimal(19, 0)")
        aggregates[f"{name}.sum"] = whole.sum().cast("string")
        aggregates[f"{name}.squares"] = (whole * whole).sum().cast("string")
    sums = first(table, aggregates)
    return {name: _moments(name, bounds, sums, grids.get(name)) for name in numbers}


def first(table: ibis.Table, aggregates: Mapping[str, ibis.Scalar]) -> dict[str, Any]:
    """Return the values of aggregates by name; no query where there are none."""
    if not aggregates:
        return {}
    places = {f"a{place}": value for place, value in enumerate(aggregates.values())}
    row = table.aggregate(**places).to_pyarrow().to_pylist()[0]
    return {name: row[f"a{place}"] for place, name in enumerate(aggregates)}


def grid(low: float, high: float) -> tuple[float, float]:
    """Return the middle of a range and a power of two as step, so that whole numbers are counted exactly."""
    half = high / 2 - low / 2
    step = math.ldexp(1.0, max(math.frexp(half)[1] - _STEPS, -1022))
    return float(round(Fraction(low / 2 + high / 2) / Fraction(step)) * Fraction(step)), step


def _moments(
    name: str, bounds: Mapping[str, Any], sums: Mapping[str, Any], cut: tuple[float, float] | None
) -> Moments:
    rows, low, high = bounds[f"{name}.rows"], bounds[f"{name}.low"], bounds[f"{name}.high"]
    if low is None:
        return Moments(0, None, None, None, None)
    # Which of -0.0 and 0.0 a database finds smaller is chance.
    low, high = low + 0.0, high + 0.0
    total, squares = (0, 0) if cut is None else (int(sums[f"{name}.sum"]), int(sums[f"{name}.squares"]))
    return of_sums(rows, low, high, cut, total, squares)


def of_sums(
    rows: int, low: float, high: float, cut: tuple[float, float] | None, total: int, squares: int
) -> Moments:
    """Return the moments of numbers that were counted in whole steps.

    Args:
        rows: How many.
        low: The smallest.
        high: The largest.
        cut: What `grid` gave; None where all are equal.
        total: Sum of the whole steps from the middle, each rounded, halves away from zero.
        squares: Sum of their squares.
    """
    if cut is None:
        return Moments(rows, low, high, low, 0.0)
    middle, step = cut
    mean = Fraction(total, rows)
    variance = Fraction(squares, rows) - mean * mean
    # A step is as coarse as 2^-40 of the range: what it rounds past the ends of the column goes back to them.
    centre = min(max(Fraction(middle) + mean * Fraction(step), Fraction(low)), Fraction(high))
    return Moments(rows, low, high, float(centre), min(math.sqrt(variance) * step, high / 2 - low / 2))
