"""Finds what a spec leaves open for a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.training.group import Group
from mlspec.engine.training.prepared import prepared
from mlspec.errors import StepError
from mlspec.sdk.budget import LIBRARIES
from mlspec.sdk.frozen import freeze
from mlspec.sdk.model import TorchModel
from mlspec.sdk.slot import Slot
from mlspec.sdk.strategy import Accelerator
from mlspec.spec.hardware import Hardware
from mlspec.spec.left_open import left_open, with_values
from mlspec.spec.training import Training
from mlspec.steps._lesson import lesson_of
from mlspec.steps._on_what import accelerator_of

PART = 0.5
"""Of a device's memory, what training may take: the rest is the system's, the allocator's and CUDA's."""


def find(parameters: Mapping[str, Any], folder: Path, memory: int | None) -> dict[str, Any]:
    """Return a value for each key that is left open, by the dotted key under `training`.

    It is done in this process, on one device, also where several will train.

    Args:
        parameters: Of the step `train`.
        folder: What `prepare` wrote.
        memory: Bytes that the processes of a run may hold together, or None.

    Raises:
        StepError: nothing suits.
    """
    from mlspec.engine.training.search import batch_size, learning_rate

    data, hardware = prepared(folder), Hardware.revive(parameters["hardware"])
    if not data.train.rows:
        raise StepError(
            "no row is in the training split", where="data.split", fix="set data.split.train above 0"
        )
    model = Slot("model").choose(freeze(parameters["model"]))
    assert isinstance(model, TorchModel)
    devices = hardware.devices * hardware.nodes
    accelerator = accelerator_of(hardware, Group(0, hardware.devices))
    values: dict[str, Any] = {}
    open_ = left_open(parameters["training"])
    trial = {"optimizer.lr": 1e-3, "batch_size": "auto"}
    for path in open_:
        given = with_values(parameters, trial | values)
        lesson = lesson_of(
            model, Training.revive(given["training"]), hardware, data, given["seed"], accelerator
        )
        if path == ("batch_size",):
            values["batch_size"] = batch_size(lesson, _budget(accelerator, hardware, memory), devices)
        else:
            values["optimizer.lr"] = learning_rate(lesson)
    return values


def _budget(accelerator: Accelerator, hardware: Hardware, memory: int | None) -> int:
    """Return the bytes of a device that a training may take."""
    if accelerator == "cuda":
        import torch

        return int(torch.cuda.get_device_properties(0).total_memory * PART)
    import psutil

    whole = psutil.virtual_memory().total
    share = (whole if memory is None else min(memory, whole)) // hardware.devices - LIBRARIES
    return max(int(share * PART), 1)
