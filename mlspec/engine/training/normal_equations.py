"""A linear model solved at once: one system of equations, of sums over the rows.

Source: Bjorck, Numerical Methods for Least Squares Problems (1996), section 2.2 (the normal equations).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.sdk.sums import Sums


def normal_equations(sums: Sums, ridge: float) -> tuple[float, NDArray[np.float64]]:
    """Return the constant, and the weight of each number and then of each code of each column.

    They make `sum(w (y - f(x))^2) + ridge * sum(weights^2)` smallest; among equal ones, as of
    codes that add up to one, the shortest is taken (of numbers scaled to a spread of 1).

    Args:
        sums: Of the training rows.
        ridge: The constant is not pulled towards zero.
    """
    table, right = sums.table, sums.right
    weight, means, middle = table[0, 0], table[0, 1:] / table[0, 0], right[0] / table[0, 0]
    matrix = table[1:, 1:] - weight * np.outer(means, means)
    vector = right[1:] - weight * means * middle
    scale = np.concatenate([sums.spread, np.ones(len(vector) - sums.numbers)])
    matrix[np.diag_indices(len(vector))] += ridge / scale**2
    found = _solved(matrix, vector)
    constant = middle - means @ found - (found[: sums.numbers] / sums.spread) @ sums.centre
    return float(constant), found / scale


def _solved(matrix: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest solution; directions in which no row differs take no part."""
    values, directions = np.linalg.eigh(matrix)
    kept = values > max(float(values.max(initial=0.0)) * len(vector) * 1e-14, 0.0)
    return np.asarray(directions[:, kept] @ ((directions[:, kept].T @ vector) / values[kept]))
