"""What a torch model is pushed to make small."""

from __future__ import annotations

import torch
from torch.nn import functional

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.training import Loss

TRUTH = {"binary": torch.float32, "category": torch.int64, "number": torch.float32}
"""Type of the truth for each kind of target."""


def loss(
    kind: TargetKind,
    scores: torch.Tensor,
    truth: torch.Tensor,
    weight: torch.Tensor | None,
    reduction: str = "mean",
    chosen: Loss | None = None,
) -> torch.Tensor:
    """Return the loss that was chosen, else the log loss of classes or the squared error of a number.

    Args:
        kind: What is predicted.
        scores: `[rows, width] float32`.
        truth: `[rows]`: 0 or 1 float32, class codes int64, or standardised values float32.
        weight: `[rows] float32` with a mean of 1 over all training rows, or None.
        reduction: `mean` over rows (not over weights, so that a batch of heavy rows pushes more), or `sum`.
        chosen: What the spec names; torch's own kernels are taken where it names nothing.
    """
    if chosen is not None:
        each = chosen.each(scores, truth, kind)
        each = each if weight is None else each * weight
        return each.mean() if reduction == "mean" else each.sum()
    each_reduction = reduction if weight is None else "none"
    if kind == "category":
        each = functional.cross_entropy(scores, truth, reduction=each_reduction)
    elif kind == "binary":
        each = functional.binary_cross_entropy_with_logits(scores[:, 0], truth, reduction=each_reduction)
    else:
        each = functional.mse_loss(scores[:, 0], truth, reduction=each_reduction)
    if weight is None:
        return each
    return (each * weight).mean() if reduction == "mean" else (each * weight).sum()
