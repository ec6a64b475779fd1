"""What every metric keeps to."""

import math

import numpy as np
import pytest

from mlspec import registry
from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric

CASES = [
    (kind, example, target)
    for kind in registry.kinds("metric")
    for example in registry.find("metric", kind).examples()
    for target in example.targets
]


def rows(target: TargetKind, right: bool) -> Answers:
    """Answers that are nearly perfect, or as wrong as can be."""
    if target == "number":
        truth = np.arange(1.0, 13.0)
        return Answers(target, truth, None, None, truth + 0.01 if right else -truth)
    classes = 2 if target == "binary" else 3
    truth = np.arange(12) % classes
    said = truth if right else (truth + 1) % classes
    shares = np.full((12, classes), 0.02)
    shares[np.arange(12), said] = 1 - 0.02 * (classes - 1)
    return Answers(target, truth.astype(float), shares, said, None)


def taken(answers: Answers, order: np.ndarray, weight: np.ndarray | None) -> Answers:
    def some(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[order]

    return Answers(
        answers.kind,
        answers.truth[order],
        some(answers.probabilities),
        some(answers.labels),
        some(answers.values),
        weight,
    )


@pytest.mark.parametrize(("kind", "metric", "target"), CASES)
def test_better_answers_measure_better(kind: str, metric: Metric, target: TargetKind) -> None:
    good, bad = metric.value(rows(target, True)), metric.value(rows(target, False))
    assert type(good) is float and math.isfinite(good) and math.isfinite(bad)
    assert good > bad if metric.better == "higher" else good < bad


@pytest.mark.parametrize(("kind", "metric", "target"), CASES)
def test_a_weight_of_two_is_a_row_twice_and_of_zero_no_row(
    kind: str, metric: Metric, target: TargetKind
) -> None:
    weight = np.array([2.0, 1, 1, 0, 1, 2, 1, 1, 1, 0, 1, 2])
    mixed = rows(target, True)
    wrong = rows(target, False)
    half = np.arange(12) < 4
    mixed = Answers(
        target,
        mixed.truth,
        None
        if mixed.probabilities is None
        else np.where(half[:, None], wrong.probabilities, mixed.probabilities),
        None if mixed.labels is None else np.where(half, wrong.labels, mixed.labels),
        None if mixed.values is None else np.where(half, wrong.values, mixed.values),
    )
    repeated = np.repeat(np.arange(12), weight.astype(int))
    weighted = metric.value(taken(mixed, np.arange(12), weight))
    assert weighted == pytest.approx(metric.value(taken(mixed, repeated, None)), rel=1e-12)


@pytest.mark.parametrize(("kind", "metric", "target"), CASES)
def test_the_order_of_rows_says_nothing(kind: str, metric: Metric, target: TargetKind) -> None:
    order = np.random.default_rng(0).permutation(12)
    value = metric.value(rows(target, True))
    assert metric.value(taken(rows(target, True), order, None)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("kind", "metric", "target"), CASES)
def test_no_rows_cannot_tell(kind: str, metric: Metric, target: TargetKind) -> None:
    assert math.isnan(metric.value(taken(rows(target, True), np.zeros(0, int), None)))


@pytest.mark.parametrize(("kind", "metric", "target"), CASES)
def test_no_weight_cannot_tell(kind: str, metric: Metric, target: TargetKind) -> None:
    assert math.isnan(metric.value(taken(rows(target, True), np.arange(12), np.zeros(12))))
