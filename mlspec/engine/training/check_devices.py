"""Whether the devices that a training asks for are here."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from mlspec.errors import MissingError
from mlspec.sdk.strategy import Accelerator


def check_devices(accelerator: Accelerator, devices: int) -> None:
    """Refuse a training on devices that are not here; on the CPU there is nothing to look for.

    Args:
        accelerator: What it runs on.
        devices: How many it asks for, of this machine.

    Raises:
        MissingError: there are none, or fewer.
    """
    if accelerator == "cuda":
        _check_cuda(devices)
    elif accelerator == "tpu":
        _check_tpu(devices)


def _check_cuda(devices: int) -> None:
    if not torch.cuda.is_available():
        raise MissingError(
            "hardware.accelerator is 'cuda', and torch finds no CUDA device here",
            where="hardware.accelerator",
            fix="set hardware.accelerator: auto, or install mlspec[gpu] on a machine with a GPU",
        )
    here = torch.cuda.device_count()
    if devices > here:
        raise MissingError(
            f"hardware.devices asks for {devices} CUDA devices, and torch finds {here} here",
            where="hardware.devices",
            fix=f"set hardware.devices: {here}",
        )


def _check_tpu(devices: int) -> None:
    if find_spec("torch_xla") is None:
        raise MissingError(
            "hardware.accelerator is 'tpu', and torch-xla is not installed here",
            where="hardware.accelerator",
            fix="install mlspec[tpu] on a TPU host, in an environment of its own (docs/machines.md)",
        )
    from torch_xla import runtime

    try:
        here = runtime.global_runtime_device_count()
    except RuntimeError as fault:
        raise MissingError(
            "hardware.accelerator is 'tpu', and torch-xla finds no device here",
            where="hardware.accelerator",
            fix="look at PJRT_DEVICE; on a TPU host it is TPU",
        ) from fault
    if devices > here or 1 < devices < here:
        raise MissingError(
            f"hardware.devices asks for {devices} devices, and torch-xla has {here} here, to take all or one",
            where="hardware.devices",
            fix=f"set hardware.devices: {here}",
        )
