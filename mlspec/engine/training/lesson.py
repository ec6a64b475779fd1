"""All that one training of a torch model is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Metric
from mlspec.sdk.model import TorchModel
from mlspec.sdk.strategy import Accelerator, Precision, Strategy
from mlspec.sdk.training import Loss, Optimizer, Schedule
from mlspec.sdk.trial import Trial


@dataclass(frozen=True)
class Lesson:
    """What is learnt, from what and how."""

    model: TorchModel
    inputs: ModelInputs
    target: FittedTarget
    train: Encoded
    val: Encoded | None
    """None where no row is in the val split."""
    optimizer: Optimizer
    schedule: Schedule | None = None
    epochs: int = 10
    batch_size: int = 256
    """Rows an optimiser step."""
    seed: int = 0
    loss: Loss | None = None
    """What is made small; None: the log loss of classes, the squared error of a number."""
    class_weights: tuple[float, ...] | None = None
    """One factor a class, or None."""
    balanced: bool = False
    """Whether rows are drawn so that each class comes equally often, instead of each row once an epoch."""
    accumulate: int = 1
    """Parts that a batch is scored in, one after the other."""
    clip_norm: float | None = None
    """Most length of the gradient of a step; None: any."""
    precision: Precision = "fp32"
    """Number format that batches are scored in; weights are kept in single precision."""
    recompute: bool = False
    """Whether blocks are computed again for their gradients, and not kept."""
    patience: int | None = None
    """Epochs without a better value before training stops; None: never."""
    metric: Metric | None = None
    """What early stopping watches on the val split; its loss where None."""
    trial: Trial | None = None
    """What is told after each epoch where this is one of many trainings that are ranked."""
    save_every: float = 300.0
    """Seconds between checkpoints inside an epoch."""
    names: Callable[[Sequence[int]], Sequence[str]] | None = None
    """Gives what rows of the training split are called, by their numbers from 0; None: nobody knows."""
    labels: Callable[[], Mapping[str, Mapping[int, str]]] | None = None
    """Gives what the codes of each code column stand for; None: nobody knows."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Texts that TensorBoard shows beside the training, by their titles."""
    accelerator: Accelerator = "cpu"
    strategy: Strategy | None = None
    """How it is spread over devices; None: one device."""
    devices: int = 1
    """Devices of each process."""

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.train.rows

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.epochs * -(-self.rows // self.batch_size)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Measures that are taken of the val split after each epoch, besides its loss."""
        wanted = (self.metric, None if self.trial is None else self.trial.metric)
        return tuple(metric for metric in wanted if metric is not None)

    @property
    def watched(self) -> str:
        """Name of what early stopping watches on the val split."""
        return "loss" if self.metric is None else self.metric.kind

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Direction in which the watched value is better."""
        return "lower" if self.metric is None else self.metric.better
