"""A linear model of classes, fitted to all rows at once until nothing changes.

Source: Liu and Nocedal, On the Limited Memory BFGS Method for Large Scale Optimization (1989), in scipy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.training.weights import mean_weight
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded

PIECE = 65_536
"""Rows that are scored at once."""
MOST_STEPS = 10_000
"""Steps before the search is given up; a few hundred is usual."""
FLAT = 1e-8
"""Largest slope of the loss a unit of weight at which it ends."""
FLAT_ENOUGH = 1e-4
"""Largest slope that is taken where rounding leaves no smaller loss, so that no step is found any more."""


def lbfgs(
    rows: Encoded,
    inputs: ModelInputs,
    target: FittedTarget,
    ridge: float,
    factors: tuple[float, ...] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the constants, `[width]`, and the weights, `[width, numbers and codes]`.

    They make `sum(w log_loss) + ridge / 2 * sum(weights^2)` smallest, which has one answer: the order of the
    rows and a learning rate have no part in it. Constants are not pulled towards zero.

    Args:
        rows: Encoded training rows; a piece of them is scored at a time.
        inputs: Their shape.
        target: Of classes.
        ridge: Above zero: classes that a line separates have no smallest loss without.
        factors: What each class weighs.

    Raises:
        StepError: there are no rows, no weight, or the search did not end.
    """
    from scipy.optimize import minimize

    if not rows.rows:
        raise StepError("no row is in the training split", fix="set data.split.train above 0")
    # Row weights and class weights as they are given: scikit-learn's ridge means the same.
    total = (mean_weight(rows, factors) or 1.0) * rows.rows
    problem = _Problem(rows, inputs, target, ridge, factors, total)
    begin = np.zeros(target.width * (1 + problem.columns))
    found = minimize(
        problem.loss, begin, jac=True, method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "maxfun": 2 * MOST_STEPS, "gtol": FLAT, "ftol": 0.0, "maxls": 50},
    )  # fmt: skip
    slope = float(np.abs(found.jac).max())
    if not np.isfinite(found.fun) or slope > FLAT_ENOUGH:
        raise StepError(
            f"L-BFGS did not end: the slope is {slope:.1e} after {found.nit:,} steps",
            where="model.solver",
            fix="raise model.ridge, scale the numbers, or leave solver out",
        )
    both = found.x.reshape(target.width, 1 + problem.columns)
    return both[:, 0], both[:, 1:]


@dataclass(frozen=True)
class _Problem:
    rows: Encoded
    inputs: ModelInputs
    target: FittedTarget
    ridge: float
    factors: tuple[float, ...] | None
    total: float

    @property
    def columns(self) -> int:
        """Numbers and codes together."""
        return self.inputs.numbers + sum(self.inputs.sizes)

    def loss(self, given: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the loss a unit of weight, and its slope."""
        weights = given.reshape(self.target.width, 1 + self.columns)
        pull = self.ridge * weights
        pull[:, 0] = 0.0
        value, slope = float((pull * weights).sum()) / 2, pull
        for numbers, places, truth, weight in self._pieces():
            scores = weights[:, 0] + numbers @ weights[:, 1 : 1 + self.inputs.numbers].T
            for place in places.T:
                scores += weights[:, place].T
            each, wrong = _log_loss(scores, truth)
            value += float(weight @ each)
            wrong *= weight[:, None]
            slope[:, 0] += wrong.sum(0)
            slope[:, 1 : 1 + self.inputs.numbers] += wrong.T @ numbers
            for place in places.T:
                for line, part in zip(slope, wrong.T, strict=True):
                    line += np.bincount(place, part, minlength=len(line))
        return value / self.total, slope.reshape(-1) / self.total

    def _pieces(
        self,
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
        """Give numbers, the place of each code among the weights, classes, and what rows weigh."""
        rows = self.rows
        first = 1 + self.inputs.numbers + np.concatenate([[0], np.cumsum(self.inputs.sizes)])[:-1]
        for start in range(0, rows.rows, PIECE):
            piece = slice(start, start + PIECE)
            truth = rows.target[piece].astype(np.int64)
            weight = np.ones(len(truth)) if rows.weight is None else rows.weight[piece].astype(np.float64)
            if self.factors is not None:
                weight = weight * np.asarray(self.factors)[truth]
            places = rows.codes[piece].astype(np.int64) + first.astype(np.int64)
            yield rows.numbers[piece].astype(np.float64), places, truth, weight


def _log_loss(
    scores: NDArray[np.float64], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss of each row, and its slope for each score."""
    if scores.shape[1] == 1:
        sign: NDArray[np.float64] = 2.0 * truth.astype(np.float64) - 1.0
        against = np.exp(-np.logaddexp(0.0, sign * scores[:, 0]))
        losses: NDArray[np.float64] = np.logaddexp(0.0, -sign * scores[:, 0])
        slopes = np.asarray(-sign * against, np.float64)
        return losses, slopes[:, None]
    scores = scores - scores.max(1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    line = np.arange(len(truth))
    shares = np.exp(logs)
    shares[line, truth] -= 1.0
    return -logs[line, truth], shares
