"""Every measure against scikit-learn, on rows that hypothesis makes up."""

import functools
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.preprocessing import label_binarize
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from mlspec.registry import kinds
from mlspec.sdk.metric import Answers
from mlspec.sdk.slot import Slot

ROWS = st.integers(2, 60)


@st.composite
def classified(draw, classes: int) -> Answers:
    """Rows that hold every class, with many equal probabilities and, half of the time, weights of 0 to 3."""
    rows = draw(ROWS) + classes
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    steps = draw(st.sampled_from([2, 5, 1000]))
    raw = generator.integers(1, steps + 1, (rows, classes)).astype(float)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    labels = generator.integers(0, draw(st.integers(1, classes)), rows)
    weight = generator.integers(0, 4, rows).astype(float) if draw(st.booleans()) else None
    if weight is not None:
        weight[:classes] += 1
    kind = "binary" if classes == 2 else "category"
    return Answers(kind, truth.astype(float), probabilities, labels, None, weight)


@st.composite
def measured(draw) -> Answers:
    """Rows of a number target with a spread, some of it exactly 0."""
    rows = draw(ROWS)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.round(generator.normal(0, 10, rows), draw(st.sampled_from([0, 3])))
    truth[:2] = 1.0, 4.0
    values = truth + np.round(generator.normal(0, 3, rows), draw(st.sampled_from([0, 3])))
    weight = generator.integers(0, 4, rows).astype(float) if draw(st.booleans()) else None
    if weight is not None:
        weight[:2] += 1
    return Answers("number", truth, None, None, values, weight)


def value(kind: str, answers: Answers) -> float:
    return Slot("metric").choose(kind).value(answers)


def labelled(call, **options):
    def measure(rows: Answers) -> float:
        average = {} if not options else {"average": "binary" if rows.kind == "binary" else "macro"} | options
        return call(rows.truth, rows.labels, sample_weight=rows.weight, **average)

    return measure


def scored(call, **options):
    def measure(rows: Answers) -> float:
        if rows.kind == "binary":
            return call(rows.truth, rows.probabilities[:, 1], sample_weight=rows.weight)
        return call(rows.truth, rows.probabilities, sample_weight=rows.weight, **options)

    return measure


def average_precision(rows: Answers) -> float:
    if rows.kind == "binary":
        return reference.average_precision_score(
            rows.truth, rows.probabilities[:, 1], sample_weight=rows.weight
        )
    hot = label_binarize(rows.truth, classes=range(rows.probabilities.shape[1]))
    return reference.average_precision_score(
        hot, rows.probabilities, average="macro", sample_weight=rows.weight
    )


def log_loss(rows: Answers) -> float:
    return reference.log_loss(rows.truth, rows.probabilities, sample_weight=rows.weight)


CLASSIFIED = {
    "accuracy": labelled(reference.accuracy_score),
    "balanced_accuracy": labelled(reference.balanced_accuracy_score),
    "precision": labelled(reference.precision_score, zero_division=0),
    "recall": labelled(reference.recall_score, zero_division=0),
    "f1": labelled(reference.f1_score, zero_division=0),
    "auroc": scored(reference.roc_auc_score, multi_class="ovr", average="macro"),
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": scored(reference.brier_score_loss),
}
MEASURED = {
    "mae": reference.mean_absolute_error,
    "rmse": reference.root_mean_squared_error,
    "r2": reference.r2_score,
    "mape": reference.mean_absolute_percentage_error,
    "median_absolute_error": reference.median_absolute_error,
    "pinball": functools.partial(reference.mean_pinball_loss, alpha=0.5),
}


@pytest.mark.parametrize("kind", sorted(CLASSIFIED))
@pytest.mark.parametrize("classes", [2, 4])
def test_a_measure_of_classes_equals_scikit_learn(kind: str, classes: int) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(classified(classes))
    def equal(rows: Answers) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = CLASSIFIED[kind](rows)
        assert value(kind, rows) == pytest.approx(expected, rel=1e-9, abs=1e-12)

    equal()


