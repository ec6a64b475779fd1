"""Whether the CUDA devices that a training asks for are here."""

from __future__ import annotations

from typing import Literal

import torch

from mlspec.errors import MissingError


def check_cuda(accelerator: Literal["cpu", "cuda"], devices: int) -> None:
    """Refuse a training on devices that are not here; on the CPU there is nothing to look for.

    Args:
        accelerator: What it runs on.
        devices: How many it asks for.

    Raises:
        MissingError: there are none, or fewer.
    """
    if accelerator == "cpu":
        return
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
