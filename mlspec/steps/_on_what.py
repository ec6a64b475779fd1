"""On what a training runs."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from mlspec.engine.training.group import Group
from mlspec.engine.training.threads import threads
from mlspec.sdk.strategy import Accelerator
from mlspec.spec.hardware import Hardware


def accelerator_of(hardware: Hardware, group: Group) -> Accelerator:
    """Return what a torch model is trained on: what `auto` becomes is of this machine."""
    if hardware.accelerator != "auto":
        return hardware.accelerator
    import torch

    return "cuda" if torch.cuda.is_available() and torch.cuda.device_count() >= group.devices else "cpu"


def used(accelerator: Accelerator, group: Group) -> dict[str, Any]:
    """Return what the training runs on."""
    told: dict[str, Any] = {"accelerator": accelerator, "threads": threads()}
    if group.ranks > 1:
        told["processes"] = group.ranks
    if accelerator == "cuda":
        import torch

        if torch.cuda.is_available():
            told["device"] = torch.cuda.get_device_name()
    if accelerator == "tpu" and find_spec("torch_xla") is not None:
        from torch_xla import runtime

        told["device"] = f"{runtime.global_runtime_device_count()} {runtime.device_type()} by torch-xla"
    return told
