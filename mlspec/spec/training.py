"""`training:`: how a torch model learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.calibration import Calibration
from mlspec.sdk.fields import Duration, NoEffect
from mlspec.sdk.frozen import Section
from mlspec.sdk.metric import Metric
from mlspec.sdk.slot import Slot
from mlspec.sdk.training import Loss, Optimizer, Schedule


class EarlyStopping(Section):
    """`training.early_stopping`: stop when the val split no longer gets better."""

    metric: Annotated[Metric, Slot("metric")] | None = None
    """The measure on the val split; it knows its direction. The loss where absent."""
    patience: int = Field(default=3, ge=1)
    """Epochs without a better value before training stops; the best epoch's weights are kept."""


class Checkpoint(Section):
    """`training.checkpoint`: how often a training can be resumed from."""

    every: Annotated[Duration, NoEffect()] = "5m"
    """Time between checkpoints; one is also written after an epoch, as long as they take a fiftieth of the
    time at most.
    """


class Training(Section):
    """How a model learns."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    """Times each training row is seen."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = 256
    """Rows an optimiser step. `auto` is the largest power of two that fits a device's memory and leaves an
    epoch 32 steps; it is found once, and pinned in `pipelines/<name>/found.yaml`.
    """
    loss: Annotated[Loss, Slot("loss")] | None = None
    """What is made small; the log loss of classes, or the squared error of a number, where absent."""
    optimizer: Annotated[Optimizer, Slot("optimizer", default="adamw")] = Field(  # type: ignore[assignment]
        default_factory=lambda: Slot("optimizer").choose("adamw"), validate_default=False
    )
    """How weights move."""
    schedule: Annotated[Schedule, Slot("schedule")] | None = None
    """How the learning rate changes; constant where absent."""
    early_stopping: EarlyStopping | None = None
    """Stop early on the val split; off where absent."""
    class_weights: Literal["balanced"] | Mapping[str, Annotated[float, Field(gt=0)]] | None = None
    """Weight of each class in the loss; `balanced` weighs by the inverse of the training rows of a class."""
    sampling: Literal["balanced"] | None = None
    """`balanced` draws rows so that each class comes equally often, as many an epoch as there are training
    rows: rare ones come several times. Absent, each row comes once an epoch.
    """
    accumulate: int = Field(default=1, ge=1, le=65_536)
    """Parts that each batch is scored in, one after the other, for batches that a device cannot hold at once.
    The result is that of one part, but for rounding and for the rows that dropout hides.
    """
    clip_norm: float | None = Field(default=None, gt=0)
    """Most length of a step's gradient: a longer one is shortened to it. Any length where absent."""
    activation_checkpointing: bool = False
    """Whether blocks of the model keep nothing for their gradients and are computed again: less memory, a
    third more work, the same result.
    """
    calibration: Annotated[Calibration, Slot("calibration")] | None = None
    """What makes probabilities mean what they say: fitted on the val split, a part of the exported file. Off
    where absent.
    """
    checkpoint: Annotated[Checkpoint, NoEffect()] = Checkpoint()
    """How often training can be resumed from."""
    profile: Annotated[bool, NoEffect()] = False
    """Whether a training that runs tells where its time went, and writes a trace of some steps into its logs;
    it is a little slower, and the result is the same.
    """
