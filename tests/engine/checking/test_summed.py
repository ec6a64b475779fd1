"""Runs of numbers, against numpy, pandas and exact fractions over all of them at once."""

from __future__ import annotations

import math
from fractions import Fraction

import ibis
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlspec.engine.checking import summed as module
from mlspec.engine.checking.profile import run_of
from mlspec.engine.checking.summed import summed
from mlspec.engine.graph.moments import moments

SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.integers(-5, 5).map(float),
    st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]),
)


@settings(max_examples=150, deadline=None)
@example([[0.0, 2.2250738585e-313]], 1)
@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=40), min_size=1, max_size=6), st.integers(1, 30))
def test_runs_add_up_to_what_all_numbers_hold(lists: list[list[float]], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLICE", at_once)
        found = summed([run_of(np.array(values)) for values in lists], SHARES)
    numbers = np.array([value for values in lists for value in values])
    assert found.distinct == len(set(numbers.tolist()))
    assert (found.moments.rows, found.moments.low) == (len(numbers), numbers.min())
    assert found.moments.high == numbers.max()
    whole = summed([run_of(numbers)], SHARES)
    assert found == whole
    mean = sum(map(Fraction, numbers.tolist()), Fraction(0)) / len(numbers)
    span = Fraction(float(numbers.max())) - Fraction(float(numbers.min()))
    assert found.moments.mean is not None
    # No step is smaller than the smallest number with all of its digits.
    assert abs(Fraction(found.moments.mean) - mean) <= span / 2**39 + Fraction(2.0**-1022)
    if np.abs(numbers).max() < 1e300:
        np.testing.assert_allclose(found.quantiles, np.quantile(numbers, SHARES), rtol=1e-12, atol=1e-320)


def test_moments_are_those_of_the_database_to_the_last_bit() -> None:
    random = np.random.default_rng(1)
    pieces = [
        random.normal(3, 2, 3000),
        random.integers(0, 3, 3000).astype(float),
        # Halves of a step: rounded away from zero, as DuckDB does.
        np.r_[np.arange(-1000, 1000) * 0.5 * 2.0**-30, 1023.0],
    ]
    for numbers in pieces:
        table = ibis.memtable({"x": numbers})
        runs = [run_of(part) for part in np.array_split(random.permutation(numbers), 7)]
        assert summed(runs, SHARES).moments == moments(table, {"x": table.x})["x"]


def test_a_number_of_very_many_rows_is_counted_exactly() -> None:
    values, counts = np.array([-1.0, 0.25, 1.0]), np.array([2**33, 2**33 + 1, 3])
    found = summed([(values, counts)], (0.5,))
    rows = int(counts.sum())
    mean = (-(2**33) + 0.25 * (2**33 + 1) + 3) / rows
    assert found.moments.mean == pytest.approx(mean, rel=1e-12)
    variance = (2**33 + 0.0625 * (2**33 + 1) + 3) / rows - mean**2
    assert found.moments.std == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert (found.quantiles, found.distinct, found.moments.rows) == ((0.25,), 3, rows)


def test_nothing_has_no_quantiles() -> None:
    found = summed([], SHARES)
    assert (found.moments.rows, found.moments.low, found.quantiles, found.distinct) == (0, None, (), 0)
