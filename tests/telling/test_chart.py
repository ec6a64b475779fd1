"""Pictures: points stand where their numbers say, and odd numbers draw nothing odd."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlspec.telling.charts.axis import axis
from mlspec.telling.charts.chart import MOST, Series, chart
from mlspec.telling.charts.histogram import BARS, histogram

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def test_points_stand_where_their_numbers_say() -> None:
    text = chart("a", [Series("b", [(0.0, 0.0), (0.5, 0.25), (1.0, 1.0)])], "x", "y", ends=(0.0, 1.0))
    assert 'd="M64 240L236 183L408 12"' in text


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30))
def test_no_number_breaks_a_picture(points: list[tuple[float, float]]) -> None:
    text = chart("a", [Series("b", points), Series("c", points, marks=True)], "x", "y")
    assert "nan" not in text.replace("span", "") and not re.search(r"\binf\b", text)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_an_axis_holds_its_numbers_and_has_a_few_ticks(values: list[float]) -> None:
    found = axis(values, 0, 100)
    assert all(0 <= found.place(value) <= 100 for value in values)
    assert 1 <= len(found.ticks()) <= 12
    little = 1e-6 * (found.high - found.low)
    assert all(found.low - little <= tick <= found.high + little for tick in found.ticks())


def test_a_long_series_is_thinned_with_both_ends_kept() -> None:
    text = chart(
        "a", [Series("b", [(place / 9999, 0.5) for place in range(10_000)])], "x", "y", ends=(0.0, 1.0)
    )
    (line,) = re.findall(r'<path d="([^"]*)"', text)
    assert line.count("L") == MOST - 1 and line.startswith("M64 ") and "L408 " in line[-12:]


@pytest.mark.parametrize("values", [[], [None], [3.0, 3.0], [float("nan")], list(range(1001))])
def test_a_column_has_a_distribution_or_none(values: list[float]) -> None:
    text = histogram({"quantiles": values}, "told")
    bars = text.count("M")
    assert bars == (
        0
        if not [value for value in values if value == value and value is not None]
        else min(len(set(values)), BARS)
    )


def test_rare_values_share_the_last_bar() -> None:
    assert histogram({"counts": {str(place): 1 for place in range(100)}}, "told").count("M") == BARS
