"""What every metric must do."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric
from mlspec.testing.check import Check, hold

WEIGHT = np.array([2.0, 1, 1, 0, 1, 2, 1, 1, 1, 0, 1, 2])


def rows(target: TargetKind, right: bool) -> Answers:
    """Return twelve answers that are nearly perfect, or as wrong as can be."""
    if target == "number":
        truth = np.arange(1.0, 13.0)
        return Answers(target, truth, None, None, truth + 0.01 if right else -truth)
    classes = 2 if target == "binary" else 3
    truth = np.arange(12) % classes
    said = truth if right else (truth + 1) % classes
    shares = np.full((12, classes), 0.02)
    shares[np.arange(12), said] = 1 - 0.02 * (classes - 1)
    return Answers(target, truth.astype(float), shares, said, None)


def taken(answers: Answers, order: NDArray[np.int64], weight: NDArray[np.float64] | None) -> Answers:
    """Return some rows of answers, in an order, with weights of their own."""

    def some(array: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if array is None else array[order]

    return Answers(
        answers.kind,
        answers.truth[order],
        some(answers.probabilities),
        some(answers.labels),  # type: ignore[arg-type]
        some(answers.values),
        weight,
    )


def _mixed(target: TargetKind) -> Answers:
    """Return answers of which a third are wrong."""
    good, wrong, some = rows(target, True), rows(target, False), np.arange(12) < 4
    return Answers(
        target,
        good.truth,
        None
        if good.probabilities is None
        else np.where(some[:, None], wrong.probabilities, good.probabilities),  # type: ignore[arg-type]
        None if good.labels is None else np.where(some, wrong.labels, good.labels),  # type: ignore[arg-type]
        None if good.values is None else np.where(some, wrong.values, good.values),  # type: ignore[arg-type]
    )


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)


def _knows_better(target: TargetKind, metric: Metric) -> None:
    good, bad = metric.value(rows(target, True)), metric.value(rows(target, False))
    hold(type(good) is float, f"it gives a {type(good).__name__}, and must give a float")
    hold(math.isfinite(good) and math.isfinite(bad), f"it gives {good} and {bad}")
    better = good > bad if metric.better == "higher" else good < bad
    hold(
        better,
        f"nearly perfect answers measure {good:.4g}, wrong ones {bad:.4g}, and {metric.better} is better",
    )


def _weighs(target: TargetKind, metric: Metric) -> None:
    repeated = np.repeat(np.arange(12), WEIGHT.astype(int))
    weighted = metric.value(taken(_mixed(target), np.arange(12), WEIGHT))
    written_out = metric.value(taken(_mixed(target), repeated, None))
    hold(_alike(weighted, written_out), f"{weighted!r} by weights, {written_out!r} with the rows written out")


def _keeps_no_order(target: TargetKind, metric: Metric) -> None:
    order = np.random.default_rng(0).permutation(12)
    value, mixed = metric.value(rows(target, True)), metric.value(taken(rows(target, True), order, None))
    hold(_alike(value, mixed), f"{value!r}, and {mixed!r} in another order")


def _cannot_tell(target: TargetKind, metric: Metric) -> None:
    none = metric.value(taken(rows(target, True), np.zeros(0, np.int64), None))
    hold(math.isnan(none), f"of no rows it says {none}, and must say NaN")
    weightless = metric.value(taken(rows(target, True), np.arange(12), np.zeros(12)))
    hold(math.isnan(weightless), f"of rows that weigh nothing it says {weightless}, and must say NaN")


def _of_each(check: Callable[[TargetKind, Metric], None], metric: Metric, folder: Path) -> None:
    for target in metric.targets:
        check(target, metric)


CHECKS = (
    Check(
        "tells better answers from worse ones",
        "set `better` to 'higher' or 'lower', and return a float",
        partial(_of_each, _knows_better),
    ),
    Check(
        "takes a weight of two for a row twice, and of zero for no row",
        "weigh each row by `answers.weight`",
        partial(_of_each, _weighs),
    ),
    Check("does not look at the order of rows", "sort, or sum", partial(_of_each, _keeps_no_order)),
    Check(
        "says NaN where nothing can be told",
        "return `math.nan` where the weights sum to nothing",
        partial(_of_each, _cannot_tell),
    ),
)
