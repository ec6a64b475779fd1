"""What a training will take, said before it runs: steps, and the memory of each device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.engine.files import read_json
from mlspec.plan.plan import Plan
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.frozen import freeze
from mlspec.sdk.model import TorchModel
from mlspec.sdk.slot import Slot
from mlspec.sdk.strategy import Driven
from mlspec.spec.hardware import Hardware
from mlspec.spec.left_open import with_values
from mlspec.spec.training import Training
from mlspec.steps._found import told

if TYPE_CHECKING:
    from mlspec.engine.training.memory import Memory


@dataclass(frozen=True)
class Preflight:
    """What is known of a training before it runs."""

    rows: int
    """Training rows, as they were last prepared."""
    epochs: int
    steps: int
    """Optimiser steps an epoch."""
    memory: Memory | None
    """Bytes of each device; None where torch is not installed."""
    configuration: dict[str, Any] | None = None
    """What is made for the library that spreads the training, where it wants one."""


def preflight(plan: Plan, workspace: Path) -> Preflight | None:
    """Return what a training will take.

    Args:
        plan: What will be done.
        workspace: Where the data was prepared.

    Returns:
        None where the data was not prepared here yet, and for a model that has no steps.
    """
    parameters = plan.step("train").parameters
    model = Slot("model").choose(freeze(parameters["model"]))
    prepared = workspace / plan.step("prepare").output
    try:
        inputs = ModelInputs.revive(read_json(prepared / "features.json")["shape"])
        target = FittedTarget.revive(read_json(prepared / "target.json"))
    except (OSError, ValueError, LookupError):
        return None
    if not isinstance(model, TorchModel) or not model.in_epochs():
        return None
    from mlspec.engine.preparing.shards import open_shards

    try:
        rows = open_shards(prepared / "shards" / "train").rows
    except (OSError, ValueError):
        return None
    parameters = told(parameters, workspace)
    if parameters["training"]["batch_size"] == "auto":
        return None
    # No rate changes the memory.
    parameters = with_values(parameters, {"optimizer.lr": 1e-3})
    training = parameters["training"]
    steps = math.ceil(rows / training["batch_size"])
    made = _configuration(parameters, model, inputs, target)
    return Preflight(rows, training["epochs"], steps, _memory(parameters, model, inputs, target), made)


def _configuration(
    parameters: Any, model: TorchModel, inputs: ModelInputs, target: FittedTarget
) -> dict[str, Any] | None:
    training, hardware = Training.revive(parameters["training"]), Hardware.revive(parameters["hardware"])
    devices = hardware.devices * hardware.nodes
    if devices == 1 or not isinstance(training.batch_size, int):
        return None
    try:
        from mlspec.engine.training.memory import weights_of
    except ImportError:
        return None
    driven = Driven(training.optimizer.build, training.batch_size, hardware.precision, training.clip_norm)
    return hardware.strategy.configuration(driven, devices, weights_of(model, inputs, target))


def _memory(parameters: Any, model: TorchModel, inputs: ModelInputs, target: FittedTarget) -> Memory | None:
    try:
        from mlspec.engine.training.memory import Way, memory
    except ImportError:
        return None
    training, hardware = Training.revive(parameters["training"]), Hardware.revive(parameters["hardware"])
    devices = hardware.devices * hardware.nodes
    assert training.batch_size != "auto"
    given = (training.optimizer, hardware.strategy, training.batch_size, devices, training.loss)
    way = Way(training.accumulate, hardware.precision, training.activation_checkpointing)
    return memory(model, inputs, target, *given, way=way)
