"""What every calibration must do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from mlspec import registry
from mlspec.engine.builder import Builder
from mlspec.engine.exporting.tail import tail
from mlspec.sdk.calibration import Calibration
from mlspec.sdk.contract import FittedTarget

CALIBRATIONS = [
    pytest.param(example, kind, id=f"{name}-{place}-{kind}")
    for name in registry.kinds("calibration")
    for place, example in enumerate(registry.find("calibration", name).examples())
    for kind in example.targets
]
CLASSES = {"binary": ("no", "yes"), "category": ("a", "b", "c")}


def rows(kind: str, count: int = 3000, seed: int = 3, sure: float = 3.0) -> tuple[Any, Any, Any]:
    """Return scores that are `sure` times as far from zero as they should be, truths and weights."""
    random = np.random.default_rng(seed)
    width = 3 if kind == "category" else 1
    right = random.normal(0, 1.5, (count, width))
    shares = tail(right.astype(np.float32), FittedTarget(column="y", kind=kind, classes=CLASSES[kind]))  # type: ignore[arg-type]
    truth = (random.random(count)[:, None] > shares.cumsum(1)).sum(1).clip(max=len(CLASSES[kind]) - 1)
    return (right * sure).astype(np.float32), truth, random.uniform(0.5, 2.0, count)


def probabilities(kind: Any, scores: NDArray[np.float32]) -> NDArray[np.float64]:
    return tail(scores, FittedTarget(column="y", kind=kind, classes=CLASSES[kind]))


def nodes(calibration: Calibration, found: Any, width: int) -> onnxruntime.InferenceSession:
    builder = Builder("calibration")
    builder.input("scores", "float32", ("rows", width))
    builder.output(calibration.append(builder, "scores", found), "calibrated", "float32", ("rows", width))
    return onnxruntime.InferenceSession(builder.model().SerializeToString())


@pytest.mark.parametrize(("calibration", "kind"), CALIBRATIONS)
def test_it_mends_a_model_that_is_too_sure(calibration: Calibration, kind: Any) -> None:
    found = calibration.fit(*rows(kind))
    scores, truth, weight = rows(kind, seed=4)
    before, after = (
        log_loss(truth, probabilities(kind, some), sample_weight=weight)
        for some in (scores, calibration.apply(found, scores))
    )
    assert after < before - 0.2


@pytest.mark.parametrize(("calibration", "kind"), CALIBRATIONS)
@pytest.mark.parametrize("count", [2, 3, 50, 3000])
def test_its_nodes_answer_as_it_does(calibration: Calibration, kind: Any, count: int) -> None:
    scores, truth, weight = rows(kind, count)
    found = json.loads(json.dumps(calibration.fit(scores, truth, weight)))
    random = np.random.default_rng(0)
    asked = np.concatenate(
        [
            scores,
            np.nextafter(scores, np.float32(np.inf)),
            random.normal(0, 30, scores.shape),
            scores * 0,
            scores * 1e6,
        ]
    ).astype(np.float32)
    told = nodes(calibration, found, scores.shape[1]).run(None, {"scores": asked})[0]
    expected = calibration.apply(found, asked)
    assert told.dtype == expected.dtype == np.float32 and np.isfinite(told).all()
    np.testing.assert_allclose(told, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(probabilities(kind, told), probabilities(kind, expected), atol=1e-6)


@pytest.mark.parametrize(("calibration", "kind"), CALIBRATIONS)
def test_the_same_rows_give_the_same(calibration: Calibration, kind: Any) -> None:
    assert calibration.fit(*rows(kind)) == calibration.fit(*rows(kind))


@pytest.mark.parametrize(("calibration", "kind"), CALIBRATIONS)
def test_scores_that_are_all_the_same_or_told_apart_wholly_are_no_trouble(
    calibration: Calibration, kind: Any
) -> None:
    _, truth, weight = rows(kind, 200)
    width = 3 if kind == "category" else 1
    for scores in (
        np.ones((200, width), np.float32),
        np.eye(3, dtype=np.float32)[truth][:, -width:] * 20 - 10,
    ):
        found = calibration.fit(scores, truth, weight)
        assert np.isfinite(calibration.apply(found, scores)).all()
        assert np.isfinite(nodes(calibration, found, width).run(None, {"scores": scores})[0]).all()


def chosen(kind: str) -> Any:
    return registry.find("calibration", kind).revive({})


@pytest.mark.parametrize("sure", [0.3, 1.0, 5.0])
def test_a_temperature_is_the_slope_of_a_logistic_regression(sure: float) -> None:
    scores, truth, weight = rows("binary", sure=sure)
    line = LogisticRegression(C=np.inf, fit_intercept=False, solver="newton-cholesky", tol=1e-10)
    line.fit(scores.astype(float), truth, sample_weight=weight)
    found = chosen("temperature").fit(scores, truth, weight)["temperature"]
    assert 1 / found == pytest.approx(float(line.coef_[0, 0]), rel=1e-4)


def test_of_several_classes_no_other_temperature_has_a_smaller_log_loss() -> None:
    scores, truth, weight = rows("category")
    found = chosen("temperature").fit(scores, truth, weight)["temperature"]
    losses = [
        log_loss(
            truth, probabilities("category", (scores / (found * by)).astype(np.float32)), sample_weight=weight
        )
        for by in (1.0, 0.98, 1.02)
    ]
    assert losses[0] == min(losses)


def test_an_isotonic_line_goes_through_the_steps_of_scikit_learn() -> None:
    scores, truth, weight = rows("binary", 20_000)
    line = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    line.fit(scores[:, 0].astype(float), truth, sample_weight=weight)
    found = chosen("isotonic").fit(scores, truth, weight)
    assert len(found["scores"]) > 20 and sorted(found["scores"]) == found["scores"]
    asked, truth, weight = rows("binary", 20_000, seed=9)
    told = probabilities("binary", nodes(chosen("isotonic"), found, 1).run(None, {"scores": asked})[0])
    steps = line.predict(asked[:, 0].astype(float))
    assert np.abs(told[:, 1] - steps).mean() < 0.01 and np.abs(told[:, 1] - steps).max() < 0.06
    ours, theirs = (
        log_loss(truth, p.clip(1e-7, 1 - 1e-7), sample_weight=weight) for p in (told[:, 1], steps)
    )
    assert ours <= theirs
    assert len(np.unique(told[:, 1])) > 0.95 * len(np.unique(asked))  # rows keep their order


def test_the_last_bits_of_a_score_do_not_show_in_an_isotonic_answer() -> None:
    scores, truth, weight = rows("binary", 50_000, sure=8.0)
    found = chosen("isotonic").fit(scores, truth, weight)
    near = scores * np.float32(1 + 1e-6)
    one, other = (probabilities("binary", chosen("isotonic").apply(found, some)) for some in (scores, near))
    assert np.abs(one - other).max() < 2e-5
