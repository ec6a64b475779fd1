"""What every loss must do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_pinball_loss
from torch.nn import functional

from mlspec import registry
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.training import Loss
from mlspec.testing.check import Check
from mlspec.testing.loss import CHECKS, rows
from tests.cases import cases


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "loss"))
def test_it_does_what_a_loss_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)


def made(kind: str, **options: Any) -> Loss:
    found = registry.find("loss", kind).revive(options)
    assert isinstance(found, Loss)
    return found


def test_the_log_loss_is_scikit_learn_s() -> None:
    scores, truth = rows("category")
    probabilities = functional.softmax(scores.double(), 1).numpy()
    found = made("log_loss").each(scores, truth, "category").mean()
    assert float(found) == pytest.approx(log_loss(truth.numpy(), probabilities, labels=[0, 1, 2]), rel=1e-5)
    scores, truth = rows("binary")
    probability = torch.sigmoid(scores[:, 0].double()).numpy()
    found = made("log_loss").each(scores, truth, "binary").mean()
    assert float(found) == pytest.approx(log_loss(truth.numpy(), probability), rel=1e-5)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_quantile_loss_is_scikit_learn_s(q: float) -> None:
    scores, truth = rows("number")
    found = made("quantile", q=q).each(scores, truth, "number").mean()
    expected = mean_pinball_loss(truth.numpy(), scores[:, 0].numpy(), alpha=q)
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("delta", [0.1, 1.0])
def test_huber_s_loss_is_its_formula(delta: float) -> None:
    scores, truth = rows("number")
    gap = np.abs(scores[:, 0].numpy().astype(np.float64) - truth.numpy())
    expected = np.where(gap <= delta, gap**2 / 2, delta * (gap - delta / 2))
    found = made("huber", delta=delta).each(scores, truth, "number").numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_focal_loss_is_its_formula(gamma: float) -> None:
    for kind in ("binary", "category"):
        scores, truth = rows(kind)
        wide = scores.numpy().astype(np.float64)
        if kind == "binary":
            wide = np.concatenate([np.zeros_like(wide), wide], axis=1)
        shares = np.exp(wide) / np.exp(wide).sum(1, keepdims=True)
        of_truth = shares[np.arange(60), truth.numpy().astype(int)]
        found = made("focal", gamma=gamma).each(scores, truth, kind).numpy()  # type: ignore[arg-type]
        np.testing.assert_allclose(found, -((1 - of_truth) ** gamma) * np.log(of_truth), rtol=1e-4)


def test_a_focal_loss_of_nothing_is_the_log_loss() -> None:
    for kind in ("binary", "category"):
        scores, truth = rows(kind)
        one, other = (made(*words).each(scores, truth, kind) for words in (("log_loss",), ("focal",)))  # type: ignore[arg-type]
        assert not torch.allclose(one, other)
        other = made("focal", gamma=0).each(scores, truth, kind)  # type: ignore[arg-type]
        assert torch.allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("focal", {"gamma": -1}), ("huber", {"delta": 0}), ("quantile", {"q": 1.0}), ("quantile", {"q": 0})],
)
def test_options_beyond_their_limits_are_refused(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        made(kind, **options)
