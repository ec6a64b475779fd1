"""What every loss must do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss
from mlspec.testing.check import Check, hold

ROWS = 60


def rows(kind: TargetKind, spread: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return made-up scores `[60, width] float32` and truth `[60]`."""
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn((ROWS, 3 if kind == "category" else 1), generator=generator) * spread
    if kind == "category":
        return scores, torch.randint(0, 3, (ROWS,), generator=generator)
    truth = torch.randn(ROWS, generator=generator)
    return scores, (truth > 0).float() if kind == "binary" else truth


def _is_of_each_row(kind: TargetKind, loss: Loss) -> None:
    scores, truth = rows(kind)
    each = loss.each(scores, truth, kind)
    told = f"{tuple(each.shape)} {each.dtype}"
    hold(
        each.shape == (ROWS,) and each.dtype == torch.float32,
        f"it gives {told}, and must give a float32 a row",
    )
    hold((each >= 0).all(), f"the least loss of a row is {each.min().item():.3g}")
    alone = torch.cat([loss.each(scores[i : i + 1], truth[i : i + 1], kind) for i in range(ROWS)])
    hold(
        torch.allclose(each, alone, rtol=1e-6, atol=1e-7),
        "a row's loss depends on the rows beside it",
    )


def _is_finite(kind: TargetKind, loss: Loss) -> None:
    for spread in (0.0, 1.0, 1e4):
        scores, truth = rows(kind, spread)
        scores.requires_grad_()
        each = loss.each(scores, truth, kind)
        each.sum().backward()  # type: ignore[no-untyped-call]
        hold(torch.isfinite(each).all(), f"the loss of scores around {spread:g} is not finite")
        gradient = scores.grad
        finite = gradient is not None and bool(torch.isfinite(gradient).all())
        hold(finite, f"the gradient at scores around {spread:g} is not finite")


def _leads_to_the_truth(kind: TargetKind, loss: Loss) -> None:
    _, truth = rows(kind)
    scores = torch.zeros((ROWS, 3 if kind == "category" else 1), requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss.each(scores, truth, kind).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found = scores.detach()
    if kind == "category":
        right = bool((found.argmax(1) == truth).all())
    elif kind == "binary":
        right = bool(((found[:, 0] > 0) == (truth > 0.5)).all())
    else:
        right = float((found[:, 0] - truth).abs().mean()) < 0.2
    hold(right, f"200 steps downhill do not lead scores of a {kind} target to the truth")


def _of_each(check: Callable[[TargetKind, Loss], None], loss: Loss, folder: Path) -> None:
    for kind in loss.targets:
        check(kind, loss)


CHECKS = (
    Check(
        "gives each row a loss of its own that is never negative",
        "return `[rows] float32`; the mean over rows is taken elsewhere",
        partial(_of_each, _is_of_each_row),
    ),
    Check(
        "stays finite, and its gradient too, however sure the model is",
        "use torch's `logsigmoid` and `log_softmax`, not the logarithm of a probability",
        partial(_of_each, _is_finite),
    ),
    Check("leads downhill to the truth", "look at the sign", partial(_of_each, _leads_to_the_truth)),
)
