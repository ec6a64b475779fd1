"""Mean and deviation of columns, to the last bit the same in whatever order threads see the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ibis
import ibis.expr.operations as ops

from mlspec.engine.ask import here
from mlspec.engine.database import all_threads
from mlspec.engine.double import double
from mlspec.engine.graph.streamed import streamed_bounds, streamed_sums

_STEPS = 40
"""Binary digits to which a value is counted, relative to half the range of its column."""
_ABOVE = 2 ** (_STEPS + 1)
"""Added to whole steps, so that none is negative."""
_HALF = 21
"""Binary digits of the lower half of such a step."""
_LOW = 2**_HALF - 1
_ORDERLESS = frozenset({"bitstring_agg"})
"""Aggregates of DuckDB's own that no order of rows changes."""


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
    """Return the moments of columns of numbers by two looks at the table: bounds, then exact sums.

    A column is counted in whole steps of 2^-40 of half its range: whole numbers add up alike in any order.

    Args:
        table: The rows.
        columns: Expressions over the table by any name.
    """
    numbers = {name: column.cast("float64") for name, column in columns.items()}
    return exact_moments(table, numbers, bounds(table, numbers))


def bounds(
    table: ibis.Table, numbers: Mapping[str, ibis.Column], more: Mapping[str, ibis.Scalar] | None = None
) -> dict[str, Any]:
    """Return the values of `bound_aggregates`, and of more aggregates, by name.

    Args:
        table: The rows; those that are here stream by, and a server answers one query.
        numbers: Expressions over the table, float64, by any name.
        more: Aggregates by name.
    """
    if here(table):
        return first(table, more or {}) | streamed_bounds(table, numbers)
    return first(table, bound_aggregates(_all_finite(numbers)) | dict(more or {}))


def bound_aggregates(numbers: Mapping[str, ibis.Column]) -> dict[str, ibis.Scalar]:
    """Return the aggregates that `exact_moments` needs to be told, by name."""
    found: dict[str, ibis.Scalar] = {}
    for name, column in numbers.items():
        found |= {f"{name}.rows": column.count(), f"{name}.low": column.min(), f"{name}.high": column.max()}
    return found


def exact_moments(
    table: ibis.Table, numbers: Mapping[str, ibis.Column], bounds: Mapping[str, Any]
) -> dict[str, Moments]:
    """Return the moments of columns whose bounds are known, by one look at the table.

    Args:
        table: The rows.
        numbers: Expressions over the table, float64, by name.
        bounds: The values of `bound_aggregates`.
    """
    ends = {name: (bounds[f"{name}.low"], bounds[f"{name}.high"]) for name in numbers}
    grids = {name: grid(low, high) for name, (low, high) in ends.items() if low is not None and low != high}
    sums_of = streamed_sums if here(table) else _asked_sums
    sums = sums_of(table, numbers, grids)
    return {name: _moments(name, bounds, sums.get(name), grids.get(name)) for name in numbers}


def _all_finite(numbers: Mapping[str, ibis.Column]) -> dict[str, ibis.Column]:
    return {name: finite(column) for name, column in numbers.items()}


def _asked_sums(
    table: ibis.Table, numbers: Mapping[str, ibis.Column], grids: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[int, int]]:
    """Return what `streamed_sums` does, by one query of a server.

    Squares of steps do not fit into 64 bits, and wider numbers are slow: the products of their halves fit.
    """
    # Divided twice, for the reciprocal of a very small step is no finite number.
    steps = {
        name: ((finite(numbers[name]) - double(middle)) / double(step)).round().cast("int64") + _ABOVE
        for name, (middle, step) in grids.items()
    }
    places = [f"v{place}" for place in range(len(steps))]
    rows = table.select(**dict(zip(places, steps.values(), strict=True))) if steps else table
    halves = {f"h{at}": rows[at] >> _HALF for at in places} | {f"l{at}": rows[at] & _LOW for at in places}
    rows = rows.select(**halves) if steps else rows
    asked: dict[str, ibis.Scalar] = {}
    for at in places:
        high, low = rows[f"h{at}"], rows[f"l{at}"]
        for key, value in (
            ("h", high),
            ("l", low),
            ("hh", high * high),
            ("hl", high * low),
            ("ll", low * low),
        ):
            asked[f"{at}.{key}"] = value.sum().cast("string")
        asked[f"{at}.rows"] = high.count()
    told = {key: int(value) for key, value in first(rows, asked).items()}
    found: dict[str, tuple[int, int]] = {}
    for name, at in zip(steps, places, strict=True):
        total = (told[f"{at}.h"] << _HALF) + told[f"{at}.l"]
        squares = (told[f"{at}.hh"] << 2 * _HALF) + (told[f"{at}.hl"] << _HALF + 1) + told[f"{at}.ll"]
        # Back from steps that were all made positive.
        above = told[f"{at}.rows"] * _ABOVE
        found[name] = total - above, squares - 2 * _ABOVE * total + above * _ABOVE
    return found


def first(table: ibis.Table, aggregates: Mapping[str, ibis.Scalar]) -> dict[str, Any]:
    """Return the values of aggregates by name; no query where there are none."""
    if not aggregates:
        return {}
    places = {f"a{place}": value for place, value in enumerate(aggregates.values())}
    with all_threads(table) if all(map(_orderless, aggregates.values())) else nullcontext():
        row = table.aggregate(**places).to_pyarrow().to_pylist()[0]
    return {name: row[f"a{place}"] for place, name in enumerate(aggregates)}


def _orderless(value: ibis.Scalar) -> bool:
    """Return whether an aggregate is the same to the last bit, in whatever order rows are seen."""
    return all(
        isinstance(found, (ops.Count, ops.CountStar, ops.CountDistinct))
        or (isinstance(found, (ops.Sum, ops.Min, ops.Max)) and not found.arg.dtype.is_floating())
        or (isinstance(found, ops.AggUDF) and found.__func_name__ in _ORDERLESS)
        for found in value.op().find(ops.Reduction)
    )


def grid(low: float, high: float) -> tuple[float, float]:
    """Return the middle of a range and a power of two as step, so that whole numbers are counted exactly."""
    half = high / 2 - low / 2
    step = math.ldexp(1.0, max(math.frexp(half)[1] - _STEPS, -1022))
    return float(round(Fraction(low / 2 + high / 2) / Fraction(step)) * Fraction(step)), step


def _moments(
    name: str, bounds: Mapping[str, Any], sums: tuple[int, int] | None, cut: tuple[float, float] | None
) -> Moments:
    rows, low, high = bounds[f"{name}.rows"], bounds[f"{name}.low"], bounds[f"{name}.high"]
    if low is None:
        return Moments(0, None, None, None, None)
    # Which of -0.0 and 0.0 a database finds smaller is chance.
    low, high = low + 0.0, high + 0.0
    return of_sums(rows, low, high, cut, *(sums or (0, 0)))


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
