"""From sections of a spec to what is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlspec.engine.training.prepared import Prepared
from mlspec.engine.training.weights import class_weights
from mlspec.sdk.model import TorchModel
from mlspec.sdk.strategy import Accelerator
from mlspec.spec.hardware import Hardware
from mlspec.spec.training import Training

if TYPE_CHECKING:
    from mlspec.engine.training.lesson import Lesson


def lesson_of(
    model: TorchModel,
    training: Training,
    hardware: Hardware,
    data: Prepared,
    seed: int,
    accelerator: Accelerator,
) -> Lesson:
    """Return what is learnt, from what and how.

    Args:
        model: What learns.
        training: Says how; a batch size that is still open is taken for one row.
        hardware: On what.
        data: What `prepare` left.
        seed: Of every random number.
        accelerator: What `hardware.accelerator` became.
    """
    from mlspec.engine.training.lesson import Lesson

    stopping = training.early_stopping
    return Lesson(
        model=model,
        inputs=data.inputs,
        target=data.target,
        train=data.train,
        val=data.val,
        optimizer=training.optimizer,
        schedule=training.schedule,
        epochs=training.epochs,
        batch_size=1 if training.batch_size == "auto" else training.batch_size,
        seed=seed,
        loss=training.loss,
        class_weights=class_weights(training.class_weights, data.target),
        balanced=training.sampling == "balanced",
        accumulate=training.accumulate,
        clip_norm=training.clip_norm,
        precision=hardware.precision,
        recompute=training.activation_checkpointing,
        patience=None if stopping is None else stopping.patience,
        metric=None if stopping is None else stopping.metric,
        names=data.names,
        labels=data.labels,
        accelerator=accelerator,
        strategy=hardware.strategy,
        devices=hardware.devices if hardware.strategy.one_process else 1,
    )
