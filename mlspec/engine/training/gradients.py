"""What a batch says about the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.loss import loss

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""Number formats of half the bytes."""


@dataclass(frozen=True)
class Gradients:
    """Scores batches and adds up their gradients, in as many parts and in the number format of the lesson."""

    lesson: Lesson
    group: Group
    """Who shares the batches out."""
    device: str
    """Type of the device, as torch names it."""
    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    backward: Callable[[torch.Tensor, bool], Any]
    """Takes the loss, and whether it is that of the last part of a batch."""

    def add(
        self,
        numbers: torch.Tensor,
        codes: torch.Tensor,
        truth: torch.Tensor,
        weight: torch.Tensor | None,
        rows: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return this rank's scores of a batch and the sum of its rows' losses, its gradients added.

        The mean over ranks of the gradients is that of the mean over the batch's rows, however unequal the
        shares are.

        Args:
            numbers: `[own rows, k] float32`.
            codes: `[own rows, m] int64`.
            truth: `[own rows]`.
            weight: `[own rows]`, or None.
            rows: Rows of the batch, of all ranks together.
        """
        # The same for all ranks, and never more than the rank with the fewest rows has.
        parts = max(1, min(self.lesson.accumulate, rows // self.group.ranks))
        if parts == 1:
            return self._add(numbers, codes, truth, weight, rows)
        split = [torch.tensor_split(tensor, parts) for tensor in (numbers, codes, truth)]
        weights = [None] * parts if weight is None else torch.tensor_split(weight, parts)
        found = [
            self._add(some, words, true, own, rows, whole=False, last=place == parts - 1)
            for place, (some, words, true, own) in enumerate(zip(*split, weights, strict=True))
        ]
        return torch.cat([scores for scores, _ in found]), torch.stack([sum_ for _, sum_ in found]).sum()

    def _add(
        self,
        numbers: torch.Tensor,
        codes: torch.Tensor,
        truth: torch.Tensor,
        weight: torch.Tensor | None,
        rows: int,
        whole: bool = True,
        last: bool = True,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self._scores(numbers, codes)
        kind, ranks = self.lesson.target.kind, self.group.ranks
        if ranks == 1 and whole:
            here = loss(kind, scores, truth, weight, chosen=self.lesson.loss)
            self.backward(here, last)
            return scores.detach(), here.detach() * len(truth)
        summed = loss(kind, scores, truth, weight, "sum", self.lesson.loss)
        if not self.group.count(rows):
            summed = summed * 0.0
        self.backward(summed * (ranks / rows), last)
        return scores.detach(), summed.detach()

    def look(
        self, numbers: torch.Tensor, codes: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None
    ) -> tuple[float, int]:
        """Return the sum of the losses of some rows, as `add` takes them, and how many rows they are."""
        summed = loss(
            self.lesson.target.kind, self._scores(numbers, codes), truth, weight, "sum", self.lesson.loss
        )
        return float(summed.item()), len(truth)

    def _scores(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        if self.lesson.precision == "fp32":
            return self.score(numbers, codes)
        with torch.autocast(self.device, HALVES[self.lesson.precision]):
            scores = self.score(numbers, codes)
        # The loss is taken in single precision: it sums many small numbers.
        return scores.float()


def clip(parameters: Iterable[torch.nn.Parameter], most: float) -> None:
    """Shorten gradients together, where they are longer than `most`; parted ones count as a whole.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013),
    algorithm 1.
    """
    held = [parameter for parameter in parameters if parameter.grad is not None]
    if not any(isinstance(parameter.grad, DTensor) for parameter in held):
        torch.nn.utils.clip_grad_norm_(held, most)
        return
    gradients = [parameter.grad for parameter in held if parameter.grad is not None]
    lengths = [gradient.norm() for gradient in gradients]
    wholes = [length.full_tensor() if isinstance(length, DTensor) else length for length in lengths]
    factor = (most / (torch.stack(wholes).norm() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        (gradient.to_local() if isinstance(gradient, DTensor) else gradient).mul_(factor)