@pytest.mark.parametrize("kind", sorted(MEASURED))
def test_a_measure_of_numbers_equals_scikit_learn(kind: str) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(measured())
    def equal(rows: Answers) -> None:
        expected = MEASURED[kind](rows.truth, rows.values, sample_weight=rows.weight)
        assert value(kind, rows) == pytest.approx(expected, rel=1e-9, abs=1e-12)

    equal()


def test_every_shipped_measure_is_held_against_a_reference() -> None:
    assert set(kinds("metric")) == set(CLASSIFIED) | set(MEASURED) | {"calibration_error"}


@pytest.mark.parametrize("q", [0.1, 0.9])
def test_the_pinball_loss_of_any_quantile_equals_scikit_learn(q: float) -> None:
    generator = np.random.default_rng(1)
    truth, values, weight = generator.normal(size=50), generator.normal(size=50), generator.random(50)
    found = (
        Slot("metric")
        .choose({"kind": "pinball", "q": q})
        .value(Answers("number", truth, None, None, values, weight))
    )
    assert found == pytest.approx(reference.mean_pinball_loss(truth, values, sample_weight=weight, alpha=q))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("bins", [1, 10, 15])
def test_the_calibration_error_equals_torchmetrics(classes: int, bins: int) -> None:
    generator = np.random.default_rng(bins)
    shares = generator.dirichlet(np.ones(classes), 300)
    truth, weight = generator.integers(0, classes, 300), generator.integers(0, 4, 300)
    many = np.repeat(np.arange(300), weight)
    told, right = torch.tensor(shares[many]), torch.tensor(truth[many])
    if classes == 2:
        expected = binary_calibration_error(told[:, 1], right, n_bins=bins)
    else:
        expected = multiclass_calibration_error(told, right, num_classes=classes, n_bins=bins)
    rows = Answers(
        "binary" if classes == 2 else "category",
        truth.astype(float), shares, shares.argmax(1), None, weight.astype(float),
    )  # fmt: skip
    found = Slot("metric").choose({"kind": "calibration_error", "bins": bins}).value(rows)
    assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("kind", ["auroc", "average_precision", "recall", "precision", "f1"])
def test_rows_without_a_positive_cannot_tell(kind: str) -> None:
    rows = Answers("binary", np.zeros(3), np.array([[0.9, 0.1]] * 3), np.zeros(3, np.int64), None)
    assert math.isnan(value(kind, rows))


def test_never_saying_positive_is_a_precision_of_zero() -> None:
    rows = Answers("binary", np.array([0.0, 1.0]), np.array([[0.9, 0.1]] * 2), np.zeros(2, np.int64), None)
    assert value("precision", rows) == 0.0


@pytest.mark.parametrize("kind", sorted(CLASSIFIED))
def test_no_rows_give_nan_for_classes(kind: str) -> None:
    rows = Answers("binary", np.zeros(0), np.zeros((0, 2)), np.zeros(0, np.int64), None)
    assert math.isnan(value(kind, rows))


@pytest.mark.parametrize("kind", sorted(MEASURED))
def test_no_rows_give_nan_for_numbers(kind: str) -> None:
    assert math.isnan(value(kind, Answers("number", np.zeros(0), None, None, np.zeros(0))))


@pytest.mark.parametrize("kind", ["auroc", "average_precision", "log_loss", "brier"])
def test_a_nan_answer_is_never_hidden(kind: str) -> None:
    probabilities = np.array([[0.1, 0.9], [np.nan, np.nan], [0.8, 0.2]])
    rows = Answers("binary", np.array([1.0, 1.0, 0.0]), probabilities, np.array([1, 0, 0]), None)
    assert math.isnan(value(kind, rows))


@pytest.mark.parametrize("kind", sorted(MEASURED))
def test_a_nan_value_is_never_hidden(kind: str) -> None:
    rows = Answers("number", np.array([1.0, 2.0, 3.0]), None, None, np.array([1.0, np.nan, 3.0]))
    assert math.isnan(value(kind, rows))


def test_constant_truth_has_no_r2() -> None:
    assert math.isnan(value("r2", Answers("number", np.ones(4), None, None, np.arange(4.0))))
