"""What a model makes small, and how a torch model's weights move."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import torch


class Loss(Plugin):
    """What training makes small."""

    slot: ClassVar[str] = "loss"
    targets: ClassVar[tuple[TargetKind, ...]]
    """Kinds of target that it can be taken for."""

    def each(self, scores: torch.Tensor, truth: torch.Tensor, kind: TargetKind) -> torch.Tensor:
        """Return the loss of each row, `[rows] float32`.

        Args:
            scores: `[rows, width] float32`: logits, or a value in the target's standard deviations.
            truth: `[rows]`: 0 or 1 float32 (binary), class codes int64 (category), standardised values
                float32 (number).
            kind: What is predicted.
        """
        raise NotImplementedError


class Optimizer(Plugin):
    """A rule that turns gradients into steps."""

    slot: ClassVar[str] = "optimizer"

    lr: float | Literal["auto"]
    """Learning rate."""

    @property
    def rate(self) -> float:
        """Return the learning rate as a number.

        Raises:
            ValueError: it is still open.
        """
        if self.lr == "auto":
            raise ValueError("the learning rate is still to be found")
        return self.lr

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser over a module's parameters."""
        raise NotImplementedError

    @staticmethod
    def fused(weights: Iterable[torch.nn.Parameter]) -> bool:
        """Return whether a kernel of torch's may move all weights at once; XLA compiles its own."""
        return all(weight.device.type != "xla" for weight in weights)


class Schedule(Plugin):
    """How the learning rate changes from step to step."""

    slot: ClassVar[str] = "schedule"

    def build(self, optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        """Return the scheduler, advanced once an optimiser step; the whole training has `steps` of them."""
        raise NotImplementedError
