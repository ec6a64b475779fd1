"""Batch normalisation over the rows of all processes that share a batch out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import distributed
from torch.nn.modules.batchnorm import _BatchNorm

from mlspec.engine.training.group import Group
from mlspec.errors import StepError

ALONE = "set hardware.devices: 1"

Forward = Callable[[torch.Tensor], torch.Tensor]


class Synchronised:
    """Lets each batch normalisation of a module see a batch whole while it trains.

    Mean and variance are those of all processes' rows, so what is learnt, and the running statistics, are
    those of one process, but for rounding. torch's own `SyncBatchNorm` does not run on a CPU.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1; parts of a batch are joined as in
    Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
    1979.

    Args:
        module: Before it is spread; it stays as it is where one process has every row.
        group: Who shares the batches out.
        accumulate: Parts that each process scores its rows in.

    Raises:
        StepError: a normalisation cannot be that of one process.
    """

    def __init__(self, module: torch.nn.Module, group: Group, accumulate: int = 1) -> None:
        self.rows = 0
        """Rows of the batch at work, of all processes together; set before each is scored."""
        self._group = group
        if group.ranks == 1:
            return
        for norm in module.modules():
            if isinstance(norm, _BatchNorm):
                _check(norm, group, accumulate)
                norm.forward = functools.partial(self._forward, norm, norm.forward)  # type: ignore[method-assign]

    def _forward(self, norm: _BatchNorm, own: Forward, value: torch.Tensor) -> torch.Tensor:
        # Where a batch has one row, each process has one, and the module knows what to do with it.
        if not norm.training or self.rows == 1:
            return own(value)
        norm._check_input_dim(value)  # type: ignore[no-untyped-call]
        share = self._group.count(self.rows)
        if len(value) % max(1, share):
            raise StepError(
                f"'{type(norm).__name__}' normalises {len(value)} rows at once, and this process has {share} "
                "of the batch: other processes cannot have the same part of it",
                where="hardware.devices",
                fix=f"{ALONE}, or normalise over whole batches",
            )
        scaled, mean, variance, count = _Normalised.apply(  # type: ignore[no-untyped-call]
            value, norm.weight, norm.bias, norm.eps, share > 0, self._group
        )
        _remember(norm, mean, variance, count)
        normalised: torch.Tensor = scaled
        return normalised


def _check(norm: _BatchNorm, group: Group, accumulate: int) -> None:
    what = f"the model has a batch normalisation ('{type(norm).__name__}')"
    if norm.running_mean is None:
        raise StepError(
            f"{what} without running statistics, and {group.ranks} processes answer a part of the rows each",
            where="hardware.devices",
            fix=f"{ALONE}, or let it track them (track_running_stats=True)",
        )
    if accumulate > 1:
        raise StepError(
            f"{what}, and parts of the batch of {group.ranks} processes are not those of one",
            where="training.accumulate",
            fix=f"set training.accumulate: 1, or {ALONE}",
        )


def _remember(norm: _BatchNorm, mean: torch.Tensor, variance: torch.Tensor, count: torch.Tensor) -> None:
    """Let running statistics follow those of a batch, as torch does."""
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.num_batches_tracked is not None
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)
        new = 1.0 / norm.num_batches_tracked if norm.momentum is None else norm.momentum
        norm.running_mean.mul_(1 - new).add_(new * mean)
        norm.running_var.mul_(1 - new).add_(new * variance * (count / (count - 1)))


class _Normalised(torch.autograd.Function):
    """`[rows, width, ...]` normalised over all axes but the second, and over processes."""

    @staticmethod
    def forward(
        context: Any,
        value: torch.Tensor,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        epsilon: float,
        counts: bool,
        group: Group,
    ) -> tuple[torch.Tensor, ...]:
        """Return the values, and `mean [width]`, `variance [width]` and `count []` of all processes.

        Args:
            value: `[rows, width, ...]`, this process's.
            weight: `[width]`, or None.
            bias: `[width]`, or None.
            counts: Whether this process's rows are part of the batch.
            epsilon: Added to a variance before its root is taken.
            group: The processes.
        """
        exact = _exact(value)
        variance, mean = torch.var_mean(exact, _others(value), correction=0)
        count = exact.new_tensor([value.numel() / value.shape[1] if counts else 0.0])
        told = torch.cat([mean, variance, count])
        all_told = told.new_empty((group.ranks, len(told)))
        distributed.all_gather(list(all_told.unbind()), told, group=group.among)
        means, variances, numbers = all_told.tensor_split([len(mean), 2 * len(mean)], 1)
        total = numbers.sum()
        mean = (numbers * means).sum(0) / total
        variance = (numbers * (variances + (means - mean) ** 2)).sum(0) / total
        inverse = (variance + epsilon).rsqrt()
        context.save_for_backward(value, weight, mean, inverse, total)
        context.counts, context.group = counts, group
        context.mark_non_differentiable(mean, variance, total)
        scaled = _along(value, mean, inverse)
        if weight is not None:
            scaled = scaled * _shaped(weight, value)
        if bias is not None:
            scaled = scaled + _shaped(bias, value)
        return scaled.to(value.dtype), mean, variance, total

    @staticmethod
    def backward(context: Any, given: torch.Tensor, *_: Any) -> tuple[torch.Tensor | None, ...]:
        """Return gradients: of the values with what they do to the rows of other processes."""
        value, weight, mean, inverse, total = context.saved_tensors
        exact, normal = _exact(given), _along(value, mean, inverse)
        own = torch.stack([exact.sum(_others(value)), (exact * normal).sum(_others(value))])
        shared = own.clone()
        distributed.all_reduce(shared, group=context.group.among)
        # A row that is in no statistics moves none.
        shift, slope = (_shaped(part, value) for part in shared / total * float(context.counts))
        factor = inverse if weight is None else inverse * weight
        made = (exact - shift - normal * slope) * _shaped(factor, value)
        needs = context.needs_input_grad
        return (
            made.to(value.dtype) if needs[0] else None,
            own[1].to(weight.dtype) if needs[1] else None,
            own[0] if needs[2] else None,
            None,
            None,
            None,
        )


def _exact(value: torch.Tensor) -> torch.Tensor:
    return value.to(torch.promote_types(value.dtype, torch.float32))


def _others(value: torch.Tensor) -> tuple[int, ...]:
    return (0, *range(2, value.dim()))


def _shaped(part: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return `[width]` as it is multiplied with `[rows, width, ...]`."""
    return part.view(1, -1, *[1] * (value.dim() - 2))


def _along(value: torch.Tensor, mean: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
    return (_exact(value) - _shaped(mean, value)) * _shaped(inverse, value)
