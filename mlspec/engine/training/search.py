"""A batch size and a learning rate that suit a training, found by trying."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlspec.engine.training.chunks import Shuffled, draws, rows_of
from mlspec.engine.training.gradients import Gradients, clip
from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.memory import Way, memory
from mlspec.engine.training.recompute import recompute
from mlspec.engine.training.seeded import seeded
from mlspec.errors import StepError
from mlspec.sdk.slot import Slot
from mlspec.sdk.strategy import Strategy

Batch = tuple[torch.Tensor | None, ...]

EPOCH = 32
"""Optimiser steps that an epoch keeps: larger batches learn less from the same rows."""
LEAST, MOST, STEPS = 1e-6, 1.0, 100
"""Learning rates that are tried, and in how many steps, each larger by the same factor."""
KEPT = 0.9
"""Part of the smoothed loss that stays at a step."""
DIVERGED = 4.0
"""Times the least loss at which the search ends."""
SKIPPED = 10
"""First steps, of which the smoothed loss says little."""
LOOKED_AT = 4_096
"""Rows whose loss is looked at behind each step, about."""


def batch_size(lesson: Lesson, budget: int, devices: int) -> int:
    """Return the largest power of two that fits a device's memory and leaves an epoch enough steps.

    Args:
        lesson: What is learnt; its own batch size does not matter.
        budget: Bytes of each device that training may take.
        devices: That share a batch out, or have a part of the model each.

    Raises:
        StepError: no batch fits.
    """
    least = 1 << (devices - 1).bit_length()
    size = max(least, 1 << max(0, (lesson.rows // EPOCH).bit_length() - 1))
    while (taken := _memory(lesson, size, devices)) > budget:
        if size <= least:
            raise StepError(
                f"a batch of {size} rows takes {taken / 1e6:.0f} MB of each device, and "
                f"{budget / 1e6:.0f} MB are there for it",
                where="training.batch_size",
                fix="use more devices with hardware.strategy: fsdp, or a smaller model",
            )
        size //= 2
    return size


def _memory(lesson: Lesson, size: int, devices: int) -> int:
    strategy = lesson.strategy or Slot("strategy").choose("single")
    assert isinstance(strategy, Strategy)
    given = (
        lesson.model,
        lesson.inputs,
        lesson.target,
        lesson.optimizer,
        strategy,
        size,
        devices,
        lesson.loss,
    )
    return memory(*given, way=Way(lesson.accumulate, lesson.precision, lesson.recompute)).total


def learning_rate(lesson: Lesson) -> float:
    """Return the learning rate at which the loss falls fastest while the rate grows, to two digits.

    The model, the rows and their order are those of the training; nothing of the search is kept. On the CPU
    it gives the same rate each time.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3. Where the search
    ends is as in PyTorch Lightning's `LearningRateFinder`.

    Raises:
        StepError: no rate makes the loss smaller.
    """
    with seeded(lesson.seed):
        rates, losses = _tried(lesson)
    found = steepest(rates, losses)
    if found is None:
        raise StepError(
            f"no learning rate between {LEAST:g} and {MOST:g} makes the loss smaller in {STEPS} steps",
            where="training.optimizer.lr",
            fix="give a number",
        )
    return float(f"{found:.2g}")


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """Return the rate at which losses fall fastest, over the logarithm of the rates; None where none falls.

    Losses are smoothed from both ends, so that the curve does not move to larger rates. Behind the least one
    nothing counts: what falls there had grown before.

    Args:
        rates: That were tried, each larger by the same factor.
        losses: Of the same rows at each.

    Example:
        >>> rates = [10 ** (place / 10) for place in range(-40, 1)]
        >>> losses = [1 / (1 + (rate / 0.01) ** 2) for rate in rates]
        >>> round(steepest(rates, losses), 4)
        0.01
    """
    if len(rates) < SKIPPED + 2:
        return None
    both = (_smooth(losses) + _smooth(losses[::-1])[::-1]) / 2
    some = slice(SKIPPED, SKIPPED + int(np.argmin(both[SKIPPED:-1])) + 1)
    if len(rates[some]) < 2:
        return None
    falls = np.gradient(both[some], np.log(rates[some]))
    place = int(np.argmin(falls))
    return float(rates[some][place]) if falls[place] < 0 else None


def _smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    mean, smooth = 0.0, []
    for step, loss in enumerate(losses, 1):
        mean = KEPT * mean + (1 - KEPT) * loss
        smooth.append(mean / (1 - KEPT**step))
    return np.array(smooth)


def _tried(lesson: Lesson) -> tuple[list[float], list[float]]:
    """Return the rates that were tried and the loss at each, until it grew too far.

    It is the loss of the same rows each time, before the step: a batch of its own would tell at which
    step rows far out came, and not what was learnt.
    """
    device = torch.device("cuda" if lesson.accelerator == "cuda" else "cpu")
    # Without a scaled loss fp16 would lose small gradients.
    precision = "fp32" if lesson.precision == "fp16" else lesson.precision
    start = lesson.optimizer.model_copy(update={"lr": LEAST})
    lesson = dataclasses.replace(lesson, optimizer=start, precision=precision)
    module = lesson.model.module(lesson.inputs, lesson.target).to(device).train()
    if lesson.recompute:
        recompute(module)
    optimizer = start.build(module.parameters())
    gradients = Gradients(
        lesson, Group(), device.type, module.__call__, lambda loss, last: torch.autograd.backward(loss)
    )
    rates: list[float] = []
    losses: list[float] = []
    looked_at = [*_first(_batches(lesson), min(LOOKED_AT, lesson.rows))]
    for step, batch in zip(range(STEPS), _batches(lesson), strict=False):
        rate = LEAST * (MOST / LEAST) ** (step / (STEPS - 1))
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses.append(_loss(gradients, looked_at, device))
        rates.append(rate)
        optimizer.zero_grad()
        numbers, codes, truth, weight = _on(batch, device)
        gradients.add(numbers, codes, truth, weight, len(truth))
        smooth = _smooth(losses)
        if not math.isfinite(losses[-1]) or (step > SKIPPED and smooth[-1] > DIVERGED * smooth.min()):
            return rates[:-1], losses[:-1]
        if lesson.clip_norm is not None:
            clip(module.parameters(), lesson.clip_norm)
        optimizer.step()
    return rates, losses


def _first(batches: Iterator[Batch], rows: int) -> Iterator[Batch]:
    """Give the first batches, until they have so many rows."""
    for batch in batches:
        yield batch
        assert batch[2] is not None
        rows -= len(batch[2])
        if rows <= 0:
            return


def _on(batch: Batch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Any]:
    """Return a batch's numbers, codes, truth and weight (or None) on a device."""
    numbers, codes, truth, weight = (None if part is None else part.to(device) for part in batch)
    assert numbers is not None and codes is not None and truth is not None
    return numbers, codes, truth, weight


def _loss(gradients: Gradients, batches: Sequence[Batch], device: torch.device) -> float:
    """Return the mean loss of some rows, with the same elements left out each time; nothing learns of it."""
    total, rows = 0.0, 0
    with torch.no_grad(), seeded(gradients.lesson.seed):
        for batch in batches:
            found, count = gradients.look(*_on(batch, device))
            total, rows = total + found, rows + count
    return total / rows


def _batches(lesson: Lesson) -> Iterator[Batch]:
    """Give batches as training has them, epoch after epoch."""
    rows = rows_of(lesson.train, lesson.target, lesson.class_weights)
    drawn = draws(lesson.train, lesson.target) if lesson.balanced else None
    chunks = Shuffled(rows, lesson.batch_size, lesson.seed, draws=drawn)
    while True:
        for chunk in chunks:
            count = -(-len(chunk[2]) // lesson.batch_size)
            parts = [[None] * count if one is None else torch.split(one, lesson.batch_size) for one in chunk]
            yield from zip(*parts, strict=True)
