"""How far measures would move if other rows had been drawn."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.confusion import weights
from mlspec.engine.judging.measure import measure
from mlspec.sdk.metric import Answers, Metric

CONFIDENCE = 0.95
"""The share of test splits whose interval holds the measure of all rows there could be."""
RESAMPLES = 500
"""Resamples of a split at most."""
FEWEST = 200
"""Resamples of a split at least, and those of a slice."""
WORK = 2_000_000
"""Rows times resamples, about: more rows get fewer resamples, down to the fewest."""
ROWS = 10_000
"""Rows that are resampled at most; of more, so many are taken evenly and the spread is scaled to all."""
UNTOLD = 0.1
"""The share of resamples that may lack a measure (a class that was not drawn) before no interval is told."""
DIGITS = 6
"""Significant digits of a bound."""

Interval = tuple[float, float]


def resamples(rows: int) -> int:
    """Return how often a split of so many rows is resampled.

    Example:
        >>> [resamples(rows) for rows in (100, 5_000, 1_000_000)]
        [500, 400, 200]
    """
    return int(np.clip(WORK // max(rows, 1), FEWEST, RESAMPLES))


def intervals(
    answers: Answers, metrics: Sequence[Metric], count: int | None = None
) -> dict[str, Interval | None]:
    """Return the percentile interval of each measure; None where resampling cannot tell one.

    Each resample multiplies a row's weight by a number drawn from Poisson(1): a bootstrap without copies.
    A measure that no resample moves (nothing is answered wrongly) has no interval: these rows cannot tell
    how often the model errs.

    Args:
        answers: The judged rows.
        metrics: What is measured.
        count: Resamples; by the number of rows where None.

    Source: Chamandy et al., "Estimating uncertainty for massive data streams" (2012), for the weights;
        Politis and Romano, "Large sample confidence regions based on subsamples" (1994), for the scaling.
    """
    rows = len(answers.truth)
    if rows < 2 or not metrics:
        return {metric.kind: None for metric in metrics}
    few = _ordered(_some(answers))
    taken = len(few.truth)
    whole, centre = measure(answers, metrics), measure(few, metrics)
    drawn: dict[str, list[float]] = {metric.kind: [] for metric in metrics}
    own = weights(few)
    for times in _poisson(taken, count or resamples(rows)):
        for name, value in measure(dataclasses.replace(few, weight=own * times), metrics).items():
            if value is not None:
                drawn[name].append(value)
    total = count or resamples(rows)
    scale = math.sqrt(taken / rows)
    found: dict[str, Interval | None] = {}
    for name, values in drawn.items():
        middle, start = whole[name], centre[name]
        if middle is None or start is None or len(values) < (1 - UNTOLD) * total:
            found[name] = None
            continue
        low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        # Where all rows were resampled, middle is start and scale is 1: the plain percentiles.
        bounds = (_short(middle + (low - start) * scale), _short(middle + (high - start) * scale))
        found[name] = bounds if bounds[0] < bounds[1] else None
    return found


def _poisson(rows: int, count: int) -> Iterator[NDArray[np.float64]]:
    """Yield weights, `[rows]`, from a table of Poisson(1) in 65,536ths: quicker than drawing each."""
    chances = np.cumsum([math.exp(-1) / math.factorial(times) for times in range(9)])
    table = np.searchsorted(chances, (np.arange(65_536) + 0.5) / 65_536).astype(np.float64)
    generator = np.random.Generator(np.random.PCG64(0))
    for _ in range(count):
        yield table[generator.integers(0, 65_536, rows, dtype=np.uint16)]


def _some(answers: Answers) -> Answers:
    rows = len(answers.truth)
    if rows <= ROWS:
        return answers
    return answers.of(np.linspace(0, rows - 1, ROWS).round().astype(np.int64))


def _ordered(answers: Answers) -> Answers:
    """Return the rows by falling score, so that no resample has to sort them."""
    if answers.probabilities is not None:
        return answers.of(np.argsort(-answers.probabilities[:, -1], kind="stable"))
    return answers


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
