"""Tail probabilities that the drift tests need, without SciPy: a served model carries none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def kolmogorov(distance: float, rows: float) -> float:
    """Return the chance of at least this Kolmogorov-Smirnov distance between samples of one distribution.

    The asymptotic form without a correction for small samples: it errs towards "no change".

    Args:
        distance: Largest gap of the two distribution functions (fraction 0-1).
        rows: Effective rows, `n * m / (n + m)`.

    Source: Smirnov (1939), the series `2 * sum((-1)**(j - 1) * exp(-2 * j**2 * rows * distance**2))`.

    Example:
        >>> round(kolmogorov(0.1, 184.5), 3)
        0.05
    """
    exponent = 2.0 * rows * distance * distance
    if exponent < 0.04:  # the series converges slowly here, and the answer is 1 to twelve digits
        return 1.0
    terms = ((-1) ** (j - 1) * math.exp(-exponent * j * j) for j in range(1, 51))
    return min(1.0, max(0.0, 2.0 * math.fsum(terms)))


def chi_square(statistic: float, degrees: int) -> float:
    """Return the chance of at least this chi-square statistic.

    Source: the regularised upper incomplete gamma function, its power series below the mean and Lentz's
    continued fraction above (Abramowitz and Stegun 6.5.29 and 6.5.31).

    Example:
        >>> round(chi_square(3.841458820694124, 1), 6)
        0.05
    """
    if statistic <= 0:
        return 1.0
    a, x = degrees / 2.0, statistic / 2.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        return min(1.0, max(0.0, 1.0 - scale * _series(a, x)))
    return min(1.0, scale * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1.0 / a
    step = a
    while term > total * 1e-16:
        step += 1.0
        term *= x / step
        total += term
    return total


def _fraction(a: float, x: float) -> float:
    b = x + 1.0 - a
    c, d = math.inf, 1.0 / b
    value = d
    for i in range(1, 100_000):
        factor = i * (a - i)
        b += 2.0
        d = 1.0 / (b + factor * d)
        c = b + factor / c
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def exact_share(first: int, first_rows: int, second: int, second_rows: int) -> float:
    """Return the chance that two samples of one population differ at least so in the share of marked rows.

    Fisher's exact test, two-sided by doubling the smaller tail. Above a million marked or unmarked rows the
    chi-square form with Yates' correction is taken, which agrees with it there.

    Args:
        first: Marked rows of the first sample.
        first_rows: All its rows.
        second: Marked rows of the second sample.
        second_rows: All its rows.

    Example:
        >>> round(exact_share(0, 10_000, 1, 100), 4)
        0.0198
    """
    marked, rows = first + second, first_rows + second_rows
    if marked in (0, rows):
        return 1.0
    if min(marked, rows - marked, first_rows, second_rows) > 1_000_000:
        expected = marked * (second_rows / rows)
        gap = max(0.0, abs(second - expected) - 0.5)
        variance = expected * (1 - marked / rows) * (first_rows / rows)
        return chi_square(gap * gap / variance, 1)
    low, high = max(0, marked - first_rows), min(marked, second_rows)
    k = np.arange(low, high, dtype=np.float64)
    ratios = np.log((marked - k) * (second_rows - k)) - np.log(
        (k + 1) * (rows - marked - second_rows + k + 1)
    )
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    weights = np.exp(logs - logs.max())
    at = second - low
    tail = min(float(weights[: at + 1].sum()), float(weights[at:].sum()))
    return min(1.0, 2.0 * tail / float(weights.sum()))


def adjusted(p_values: Sequence[float], weights: Sequence[float] | None = None) -> tuple[float, ...]:
    """Return each p-value's false discovery rate: of all told at or below `a`, a share `a` is wrong at most.

    Args:
        p_values: Of all tests that are looked at together.
        weights: How much of the error rate each test may use, 1 on average; absent, all the same.

    Source: Benjamini and Hochberg (1995); with weights Genovese, Roeder and Wasserman (2006).

    Example:
        >>> adjusted([0.01, 0.02, 0.9])
        (0.03, 0.03, 0.9)
        >>> adjusted([0.01, 0.02], weights=[0.5, 1.5])
        (0.02, 0.02)
    """
    count = len(p_values)
    told = [p / weight for p, weight in zip(p_values, weights or [1.0] * count, strict=True)]
    order = sorted(range(count), key=lambda i: told[i], reverse=True)
    found = [1.0] * count
    least = 1.0
    for place, index in enumerate(order):
        least = min(least, told[index] * count / (count - place))
        found[index] = least
    return tuple(found)


def even(families: Sequence[str]) -> list[float]:
    """Return weights, 1 on average, that give each family of tests the same part of the error rate.

    Args:
        families: The family of each test.

    Example:
        >>> even(["", "segments", "segments", "segments"])
        [2.0, 0.6666666666666666, 0.6666666666666666, 0.6666666666666666]
    """
    sizes = {family: families.count(family) for family in set(families)}
    return [len(families) / (len(sizes) * sizes[family]) for family in families]
