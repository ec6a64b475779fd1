"""Quantiles against numpy's, and what numpy's lose: ties."""

import numpy as np

from mlspec.engine.checking.quantiles import interpolated

SHARES = [step / 1000 for step in range(1001)]


def test_they_are_those_of_numpy() -> None:
    values = np.sort(np.random.default_rng(3).normal(size=537))
    np.testing.assert_allclose(
        interpolated(values, SHARES), np.quantile(values, SHARES), rtol=1e-12, atol=1e-12
    )


def test_between_equal_numbers_lies_that_number_to_the_last_bit() -> None:
    values = np.full(7_321, 41.880994471)
    assert set(interpolated(values, SHARES)) == {41.880994471}
    place = np.asarray(SHARES) * 7_320 % 1
    assert set(values[0] * (1 - place) + values[0] * place) != {41.880994471}, (
        "a sum of weights would do as well"
    )


def test_no_numbers_have_no_quantiles() -> None:
    assert interpolated(np.array([]), SHARES) == []
